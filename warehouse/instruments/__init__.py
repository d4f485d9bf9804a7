"""Questionnaires as data: one TOML file per instrument, in this folder or in the clinic's own.

A file states items, range, reversed items, scales, missing rule, timing and citation: numbers only, because items'
wording is licensed. Other modules read these facts; none repeats them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from warehouse.columns import RATERS, TIMINGS
from warehouse.declarations import known, one_of
from warehouse.errors import Unusable

HERE = Path(__file__).parent
CONSTRUCTS = ("alliance", "outcome", "motivation", "other")
SCORES = ("sum", "mean")
MISSING_RULES = ("complete_only",)
# Every key, with its kind of value.
_KEYS = {
    "title": "text",
    "construct": "text",
    "respondents": "texts",
    "timing": "text",
    "direction": "text",
    "citation": "text",
    "licence": "text",
    "items": "section",
    "scales": "section",
}
_ITEM_KEYS = {
    "count": "integer",
    "minimum": "number",
    "maximum": "number",
    "step": "number",
    "reversed": "integers",
}
_SCALE_KEYS = {"description": "text", "items": "integers", "score": "text", "missing": "text"}


@dataclass(frozen=True)
class Scale:
    """A scale: its items' numbers, how they make a score, and what happens when one is missing."""

    name: str
    description: str
    items: tuple[int, ...]
    score: str
    missing: str


@dataclass(frozen=True)
class Instrument:
    """One questionnaire version."""

    name: str
    title: str
    construct: str
    respondents: tuple[str, ...]
    timing: str
    direction: str
    citation: str
    licence: str
    item_count: int
    minimum: float
    maximum: float
    step: float
    reversed: tuple[int, ...]
    scales: tuple[Scale, ...]

    @cached_property
    def scale_names(self) -> frozenset[str]:
        return frozenset(scale.name for scale in self.scales)

    def range_of(self, scale: Scale) -> tuple[float, float]:
        """Lowest and highest possible score of a scale."""
        times = len(scale.items) if scale.score == "sum" else 1
        return self.minimum * times, self.maximum * times


def load_instruments(own: Path | None = None) -> dict[str, Instrument]:
    """All instruments by name; a clinic's own file wins over the one of the same name here.

    Raises Unusable with the file, the key and the reason.
    """
    files = {path.stem: path for folder in (HERE, own) if folder for path in sorted(folder.glob("*.toml"))}
    return {name: read_instrument(path) for name, path in files.items()}


def read_instrument(path: Path) -> Instrument:
    """One instrument from its file. Raises Unusable."""
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
        return _instrument(path.stem, facts)
    except (OSError, ValueError) as error:
        raise Unusable(f"instrument file {path.name}: {error}") from None


def _instrument(name: str, facts: dict) -> Instrument:
    known("the file", facts, _KEYS, needed=_KEYS)
    items = facts["items"]
    known("[items]", items, _ITEM_KEYS, needed=_ITEM_KEYS.keys() - {"reversed"})
    one_of("construct", facts["construct"], CONSTRUCTS)
    one_of("timing", facts["timing"], TIMINGS)
    one_of("direction", facts["direction"], ("higher_better", "lower_better"))
    for respondent in facts["respondents"]:
        one_of("respondents", respondent, RATERS)
    if not items["minimum"] < items["maximum"]:
        raise ValueError("[items] minimum must be below maximum")
    known("[scales]", facts["scales"], dict.fromkeys(facts["scales"], "section"))
    scales = tuple(_scale(scale, rules, items["count"]) for scale, rules in facts["scales"].items())
    return Instrument(
        name=name,
        title=facts["title"],
        construct=facts["construct"],
        respondents=tuple(facts["respondents"]),
        timing=facts["timing"],
        direction=facts["direction"],
        citation=facts["citation"],
        licence=facts["licence"],
        item_count=items["count"],
        minimum=items["minimum"],
        maximum=items["maximum"],
        step=items["step"],
        reversed=_numbers("[items] reversed", items.get("reversed", []), items["count"]),
        scales=scales,
    )


def _scale(name: str, rules: dict, item_count: int) -> Scale:
    where = f"[scales.{name}]"
    known(where, rules, _SCALE_KEYS, needed=_SCALE_KEYS)
    one_of(f"{where} score", rules["score"], SCORES)
    one_of(f"{where} missing", rules["missing"], MISSING_RULES)
    items = _numbers(f"{where} items", rules["items"], item_count)
    if not items:
        raise ValueError(f"{where} items is empty; name the items that make the score")
    return Scale(name, rules["description"], items, rules["score"], rules["missing"])


def _numbers(key: str, numbers: list[int], item_count: int) -> tuple[int, ...]:
    if len(set(numbers)) != len(numbers) or not all(1 <= number <= item_count for number in numbers):
        raise ValueError(f"{key} must name items from 1 to {item_count}, each once")
    return tuple(numbers)
