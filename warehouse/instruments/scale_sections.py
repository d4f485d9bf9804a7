"""The sections [scales.NAME] of an instrument's file: scales of items, of other scales, or without a known key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rapport.warehouse.instruments.missing import check_rule, missing_of
from rapport.warehouse.instruments.provenance import provenance
from rapport.warehouse.instruments.scales import MOST_ITEMS, Defaults, Scale, numbers
from rapport.warehouse.toml_keys.keys import keys_of, read
from rapport.warehouse.toml_keys.kinds import name_in_one_line, one_of

MOST_DEEP = 10  # scales, each computed from the next
# A scale is declared in one of three ways, each with its own keys.
_ITEMS = ("description", "items", "score", "missing", "direction")
_ADDED = ("description", "direction", "adds", "subtracts")
_WITHOUT_KEY = ("description", "direction", "key_not_found", "item_count", "score", "minimum", "maximum")
_WAYS = {"items": _ITEMS, "adds": _ADDED, "key_not_found": _WITHOUT_KEY}
Facts = Mapping[str, Any]


def read_scales(facts: Mapping[str, Facts], defaults: Defaults) -> tuple[Scale, ...]:
    """Return every scale. A scale comes after the scales from which it is computed."""
    making = _Making(facts, defaults)
    for name in facts:
        making.make(name)
    return tuple(making.made.values())


@dataclass(frozen=True)
class _Making:
    """The scales that are read so far, with the number of items (or scales without items) behind each."""

    facts: Mapping[str, Facts]
    defaults: Defaults
    made: dict[str, Scale] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def make(self, name: str, makers: tuple[str, ...] = ()) -> None:
        """Read a scale, and before it the scales from which it is computed. `makers`: the scales that need this one."""
        if name in self.made:
            return
        where = f"[scales.{name_in_one_line('the name of a section of [scales]', name)}]"
        _refuse_circle(where, name, makers)
        rules = self.facts[name]
        told = read(where, rules, keys_of("scale", "origin"))
        parts = (*(told["adds"] or ()), *told["subtracts"])
        for part in parts:
            one_of(f"{where} adds or subtracts", part, tuple(self.facts))
            self.make(part, (*makers, name))
        self.sizes[name] = sum(self.sizes[part] for part in parts) or 1
        if self.sizes[name] > MOST_ITEMS:
            raise ValueError(f"{where} has more than {MOST_ITEMS} items through its scales; name fewer")
        self.made[name] = _scale(name, rules, self.defaults, self.made)
        self.sizes[name] = max(self.sizes[name], self.made[name].item_count)


def _refuse_circle(where: str, name: str, makers: tuple[str, ...]) -> None:
    if name in makers:
        circle = " and ".join(f"'{each}'" for each in makers[makers.index(name) :])
        raise ValueError(f"{where} contains itself, by 'adds' or 'subtracts' of {circle}; name the items of one")
    if len(makers) >= MOST_DEEP:
        raise ValueError(f"{where} is below {MOST_DEEP} scales, each computed from the next; name its items there")


def _scale(name: str, rules: Facts, defaults: Defaults, made: Mapping[str, Scale]) -> Scale:
    where = f"[scales.{name}]"
    ways = [way for way in _WAYS if way in rules] or ["items"]
    if len(ways) > 1:
        raise ValueError(f"{where} has both '{ways[0]}' and '{ways[1]}'; keep one of them")
    keys = keys_of("scale", "origin")
    taken = {key: keys[key] for key in (*_WAYS[ways[0]], *keys_of("origin"))}
    told = read(where, rules, taken, needed=("items", "score") if ways == ["items"] else ())
    about = {
        "name": name,
        "description": told["description"],
        "direction": told["direction"] or defaults.direction,
        "origin": provenance(told, defaults.origin),
    }
    if ways == ["adds"]:
        return _of_scales(where, told, made, about)
    if ways == ["key_not_found"]:
        return _without_key(where, told, about)
    return _of_items(where, told, defaults, about)


def _of_items(where: str, told: Facts, defaults: Defaults, about: dict[str, Any]) -> Scale:
    own = told["missing"] and missing_of(f"{where} missing", told["missing"], about["origin"])
    rule = own or defaults.missing
    if rule is None:
        raise ValueError(f"{where} has no key 'missing'; add it, or a section [missing] for all scales")
    items = numbers(f"{where} items", told["items"], defaults.item_count)
    if not items:
        raise ValueError(f"{where} items is empty; name the items of the score")
    check_rule(where, rule.rule, told["score"], len(items))
    return Scale(
        **about,
        items=items,
        score=told["score"],
        missing=rule.rule,
        rounding=rule.rounding,
        missing_origin=rule.origin,
    )


def _of_scales(where: str, told: Facts, made: Mapping[str, Scale], about: dict[str, Any]) -> Scale:
    adds, subtracts = told["adds"], told["subtracts"]
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


def _without_key(where: str, told: Facts, about: dict[str, Any]) -> Scale:
    low, high = told["minimum"], told["maximum"]
    if (low is None) != (high is None) or (low is not None and not low < high):
        raise ValueError(f"{where} needs 'minimum' and 'maximum', the first below the second, or neither")
    if (told["item_count"] or 1) > MOST_ITEMS:
        raise ValueError(f"{where} item_count = {told['item_count']} is more than {MOST_ITEMS} items")
    return Scale(
        **about,
        items=(),
        score=told["score"] or "sum",
        missing="complete_only",
        key_not_found=told["key_not_found"],
        stated_count=told["item_count"],
        stated_range=(low, high),
    )
