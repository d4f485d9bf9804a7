"""What can be worked out of hidden counts from those that are shown, and which of these to hide as well.

Counts add up: a total is the sum of its parts, and what was published a month before is a part of what is so now. Shown
counts are rounded, so each says an interval; what the sums leave of a hidden one is found by narrowing the intervals
until nothing moves. Where the sums form trees, as they do when no two filters are crossed, that is exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rapport.warehouse.clinic_file.hiding import BASE, Profile

UNKNOWN = 1e9  # more than any count
FEWEST_LEFT = 3  # values that a hidden count may still have, seen from outside


@dataclass
class Cells:
    """Counts, which of them are shown and as what, and their sums: `member` is a part of total `parent[sum_of]`.

    A complement (what is left of a whole beside a part) is never shown itself. `face` is what to hide so that a cell
    says less: of a count itself, of a complement its part, of what was published before the same cell now.
    """

    value: np.ndarray  # of what was published before, what it has become
    seen: np.ndarray  # as it is shown, if it is
    is_shown: np.ndarray
    part: np.ndarray  # of a complement the part beside it, else itself
    other_value: np.ndarray  # of a part its complement, of a complement its part: that either is few is all one sees
    face: np.ndarray
    parent: np.ndarray
    sum_of: np.ndarray
    member: np.ndarray
    has_rest: np.ndarray  # per sum: are there parts that are nowhere?


def after(now: Cells, seen: np.ndarray, is_shown: np.ndarray) -> Cells:
    """The cells of tonight together with what was published of them before, which can be hidden no more."""
    size, sums = len(now.value), len(now.parent)
    here = np.arange(size)
    return replace(
        now,
        value=np.tile(now.value, 2),
        seen=np.concatenate([now.seen, seen]),
        is_shown=np.concatenate([now.is_shown, is_shown]),
        part=np.concatenate([now.part, now.part + size]),
        other_value=np.tile(now.other_value, 2),
        face=np.tile(now.face, 2),
        parent=np.concatenate([now.parent, now.parent + size, here]),
        sum_of=np.concatenate([now.sum_of, now.sum_of + sums, here + 2 * sums]),
        member=np.concatenate([now.member, now.member + size, here + size]),
        has_rest=np.concatenate([np.tile(now.has_rest, 2), np.ones(size)]),
    )


def rounded(value: np.ndarray, profile: Profile) -> np.ndarray:
    """To the nearest 5, and at least what the smallest shown counts are rounded to; nobody is nobody.

    >>> from rapport.warehouse.clinic_file.hiding import PROFILES
    >>> [int(count) for count in rounded(np.array([0, 8, 12, 13]), PROFILES["opensafely"])]
    [0, 10, 10, 15]
    """
    nearest = np.maximum((value + BASE // 2) // BASE * BASE, profile.lowest_shown)
    return np.where(value == 0, 0, nearest)


def intervals(cells: Cells, profile: Profile, *, were_few: bool) -> tuple[np.ndarray, np.ndarray]:
    """What each count says by itself: shown, what is rounded to it; hidden, that it is few, if it is. What was hidden
    before may have been few although it no longer is: `were_few` takes it so."""
    seen = cells.seen
    low = np.where(seen <= profile.lowest_shown, profile.least, seen - BASE // 2)
    is_few = (cells.value < profile.least) | (were_few & _is_before(cells))
    is_told = is_few & ~(cells.other_value < profile.least)
    high_of_hidden = np.where(is_told, profile.least - 1, UNKNOWN)
    of_hidden = np.where(cells.is_shown[cells.part], profile.least, 0)  # a part is shown when its complement is not few
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
    while gone := {cell for way in (False, True) for cell in _to_hide(cells, profile, were_few=way)}:
        cells.is_shown[list(gone)] = False
    return cells.is_shown


def _to_hide(cells: Cells, profile: Profile, *, were_few: bool) -> set[int]:
    low, high = narrowed(cells, *intervals(cells, profile, were_few=were_few))
    is_exposed = _is_exposed(cells, low, high, profile)
    least, most = _left_for(cells, low, high)
    by_sum = is_exposed[cells.member] & (_left_of_few(least, most, profile) < FEWEST_LEFT)
    others = np.setdiff1d(np.flatnonzero(is_exposed), cells.member[by_sum])
    is_around = np.isin(cells.member, others) | np.isin(cells.parent[cells.sum_of], others)
    found = (_next_to_hide(cells, each) for each in np.unique(cells.sum_of[by_sum | is_around]))
    return {cell for cell in found if cell is not None}


def _is_before(cells: Cells) -> np.ndarray:
    return np.asarray(cells.face != cells.part)


def _is_exposed(cells: Cells, low: np.ndarray, high: np.ndarray, profile: Profile) -> np.ndarray:
    """Hidden, few for all that is known, and with too few values left. A part that is shown has no few complement."""
    is_few = (cells.value < profile.least) | _is_before(cells)
    left = _left_of_few(low, high, profile)
    return np.asarray(~cells.is_shown & ~cells.is_shown[cells.part] & is_few & (left > 0) & (left < FEWEST_LEFT))


def _left_of_few(low: np.ndarray, high: np.ndarray, profile: Profile) -> np.ndarray:
    """How many numbers below the threshold are left between two ends."""
    return np.asarray(np.minimum(high, profile.least - 1) - np.maximum(low, 0) + 1)


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
