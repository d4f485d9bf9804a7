"""Names that do not say which version of a questionnaire was answered: their ranges and keys differ, so none is
guessed. A row that uses one is held back as `instrument_version_missing`.
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
    """The names without a version that no instrument file, not even one of the clinic's own, has."""
    return tuple(name for name in VERSIONLESS if name not in instruments)


def refuse_versionless(key: str, name: str, instruments: Collection[str]) -> None:
    """Refuse such a name where a clinic file gives it, with the names to use."""
    if name.lower() in versionless(instruments):
        names = ", ".join(each for each in VERSIONLESS[name.lower()] if each in instruments)
        raise ValueError(f"{key} = '{name}' does not say which version; say which of {names} it is")
