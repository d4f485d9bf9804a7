"""The sections [scales.NAME] of an instrument's file: of items, of other scales, or with a key that was not found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rapport.warehouse.instruments.missing import SCORES, check_rule, read_missing
from rapport.warehouse.instruments.provenance import ORIGIN_KEYS, provenance
from rapport.warehouse.instruments.scales import MOST_ITEMS, Defaults, Scale, numbers
from rapport.warehouse.schema.columns import DIRECTIONS
from rapport.warehouse.toml_keys import known, name_in_one_line, one_of

MOST_DEEP = 10  # scales, each made of the next
_KEYS = {
    "description": "text",
    "items": "integers",
    "score": "text",
    "missing": "text or section",
    "direction": "text",
    "adds": "texts",
    "subtracts": "texts",
    "key_not_found": "text",
    "item_count": "count",
    "minimum": "answer",
    "maximum": "answer",
} | ORIGIN_KEYS


def read_scales(facts: Mapping, defaults: Defaults) -> tuple[Scale, ...]:
    """Every scale; those made of other scales come after them."""
    known("[scales]", facts, dict.fromkeys(facts, "section"))
    making = _Making(facts, defaults)
    for name in facts:
        making.make(name)
    return tuple(making.made.values())


@dataclass(frozen=True)
class _Making:
    """The scales that are made so far, and how many items, or scales without any, each is made of in the end."""

    facts: Mapping
    defaults: Defaults
    made: dict[str, Scale] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def make(self, name: str, makers: tuple[str, ...] = ()) -> None:
        """Make a scale, and first the scales that it is made of; `makers` are those that are being made of it."""
        if name in self.made:
            return
        where = f"[scales.{name_in_one_line('the name of a section of [scales]', name)}]"
        _refuse_circle(where, name, makers)
        rules = self.facts[name]
        known(where, rules, _KEYS, needed=("description",))
        parts = (*rules.get("adds", ()), *rules.get("subtracts", ()))
        for part in parts:
            one_of(f"{where} adds or subtracts", part, tuple(self.facts))
            self.make(part, (*makers, name))
        self.sizes[name] = sum(self.sizes[part] for part in parts) or 1
        if self.sizes[name] > MOST_ITEMS:
            raise ValueError(f"{where} is made of more than {MOST_ITEMS} items")
        self.made[name] = _scale(name, rules, self.defaults, self.made)
        self.sizes[name] = max(self.sizes[name], self.made[name].item_count)


def _refuse_circle(where: str, name: str, makers: tuple[str, ...]) -> None:
    if name in makers:
        circle = " and ".join(f"'{each}'" for each in makers[makers.index(name) :])
        raise ValueError(f"{where} is made of itself, by 'adds' or 'subtracts' of {circle}; name the items of one")
    if len(makers) >= MOST_DEEP:
        raise ValueError(f"{where} stands under {MOST_DEEP} scales, each made of the next; name its items there")


def _scale(name: str, rules: Mapping, defaults: Defaults, made: Mapping[str, Scale]) -> Scale:
    where = f"[scales.{name}]"
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
    parts = [made[part] for part in (*adds, *subtracts)]
    if not adds or len({*adds, *subtracts}) < len(parts):
        raise ValueError(f"{where} adds and subtracts must name other scales, at least one to add, each once")
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
    low, high = rules.get("minimum"), rules.get("maximum")
    if (low is None) != (high is None) or (low is not None and not low < high):
        raise ValueError(f"{where} needs 'minimum' and 'maximum', the first below the second, or neither")
    if rules.get("item_count", 1) > MOST_ITEMS:
        raise ValueError(f"{where} item_count = {rules['item_count']} is more than {MOST_ITEMS} items")
    return Scale(
        **about,
        items=(),
        score=rules.get("score", "sum"),
        missing="complete_only",
        key_not_found=rules["key_not_found"],
        stated_count=rules.get("item_count"),
        stated_range=(low, high),
    )
