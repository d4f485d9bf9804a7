"""Scales: which items, how they make a score, and what happens when an answer is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapport.warehouse.instruments.missing import Missing
from rapport.warehouse.instruments.provenance import LOCAL, Provenance

MOST_ITEMS = 500  # of an instrument or a scale: each item is a column of some frames


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


def numbers(key: str, written: Sequence[int], item_count: int) -> tuple[int, ...]:
    """Item numbers, each once and none that the instrument does not have."""
    if len(set(written)) != len(written) or not all(1 <= number <= item_count for number in written):
        raise ValueError(f"{key} must name items from 1 to {item_count}, each once")
    return tuple(written)
