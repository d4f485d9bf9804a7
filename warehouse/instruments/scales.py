"""Scales: which items, how they make a score, and what happens when an answer is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from warehouse.columns import DIRECTIONS
from warehouse.declarations import known, one_of
from warehouse.instruments.missing import SCORES, Missing, check_rule, read_missing
from warehouse.instruments.provenance import LOCAL, ORIGIN_KEYS, Provenance, provenance

_KEYS = {
    "description": "text",
    "items": "integers",
    "score": "text",
    "missing": "text or section",
    "direction": "text",
    "adds": "texts",
    "subtracts": "texts",
    "key_not_found": "text",
    "item_count": "integer",
    "minimum": "number",
    "maximum": "number",
} | ORIGIN_KEYS


@dataclass(frozen=True)
class Scale:
    """A scale. Either items make its score, or other scales do (`adds`, `subtracts`), or its key was not found."""

    name: str
    description: str
    items: tuple[int, ...]
    score: str
    missing: str
    rounding: str = ""
    direction: str = "higher_better"
    adds: tuple[str, ...] = ()
    subtracts: tuple[str, ...] = ()
    key_not_found: str = ""
    stated_count: int | None = None
    stated_range: tuple[float | None, float | None] = (None, None)
    origin: Provenance = LOCAL
    missing_origin: Provenance = LOCAL

    @property
    def item_count(self) -> int:
        return self.stated_count or len(self.items)

    @property
    def has_key(self) -> bool:
        return not self.key_not_found


@dataclass(frozen=True)
class Defaults:
    """What the file says at its top, for every scale that does not say otherwise."""

    item_count: int
    direction: str
    missing: Missing | None
    origin: Provenance


def read_scales(facts: Mapping, defaults: Defaults) -> tuple[Scale, ...]:
    """Every scale; those made of other scales come after them."""
    known("[scales]", facts, dict.fromkeys(facts, "section"))
    made: dict[str, Scale] = {}
    for name, rules in facts.items():
        made[name] = _scale(name, rules, defaults, made)
    return tuple(made.values())


def _scale(name: str, rules: Mapping, defaults: Defaults, made: Mapping[str, Scale]) -> Scale:
    where = f"[scales.{name}]"
    known(where, rules, _KEYS, needed=("description",))
    ways = [key for key in ("items", "adds", "key_not_found") if key in rules]
    if len(ways) > 1:
        raise ValueError(f"{where} has both '{ways[0]}' and '{ways[1]}'; a scale is made in one way")
    origin = provenance(where, rules, defaults.origin)
    about = {
        "name": name,
        "description": rules["description"],
        "direction": one_of(f"{where} direction", rules.get("direction", defaults.direction), DIRECTIONS),
        "origin": origin,
    }
    if ways == ["adds"]:
        return _of_scales(where, rules, made, about)
    if ways == ["key_not_found"]:
        return _without_key(where, rules, about)
    return _of_items(where, rules, defaults, about)


def _of_items(where: str, rules: Mapping, defaults: Defaults, about: dict) -> Scale:
    needed = ("items", "score") if defaults.missing else ("items", "score", "missing")
    known(where, rules, {key: _KEYS[key] for key in _KEYS if key not in _NOT_OF_ITEMS}, needed=needed)
    one_of(f"{where} score", rules["score"], SCORES)
    rule = (
        read_missing(f"{where} missing", rules["missing"], about["origin"]) if "missing" in rules else defaults.missing
    )
    items = numbers(f"{where} items", rules["items"], defaults.item_count)
    if not items:
        raise ValueError(f"{where} items is empty; name the items that make the score")
    check_rule(where, rule.rule, rules["score"], len(items))
    return Scale(
        **about,
        items=items,
        score=rules["score"],
        missing=rule.rule,
        rounding=rule.rounding,
        missing_origin=rule.origin,
    )


_NOT_OF_ITEMS = {"adds", "subtracts", "key_not_found", "item_count", "minimum", "maximum"}


def _of_scales(where: str, rules: Mapping, made: Mapping[str, Scale], about: dict) -> Scale:
    known(where, rules, {key: _KEYS[key] for key in ("description", "direction", "adds", "subtracts", *ORIGIN_KEYS)})
    adds, subtracts = tuple(rules["adds"]), tuple(rules.get("subtracts", ()))
    for part in (*adds, *subtracts):
        one_of(f"{where} adds or subtracts", part, tuple(made))
    parts = [made[part] for part in (*adds, *subtracts)]
    unknown = next((part.key_not_found for part in parts if not part.has_key), "")
    return Scale(
        **about,
        items=tuple(sorted(item for part in parts for item in part.items)),
        score=parts[0].score,
        missing=parts[0].missing,
        adds=adds,
        subtracts=subtracts,
        key_not_found=unknown,
        missing_origin=parts[0].missing_origin,
    )


def _without_key(where: str, rules: Mapping, about: dict) -> Scale:
    kept = ("description", "direction", "key_not_found", "item_count", "score", "minimum", "maximum", *ORIGIN_KEYS)
    known(where, rules, {key: _KEYS[key] for key in kept})
    one_of(f"{where} score", rules.get("score", "sum"), SCORES)
    return Scale(
        **about,
        items=(),
        score=rules.get("score", "sum"),
        missing="complete_only",
        key_not_found=rules["key_not_found"],
        stated_count=rules.get("item_count"),
        stated_range=(rules.get("minimum"), rules.get("maximum")),
    )


def numbers(key: str, written: list[int], item_count: int) -> tuple[int, ...]:
    """Item numbers, each once and none that the instrument does not have."""
    if len(set(written)) != len(written) or not all(1 <= number <= item_count for number in written):
        raise ValueError(f"{key} must name items from 1 to {item_count}, each once")
    return tuple(written)
