"""Hidden counts that can be derived from shown counts, and the shown counts to hide as well.

Counts add up: a total is the sum of its parts, and a count published a month ago is a part of the present count. Shown
counts are rounded, so each gives an interval. The sums narrow the interval of a hidden count, step by step, until no
interval changes. The result is exact where the sums form trees, that is, where no two filters are combined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rapport.warehouse.clinic_file.hiding import BASE, Profile

UNKNOWN = 1e9  # more than any count
FEWEST_LEFT = 3  # values that a hidden count may still have, seen from outside


@dataclass
class Cells:
    """Counts, the shown ones with their shown values, and their sums: `member` is a part of total `parent[sum_of]`.

    A complement (a whole minus a part) is never shown itself. `face`: the cell to hide so that less can be derived: the
    count itself, for a complement its part, for an earlier published count the same cell now.
    """

    value: np.ndarray  # the count; for an earlier published count its present value
    seen: np.ndarray  # the shown value, where it is shown
    is_shown: np.ndarray
    part: np.ndarray  # for a complement its part, else the cell itself
    other_value: np.ndarray  # for a part its complement, for a complement its part; readers see only that one is few
    face: np.ndarray
    parent: np.ndarray
    sum_of: np.ndarray
    member: np.ndarray
    has_rest: np.ndarray  # per sum: whether some parts are in no cell


def after(now: Cells, seen: np.ndarray, is_shown: np.ndarray) -> Cells:
    """Return tonight's cells together with the earlier published counts, which can no longer be hidden."""
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
    """Round counts to the nearest 5, and at least to the profile's lowest shown value. 0 stays 0.

    >>> from rapport.warehouse.clinic_file.hiding import PROFILES
    >>> [int(count) for count in rounded(np.array([0, 8, 12, 13]), PROFILES["opensafely"])]
    [0, 10, 10, 15]
    """
    nearest = np.maximum((value + BASE // 2) // BASE * BASE, profile.lowest_shown)
    return np.where(value == 0, 0, nearest)


def intervals(cells: Cells, profile: Profile, *, were_few: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of each count alone. Shown: all counts that round to it. Hidden: small, if it is small. With
    `were_few` an earlier hidden count is taken as small, even if the present count is not."""
    seen = cells.seen
    low = np.where(seen <= profile.lowest_shown, profile.least, seen - BASE // 2)
    is_few = (cells.value < profile.least) | (were_few & _is_before(cells))
    is_told = is_few & ~(cells.other_value < profile.least)
    high_of_hidden = np.where(is_told, profile.least - 1, UNKNOWN)
    of_hidden = np.where(cells.is_shown[cells.part], profile.least, 0)  # a shown part has no small complement
    low = np.where(cells.is_shown, np.where(seen == 0, 0, low), of_hidden)
    return low.astype(float), np.where(cells.is_shown, np.where(seen == 0, 0, seen + BASE // 2), high_of_hidden)


def narrowed(cells: Cells, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the intervals narrowed by every sum, repeatedly, until no interval changes."""
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
    """Return which counts are shown after hiding those from which a hidden count could be derived. In its sum the
    smallest shown count is hidden; where there is none, the total."""
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
    """Return which counts are hidden, may be small, and have too few possible values. A shown part has no small
    complement."""
    is_few = (cells.value < profile.least) | _is_before(cells)
    left = _left_of_few(low, high, profile)
    return np.asarray(~cells.is_shown & ~cells.is_shown[cells.part] & is_few & (left > 0) & (left < FEWEST_LEFT))


def _left_of_few(low: np.ndarray, high: np.ndarray, profile: Profile) -> np.ndarray:
    """Return how many numbers below the threshold lie within each interval."""
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
    """Return per member of a sum the interval that the total and the other members leave for it."""
    others_high = (_sums(cells, high) + cells.has_rest * UNKNOWN)[cells.sum_of] - high[cells.member]
    others_low = _sums(cells, low)[cells.sum_of] - low[cells.member]
    total = cells.parent[cells.sum_of]
    return low[total] - others_high, high[total] - others_low
