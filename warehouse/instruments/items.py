"""Items: how many, what can be answered, and which count from the other end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rapport.warehouse.instruments.provenance import LOCAL, ORIGIN_KEYS, Provenance, provenance
from rapport.warehouse.instruments.scales import MOST_ITEMS, numbers
from rapport.warehouse.toml_keys import known

LEAST_STEP = 0.0001  # answers are shown with four decimals
_RANGE_KEYS = {"minimum": "answer", "maximum": "answer", "step": "answer"}
_KEYS = {
    "count": "count",
    "reversed": "integers",
    "optional": "integers",
    "never": "answers",
    "skipped": "section",
    "other": "section",
}
_OTHER_KEYS = {"items": "integers"} | _RANGE_KEYS


@dataclass(frozen=True)
class Range:
    """What can be answered."""

    minimum: float
    maximum: float
    step: float


@dataclass(frozen=True)
class Items:
    """The items of an instrument; none where nobody has published how many there are."""

    count: int = 0
    usual: Range | None = None
    reversed: tuple[int, ...] = ()
    optional: tuple[int, ...] = ()  # not needed for a complete response: a second goal, the work of someone retired
    never: tuple[float, ...] = ()  # within the range and not on the form
    skipped: tuple[tuple[int, int], ...] = ()  # not asked, and the lowest, where the item beside it is the lowest
    other: tuple[tuple[int, Range], ...] = ()  # items with a range of their own
    origin: Provenance = LOCAL


def read_items(facts: Mapping, default: Provenance) -> Items:
    known("[items]", facts, _KEYS | _RANGE_KEYS | ORIGIN_KEYS, needed=("count", *_RANGE_KEYS))
    count = facts["count"]
    if count > MOST_ITEMS:
        raise ValueError(f"[items] count = {count} is more than {MOST_ITEMS} items")
    other = facts.get("other", {})
    known("[items.other]", other, dict.fromkeys(other, "section"))
    return Items(
        count=count,
        usual=_range("[items]", facts),
        reversed=numbers("[items] reversed", facts.get("reversed", []), count),
        optional=numbers("[items] optional", facts.get("optional", []), count),
        never=tuple(facts.get("never", ())),
        skipped=_skipped(facts.get("skipped", {}), count),
        other=tuple(pair for name, rules in other.items() for pair in _others(name, rules, count)),
        origin=provenance("[items]", facts, default),
    )


def _range(where: str, facts: Mapping) -> Range:
    if not facts["minimum"] < facts["maximum"]:
        raise ValueError(f"{where} minimum must be below maximum")
    if not facts["step"] >= LEAST_STEP:
        raise ValueError(f"{where} step must be above 0, at least {LEAST_STEP}")
    return Range(facts["minimum"], facts["maximum"], facts["step"])


def _skipped(facts: Mapping, count: int) -> tuple[tuple[int, int], ...]:
    """Written `3 = 2`: item 3 is not asked where item 2 has the lowest answer."""
    known("[items.skipped]", facts, dict.fromkeys(facts, "integer"))
    if not all(re.fullmatch("[0-9]{1,3}", key) for key in facts):
        raise ValueError("[items.skipped] must name items by their numbers, such as 3 = 2")
    items = numbers("[items.skipped]", [int(key) for key in facts], count)
    after = [numbers("[items.skipped]", [number], count)[0] for number in facts.values()]
    return tuple(zip(items, after, strict=True))


def _others(name: str, rules: Mapping, count: int) -> list[tuple[int, Range]]:
    where = f"[items.other.{name}]"
    known(where, rules, _OTHER_KEYS, needed=_OTHER_KEYS)
    return [(number, _range(where, rules)) for number in numbers(f"{where} items", rules["items"], count)]
