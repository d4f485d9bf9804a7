"""Items: their number, the range of answers, and the reversed items."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapport.warehouse.instruments.provenance import LOCAL, Provenance, provenance
from rapport.warehouse.instruments.scales import MOST_ITEMS, numbers
from rapport.warehouse.toml_keys.keys import keys_of, read

LEAST_STEP = 0.0001  # answers are shown with four decimals


@dataclass(frozen=True)
class Range:
    """The answers that are possible."""

    minimum: float
    maximum: float
    step: float


@dataclass(frozen=True)
class Items:
    """The items of an instrument; none where their number is not published."""

    count: int = 0
    usual: Range | None = None
    reversed: tuple[int, ...] = ()
    optional: tuple[int, ...] = ()  # not needed for a complete response: a second goal, work after retirement
    never: tuple[float, ...] = ()  # answers within the range that are not on the form
    skipped: tuple[tuple[int, int], ...] = ()  # (item, other): not asked where the other is lowest
    other: tuple[tuple[int, Range], ...] = ()  # items with a range of their own
    origin: Provenance = LOCAL


def items_of(told: Mapping[str, Any], default: Provenance) -> Items:
    """Return the items in a section that was read. Raises ValueError with the key."""
    count = told["count"]
    if count > MOST_ITEMS:
        raise ValueError(f"[items] count = {count} is more than {MOST_ITEMS} items")
    return Items(
        count=count,
        usual=_range("[items]", told),
        reversed=numbers("[items] reversed", told["reversed"], count),
        optional=numbers("[items] optional", told["optional"], count),
        never=told["never"],
        skipped=_skipped(told["skipped"], count),
        other=tuple(pair for name, rules in told["other"].items() for pair in _others(name, rules, count)),
        origin=provenance(told, default),
    )


def _range(where: str, told: Mapping[str, Any]) -> Range:
    if not told["minimum"] < told["maximum"]:
        raise ValueError(f"{where} minimum must be below maximum")
    if not told["step"] >= LEAST_STEP:
        raise ValueError(f"{where} step must be above 0, at least {LEAST_STEP}")
    return Range(told["minimum"], told["maximum"], told["step"])


def _skipped(told: Mapping[str, int], count: int) -> tuple[tuple[int, int], ...]:
    """Read lines such as `3 = 2`: item 3 is not asked where item 2 has the lowest answer."""
    if not all(re.fullmatch("[0-9]{1,3}", key) for key in told):
        raise ValueError("[items.skipped] must name items by their numbers, such as 3 = 2")
    items = numbers("[items.skipped]", [int(key) for key in told], count)
    after = [numbers("[items.skipped]", [number], count)[0] for number in told.values()]
    return tuple(zip(items, after, strict=True))


def _others(name: str, rules: Mapping[str, object], count: int) -> list[tuple[int, Range]]:
    where = f"[items.other.{name}]"
    told = read(where, rules, keys_of("other_items", "range"))
    return [(number, _range(where, told)) for number in numbers(f"{where} items", told["items"], count)]
