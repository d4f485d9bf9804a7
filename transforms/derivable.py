"""What can be worked out of hidden counts from those that are shown, and which of these to hide as well.

Counts add up: a total is the sum of its parts. Shown counts are rounded, so each says an interval; what the sums leave
of a hidden one is found by narrowing the intervals until nothing moves. Where the sums form trees, as they do when no
two filters are crossed, that is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.sharing import BASE, Profile

UNKNOWN = 1e9  # more than any count
FEWEST_LEFT = 3  # values that a hidden count may still have, seen from outside


@dataclass
class Cells:
    """Counts, which of them are shown, and their sums: `member` is one of the parts of total `parent[sum_of]`.

    A complement (what is left of a whole beside a part) is never shown: `face` is the part that it goes with.
    """

    value: np.ndarray
    is_shown: np.ndarray
    face: np.ndarray  # of a count that can be shown, itself
    parent: np.ndarray
    sum_of: np.ndarray
    member: np.ndarray
    has_rest: np.ndarray  # per sum: are there parts that are nowhere?


def rounded(value: np.ndarray, profile: Profile) -> np.ndarray:
    """To the nearest 5, and at least what the smallest shown counts are rounded to; nobody is nobody."""
    nearest = np.maximum((value + BASE // 2) // BASE * BASE, profile.lowest_shown)
    return np.where(value == 0, 0, nearest)


def intervals(cells: Cells, profile: Profile) -> tuple[np.ndarray, np.ndarray]:
    """What each count says by itself: shown, what is rounded to it; hidden, that it is few, if it is."""
    seen = rounded(cells.value, profile)
    low = np.where(seen <= profile.lowest_shown, profile.least, seen - BASE // 2)
    high_of_hidden = np.where(cells.value < profile.least, profile.least - 1, UNKNOWN)
    of_hidden = np.where(cells.is_shown[cells.face], profile.least, 0)  # a part is shown when its complement is not few
    low = np.where(cells.is_shown, np.where(seen == 0, 0, low), of_hidden)
    return low.astype(float), np.where(cells.is_shown, np.where(seen == 0, 0, seen + BASE // 2), high_of_hidden)


def narrowed(cells: Cells, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The intervals after every sum has been taken into account, until nothing moves."""
    low, high = low.copy(), high.copy()
    for _ in range(50):
        before = low.sum() - np.minimum(high, UNKNOWN).sum()
        lows, highs = _sums(cells, low), _sums(cells, high) + cells.has_rest * UNKNOWN
        np.maximum.at(low, cells.parent, lows)
        np.minimum.at(high, cells.parent, highs)
        least, most = _left_for(cells, low, high)
        np.maximum.at(low, cells.member, least)
        np.minimum.at(high, cells.member, most)
        if low.sum() - np.minimum(high, UNKNOWN).sum() == before:
            break
    return low, high


def hide_derivable(cells: Cells, profile: Profile) -> np.ndarray:
    """Which counts are shown once too much can be derived of none: beside a hidden one the smallest shown goes, and
    where there is none the total."""
    while True:
        low, high = narrowed(cells, *intervals(cells, profile))
        is_exposed = ~cells.is_shown[cells.face] & (cells.value < profile.least) & (high - low < FEWEST_LEFT - 1)
        least, most = _left_for(cells, low, high)
        by_sum = is_exposed[cells.member] & (
            np.minimum(most, profile.least - 1) - np.maximum(least, 0) < FEWEST_LEFT - 1
        )
        tight = np.unique(cells.sum_of[by_sum])
        gone = [cell for each in tight if (cell := _next_to_hide(cells, each)) is not None]
        if not gone:
            return cells.is_shown
        cells.is_shown[gone] = False


def _next_to_hide(cells: Cells, one_sum: int) -> int | None:
    members = cells.member[cells.sum_of == one_sum]
    shown = members[cells.is_shown[cells.face[members]]]
    if len(shown):
        return int(cells.face[shown[np.argmin(cells.value[shown])]])
    total = cells.face[cells.parent[one_sum]]
    return int(total) if cells.is_shown[total] else None


def _sums(cells: Cells, values: np.ndarray) -> np.ndarray:
    return np.bincount(cells.sum_of, weights=values[cells.member], minlength=len(cells.parent))


def _left_for(cells: Cells, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per member of a sum: what the total leaves for it."""
    others_high = (_sums(cells, high) + cells.has_rest * UNKNOWN)[cells.sum_of] - high[cells.member]
    others_low = _sums(cells, low)[cells.sum_of] - low[cells.member]
    total = cells.parent[cells.sum_of]
    return low[total] - others_high, high[total] - others_low
