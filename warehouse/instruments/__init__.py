"""Questionnaires as data: one TOML file per instrument, in this folder or in the clinic's own.

A file states items, range, reversed items, scales, missing rule, timing, thresholds and citation, each with its status:
numbers only, because items' wording is licensed. Other modules read these facts; none repeats them.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from rapport.warehouse.instruments.cautions import caution_of
from rapport.warehouse.instruments.instrument import WINDOWS, Instrument
from rapport.warehouse.instruments.items import Items, items_of
from rapport.warehouse.instruments.missing import MISSING_RULES, missing_of
from rapport.warehouse.instruments.norms import read_norms, read_reliabilities
from rapport.warehouse.instruments.provenance import Provenance, provenance
from rapport.warehouse.instruments.scale_sections import read_scales
from rapport.warehouse.instruments.scales import Defaults, Scale
from rapport.warehouse.instruments.thresholds import read_changes, read_risks, read_thresholds
from rapport.warehouse.schema.columns import CONSTRUCTS, SCORES
from rapport.warehouse.toml_files import read_toml, refusing
from rapport.warehouse.toml_keys.keys import TOP, in_order, keys_of, read
from rapport.warehouse.toml_keys.kinds import name_in_one_line

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


def load_instruments(own: Path | None = None) -> dict[str, Instrument]:
    """Return all instruments by name. A clinic's own file wins over the file of the same name here.

    Raises Unusable with the file, the key and the reason.
    """
    return _shipped() | (_in(own) if own else {})


@cache
def _shipped() -> dict[str, Instrument]:
    return _in(HERE)


def _in(folder: Path) -> dict[str, Instrument]:
    """Return the instruments of a folder. Raises OSError where the folder cannot be read."""
    return {path.stem: read_instrument(path) for path in sorted(folder.iterdir()) if path.suffix == ".toml"}


def read_instrument(path: Path) -> Instrument:
    """Return one instrument from its file. Raises Unusable with the file, the key and the reason."""
    facts = read_toml(path, "instrument file")
    with refusing(f"instrument file {path.name}"):
        return _instrument(name_in_one_line("its name without .toml", path.stem), facts)


def _instrument(name: str, facts: dict[str, object]) -> Instrument:
    is_scored = facts.get("scored", True)
    told = read(TOP, facts, keys_of("instrument", "origin"), needed=("scales",) if is_scored else ())
    in_order(TOP, told, "age_from", "age_to")
    origin = provenance(told, Provenance("local", told["citation"]))
    items = items_of(told["items"], origin) if told["items"] else Items(origin=origin)
    missing = missing_of("[missing] rule", told["missing"], origin) if told["missing"] else None
    scales = read_scales(told["scales"], Defaults(items.count, told["direction"], missing, origin))
    if not told["scored"] and scales:
        raise ValueError("scored = false and [scales] contradict each other; remove one")
    names = tuple(scale.name for scale in scales)
    return Instrument(
        name=name,
        scales=scales,
        thresholds=read_thresholds(told["thresholds"], names, origin),
        changes=read_changes(told["reliable_change"], names, origin),
        norms=read_norms(told["norms"], names, origin),
        reliabilities=read_reliabilities(told["reliability"], names, origin),
        risks=read_risks(told["risk"], items.count, origin),
        caution=caution_of(told["caution"], origin) if told["caution"] else None,
        origin=origin,
        words=tuple((" ".join(word.lower().split()), count) for word, count in told["words"].items()),
        codes=tuple(told["codes"].items()),
        **_of_items(items),
        **{**{key: value for key, value in told.items() if key in _PLAIN}, "family": told["family"] or name},
    )


_PLAIN = {field.name for field in fields(Instrument)} - {"scales", "thresholds", "norms", "caution", "words", "codes"}


def _of_items(items: Items) -> dict[str, Any]:
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
