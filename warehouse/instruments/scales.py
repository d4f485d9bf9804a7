"""Scales: their items, their kind of score, and the rule for missing answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapport.warehouse.instruments.missing import Missing
from rapport.warehouse.instruments.provenance import LOCAL, Provenance

MOST_ITEMS = 500  # the limit of an instrument or a scale: some frames have a column per item


@dataclass(frozen=True)
class Scale:
    """A scale. Its score comes from items or from other scales (`adds`, `subtracts`), or its key was not found."""

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
    """The defaults at the top of a file, for every scale without its own value."""

    item_count: int
    direction: str
    missing: Missing | None
    origin: Provenance


def numbers(key: str, written: Sequence[int], item_count: int) -> tuple[int, ...]:
    """Return item numbers. Raises ValueError for one that is repeated, or that the instrument does not have."""
    if len(set(written)) != len(written) or not all(1 <= number <= item_count for number in written):
        raise ValueError(f"{key} must name items from 1 to {item_count}, each once")
    return tuple(written)
