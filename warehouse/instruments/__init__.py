"""Questionnaires as data: one TOML file per instrument, in this folder or in the clinic's own.

A file states items, range, reversed items, scales, missing rule, timing, thresholds and citation, each with its status:
numbers only, because items' wording is licensed. Other modules read these facts; none repeats them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from rapport.warehouse.instruments.cautions import read_caution
from rapport.warehouse.instruments.instrument import WINDOWS, Instrument
from rapport.warehouse.instruments.items import Items, read_items
from rapport.warehouse.instruments.missing import MISSING_RULES, SCORES, read_missing
from rapport.warehouse.instruments.norms import read_norms, read_reliabilities
from rapport.warehouse.instruments.provenance import ORIGIN_KEYS, Provenance, provenance
from rapport.warehouse.instruments.scale_sections import read_scales
from rapport.warehouse.instruments.scales import Defaults, Scale
from rapport.warehouse.instruments.thresholds import read_changes, read_risks, read_thresholds
from rapport.warehouse.schema.columns import DIRECTIONS, RATERS, TIMINGS
from rapport.warehouse.toml_files import read_toml, refusing
from rapport.warehouse.toml_keys import known, name_in_one_line, one_of

__all__ = [
    "CONSTRUCTS",
    "MISSING_RULES",
    "SCORES",
    "WINDOWS",
    "Instrument",
    "Scale",
    "load_instruments",
    "read_instrument",
]

HERE = Path(__file__).parent
CONSTRUCTS = ("alliance", "rupture", "responsiveness", "outcome", "motivation", "other")
_NEEDED = {
    "title": "text",
    "construct": "text",
    "respondents": "texts",
    "timing": "text",
    "direction": "text",
    "citation": "text",
    "licence": "text",
}
_SECTIONS = ("items", "missing", "scales", "thresholds", "reliable_change", "norms", "reliability", "risk", "caution")
# Every key, with its kind of value.
_KEYS = {
    **_NEEDED,
    **ORIGIN_KEYS,
    **dict.fromkeys(_SECTIONS, "section"),
    "licence_needed": "truth",
    "scored": "truth",
    "family": "text",
    "period": "text",
    "note": "text",
    "age_from": "age",
    "age_to": "age",
    "window_hours": "hours before and after",
}


def load_instruments(own: Path | None = None) -> dict[str, Instrument]:
    """All instruments by name; a clinic's own file wins over the one of the same name here.

    Raises Unusable with the file, the key and the reason.
    """
    return _shipped() | (_in(own) if own else {})


@cache
def _shipped() -> dict[str, Instrument]:
    return _in(HERE)


def _in(folder: Path) -> dict[str, Instrument]:
    """A folder's instruments. Raises OSError for one that cannot be looked into."""
    return {path.stem: read_instrument(path) for path in sorted(folder.iterdir()) if path.suffix == ".toml"}


def read_instrument(path: Path) -> Instrument:
    """One instrument from its file. Raises Unusable."""
    facts = read_toml(path, "instrument file")
    with refusing(f"instrument file {path.name}"):
        return _instrument(name_in_one_line("its name without .toml", path.stem), facts)


def _instrument(name: str, facts: dict) -> Instrument:
    known("the file", facts, _KEYS, needed=(*_NEEDED, "scales") if facts.get("scored", True) else _NEEDED)
    _check_words(facts)
    origin = provenance("the file's", facts, Provenance("local", facts["citation"]))
    items = read_items(facts["items"], origin) if "items" in facts else Items(origin=origin)
    missing = read_missing("[missing] rule", facts["missing"], origin) if "missing" in facts else None
    scales = read_scales(facts.get("scales", {}), Defaults(items.count, facts["direction"], missing, origin))
    if not facts.get("scored", True) and scales:
        raise ValueError("scored = false and [scales] contradict each other; remove one")
    names = tuple(scale.name for scale in scales)
    return Instrument(
        name=name,
        scales=scales,
        thresholds=read_thresholds(facts.get("thresholds", {}), names, origin),
        changes=read_changes(facts.get("reliable_change", {}), names, origin),
        norms=read_norms(facts.get("norms", {}), names, origin),
        reliabilities=read_reliabilities(facts.get("reliability", {}), names, origin),
        risks=read_risks(facts.get("risk", {}), items.count, origin),
        caution=read_caution(facts["caution"], origin) if "caution" in facts else None,
        origin=origin,
        family=facts.get("family", name),
        **_of_items(items),
        **_plain(facts),
    )


def _check_words(facts: Mapping) -> None:
    one_of("construct", facts["construct"], CONSTRUCTS)
    one_of("timing", facts["timing"], TIMINGS)
    one_of("direction", facts["direction"], DIRECTIONS)
    for respondent in facts["respondents"]:
        one_of("respondents", respondent, RATERS)
    if facts.get("age_from", 0) > facts.get("age_to", 200):
        raise ValueError("age_from must not be above age_to")


def _of_items(items: Items) -> dict[str, object]:
    usual = items.usual
    return {
        "item_count": items.count,
        "minimum": usual and usual.minimum,
        "maximum": usual and usual.maximum,
        "step": usual and usual.step,
        "reversed": items.reversed,
        "optional": items.optional,
        "never": items.never,
        "skipped": items.skipped,
        "other_ranges": items.other,
        "items_origin": items.origin,
    }


def _plain(facts: Mapping) -> dict[str, object]:
    return {
        **{key: facts[key] for key in _NEEDED if key != "respondents"},
        "respondents": tuple(facts["respondents"]),
        "licence_needed": facts.get("licence_needed", False),
        "scored": facts.get("scored", True),
        "period": facts.get("period", ""),
        "note": facts.get("note", ""),
        "age_from": facts.get("age_from"),
        "age_to": facts.get("age_to"),
        "window_hours": tuple(facts["window_hours"]) if "window_hours" in facts else None,
    }
