"""An attacker on means: a mean times its count is a sum, and the difference of two sums may be one person's value.

Wherever two publications, or a total and its parts, differ in truth by one person, the attacker is told so: more than
anybody would know. `least_open` is the shortest interval, as a share of the scale's range, that such a person's value
is left with, or anybody's where all are near an end of the scale.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from rapport.dashboards.questions import Question
from rapport.warehouse.clinic_file.hiding import Profile
from rapport.warehouse.schema.questions import ALL
from tests.attacks.attacker import Publication


@dataclass(frozen=True)
class Mean:
    """A count and a mean as they stand in a row, and how many there are in truth."""

    count: int | None
    mean: float | None
    true: int


def least_open(asked: Question, publications: Sequence[Publication], profile: Profile, is_exact: bool = False) -> float:
    """How far the value of the one person who is known best remains open, from 0 to 1."""
    found = [1.0]
    for name, mean in asked.disclosure.means.items():
        low, high = mean["range"]
        tables = [_table(each, asked.disclosure.keys, name, mean["of"]) for each in publications]
        for more, less in (*_within(asked, tables), *_between(tables)):
            found.append(_open(more, less, (low, high), profile, is_exact) / (high - low))
    return min(found)


def _table(each: Publication, keys: Sequence[str], name: str, of: str) -> dict[tuple, Mean]:
    true = {tuple(row[key] for key in keys): row[of] for row in each.truth.iter_rows(named=True)}
    rows = {tuple(row[key] for key in keys): row for row in each.shown.iter_rows(named=True)}
    return {place: Mean(row[of], row[name], true.get(place, 0)) for place, row in rows.items()}


def _within(asked: Question, tables: Sequence[dict[tuple, Mean]]) -> Iterable[tuple[Mean, list[Mean]]]:
    filters = [asked.disclosure.keys.index(name) for name in asked.filters]
    for table in tables:
        for place, whole in table.items():
            yield whole, []
            for here in (at for at in filters if place[at] == ALL):
                parts = [
                    each for p, each in table.items() if p[here] != ALL and (*p[:here], ALL, *p[here + 1 :]) == place
                ]
                yield whole, [part for part in parts if part.mean is not None]


def _between(tables: Sequence[dict[tuple, Mean]]) -> Iterable[tuple[Mean, list[Mean]]]:
    first, last = tables[0], tables[-1]
    for place in first.keys() & last.keys() if len(tables) > 1 else ():
        yield last[place], [first[place]]
        yield first[place], [last[place]]


def _open(more: Mean, less: list[Mean], ends: tuple[float, float], profile: Profile, is_exact: bool) -> float:
    """How long the interval is for the one person in `more` who is in none of `less`; or, of `more` alone, for any."""
    whole_range = ends[1] - ends[0]
    if any(each.mean is None for each in (more, *less)) or (less and more.true - sum(each.true for each in less) != 1):
        return whole_range
    reached = []
    for whole, *parts in product(*(_counts(each.count, profile, is_exact) for each in (more, *less))):
        if less and whole - sum(parts) != 1:
            continue
        low, high = _sum(whole, more.mean, ends, is_exact)
        sums = [_sum(count, each.mean, ends, is_exact) for count, each in zip(parts, less, strict=True)]
        others = sums if less else [((whole - 1) * ends[0], (whole - 1) * ends[1])]
        reached.append((low - sum(top for _, top in others), high - sum(bottom for bottom, _ in others)))
    low, high = min(low for low, _ in reached), max(high for _, high in reached)
    return min(high, ends[1]) - max(low, ends[0])


def _counts(shown: int, profile: Profile, is_exact: bool) -> range:
    if is_exact:
        return range(shown, shown + 1)
    return range(profile.least if shown == profile.lowest_shown else shown - 2, shown + 3)


def _sum(count: int, mean: float, ends: tuple[float, float], is_exact: bool) -> tuple[float, float]:
    half = (ends[1] - ends[0]) / (2000 if is_exact else 200)  # a tenth or a whole percent
    return count * max(mean - half, ends[0]), count * min(mean + half, ends[1])
