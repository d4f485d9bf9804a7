"""Names of questionnaires without their version. The versions differ in ranges and keys, so none is guessed.

A row with such a name is held back by the rule `instrument_version_missing`.
"""

from __future__ import annotations

from collections.abc import Collection

NO_VERSION = "version missing"  # stands for such a name in staged rows

_SHORT_WAI = ("wai_sr", "wai_s")  # 1-5 with nothing reversed; 1-7 with 4 and 10 reversed
VERSIONLESS = {
    "wai": ("wai_sr", "wai_s", "wai_36", "wai_sr_t", "br_wai"),
    "wai_short": _SHORT_WAI,
    "wai_12": _SHORT_WAI,
    "k10": ("k10_0_to_4", "k10_1_to_5"),
    "phq_a": ("phq_a_7_days", "phq_a_2_weeks"),
    "phqa": ("phq_a_7_days", "phq_a_2_weeks"),
    "rcads": ("rcads_25", "rcads_47"),
    "sdq": ("sdq_self", "sdq_parent", "sdq_teacher"),
    "oq": ("oq_45_2", "oq_30"),
    "yoq": ("yoq_2_01", "yoq_30", "yoq_sr"),
    "arm": ("arm_5", "arm_12"),
    "star": ("star_p", "star_c"),
}


def versionless(instruments: Collection[str]) -> tuple[str, ...]:
    """Return the names without a version, except names of instrument files, the clinic's own files included."""
    return tuple(name for name in VERSIONLESS if name not in instruments)


def refuse_versionless(key: str, name: str, instruments: Collection[str]) -> None:
    """Raise ValueError for a name without a version in a clinic file, with the names to use."""
    if name.lower() in versionless(instruments):
        names = ", ".join(each for each in VERSIONLESS[name.lower()] if each in instruments)
        raise ValueError(f"{key} = '{name}' does not name the version; write one of {names}")
