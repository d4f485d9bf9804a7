"""What a shared question may show of its numbers: small counts are hidden, and what they could be derived from.

One function, `hide`, for every table of the safe file. PRIVACY.md says the same to those who read it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import product
from typing import Protocol

import numpy as np
import polars as pl

from transforms.derivable import Cells, after, hide_derivable, rounded
from warehouse.sharing import Profile, Sharing

ALL = "All"
_EXACT = (pl.Date, pl.Datetime, pl.Time, pl.Binary, pl.Float64, pl.Float32)


class Contract(Protocol):
    """What a question says of its columns: dashboards/disclosures.py."""

    clients: str
    keys: tuple[str, ...]
    counts: tuple[str, ...]
    parts: Mapping[str, Mapping]
    means: Mapping[str, Mapping]
    estimates: Mapping[str, Mapping]
    curve: Mapping[str, str]
    along: str | None
    shared_out: str | None
    exhaustive: bool
    therapists: bool
    numbers: Sequence[str]


def hide(
    rows: pl.DataFrame,
    contract: Contract,
    filters: Sequence[str],
    sharing: Sharing,
    audiences: Mapping[str, Collection[str]],
    before: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The rows with keys and numbers alone, hidden ones null, and `is_hidden`. `audiences` has per filter the values
    with enough clients for figures of their own; the others have no rows, and are in 'All'. `before` is what was
    published last: the two together must not give anything away either."""
    _refuse_exact(rows, contract)
    if rows.is_empty():
        return rows.select(*contract.keys, *contract.numbers, pl.lit(True).alias("is_hidden"))
    told = rows
    for name in filters:
        told = told.filter(pl.col(name).is_in([ALL, *audiences.get(name, ())]))
    if contract.therapists:
        few = pl.len().over(contract.keys) < sharing.minimum_therapists
        told = told.filter(~few) if contract.keys else told
        is_shown = _shown_alone(told, contract, sharing.profile)
    else:
        has_rest = {name for name in filters if not set(rows[name].unique()) <= {ALL, *audiences.get(name, ())}}
        told = _completed(told, contract, filters)
        is_shown = _shown(told, contract, filters, sharing.profile, has_rest, before)
    shown = _written(told, contract, is_shown, sharing.profile)
    return shown.sort(pl.all()) if contract.therapists else _without_silent_rows(shown, contract, filters)


def _refuse_exact(rows: pl.DataFrame, contract: Contract) -> None:
    """Keys are words and whole numbers: a date or a pseudonym would single somebody out."""
    for name in contract.keys:
        if rows.schema[name] in _EXACT or rows[name].null_count():
            raise ValueError(f"the key {name} is a date, an id or a number that is not whole, or is null in a row")


def _completed(rows: pl.DataFrame, contract: Contract, filters: Sequence[str]) -> pl.DataFrame:
    """A row for every combination of what is told apart: one that is missing would say that nobody is in it."""
    along = [contract.along] if contract.along else []
    others = [name for name in contract.keys if name not in {*filters, *along}]
    grid = pl.DataFrame({"": [0]})
    for names in filter(None, (others, list(filters), along)):
        grid = grid.join(rows.select(names).unique(maintain_order=True), how="cross")
    made = grid.drop("").join(rows, on=list(contract.keys), how="left") if contract.keys else rows
    return made.with_columns(pl.col(pl.Int32, pl.Int64, pl.UInt32).fill_null(0))


def _shown_alone(rows: pl.DataFrame, contract: Contract, profile: Profile) -> dict[str, np.ndarray]:
    """Which numbers may be shown as far as their own row says."""
    least, clients = profile.least, pl.col(contract.clients)
    counted = [*contract.counts, *([contract.curve["at_risk"]] if contract.curve else [])]
    of = {name: _is_enough(pl.col(name), clients, profile) for name in counted}
    for name, part in contract.parts.items():
        count, rest = pl.col(name), pl.col(part["of"]) - pl.col(name)
        people = [pl.col(part[key]) for key in ("clients", "other_clients") if key in part]
        of[name] = of[part["of"]] & pl.all_horizontal(each >= least for each in (count, rest, *people))
    for name, mean in contract.means.items():
        of[name] = _is_many(pl.col(mean["of"]), clients, profile) & _is_away_from_ends(name, mean)
    for name, estimate in contract.estimates.items():
        of[name] = _is_many(pl.col(estimate["of"]), clients, profile) & pl.col(name).is_not_null()
    made = rows.select(is_so.fill_null(False).alias(name) for name, is_so in of.items())
    found = {name: made[name].to_numpy().copy() for name in of}
    if contract.curve:
        found[contract.curve["share"]] = _steps_shown(rows, contract, profile)
    return found


def _is_enough(count: pl.Expr, clients: pl.Expr, profile: Profile) -> pl.Expr:
    is_enough = (count >= profile.least) & (clients >= profile.least)
    return is_enough | (count == 0) if profile.shows_zero else is_enough


def _is_many(count: pl.Expr, clients: pl.Expr, profile: Profile) -> pl.Expr:
    return (count >= 2 * profile.least) & (clients >= 2 * profile.least)


def _is_away_from_ends(name: str, mean: Mapping) -> pl.Expr:
    """Where nearly everybody is at an end of the scale, the mean says so of each."""
    low, high = mean["range"]
    distance = pl.min_horizontal(pl.col(name) - low, high - pl.col(name))
    return pl.col(mean["of"]) * distance >= high - low


def _steps_shown(rows: pl.DataFrame, contract: Contract, profile: Profile) -> np.ndarray:
    """A step is shown once enough have dropped out since the last that was: one after the other, so in a loop."""
    curve = contract.curve
    others = [name for name in contract.keys if name != contract.along]
    told = rows.with_row_index().sort([*others, contract.along])
    is_shown, place, since = np.zeros(len(rows), dtype=bool), None, 0
    for row in told.select(
        "index", (pl.struct(others) if others else pl.lit(0)).alias("of"), curve["events"], curve["at_risk"]
    ).iter_rows():
        index, of, events, at_risk = row
        since = events + (since if of == place else 0)
        place = of
        if since >= profile.least and at_risk - events >= profile.least:
            is_shown[index], since = at_risk >= 2 * profile.least, 0
    return is_shown


def _shown(
    rows: pl.DataFrame,
    contract: Contract,
    filters: Sequence[str],
    profile: Profile,
    has_rest: set[str],
    before: pl.DataFrame | None,
) -> dict[str, np.ndarray]:
    """Which numbers are shown once nothing can be derived from them either."""
    alone = _shown_alone(rows, contract, profile)
    counted = [name for name in alone if name not in {*contract.means, *contract.estimates}]
    counted = [name for name in counted if not contract.curve or name != contract.curve["share"]]
    sums = _sums(rows, contract, filters)
    cells = _cells(rows, contract, counted, alone, sums, has_rest, profile)
    kept = hide_derivable(
        cells if before is None else after(cells, *_published(rows, contract, counted, before)), profile
    )
    found = alone | {name: kept[at * len(rows) :][: len(rows)] for at, name in enumerate(counted)}
    for each in (
        _alike(rows, [key for key in contract.keys if key != contract.shared_out]) if contract.shared_out else ()
    ):
        for count in contract.counts:
            found[count][each] = found[count][each].all()
    for name, part in contract.parts.items():
        found[name] = found[name] & found[part["of"]]
    for name, mean in (contract.means | contract.estimates).items():
        found[name] = found[name] & found[mean["of"]] & _is_unlike_all(rows[mean["of"]].to_numpy(), sums, profile)
    if contract.curve:
        found[contract.curve["share"]] &= found[contract.curve["at_risk"]]
    return found


def _published(
    rows: pl.DataFrame, contract: Contract, counted: Sequence[str], before: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """What was published of each cell, and whether it was shown; a row that was not there was hidden."""
    told = rows.select(contract.keys).join(before.select(*contract.keys, *counted), on=contract.keys, how="left")
    seen = np.concatenate([*(told[name].fill_null(0).to_numpy() for name in counted), np.zeros(0)])
    is_shown = np.concatenate([*(told[name].is_not_null().to_numpy() for name in counted), np.zeros(0)])
    complements = np.zeros(len(rows) * len(contract.parts))
    return np.concatenate([seen, complements]).astype(np.int64), np.concatenate([is_shown, complements]).astype(bool)


def _alike(rows: pl.DataFrame, keys: Sequence[str]) -> list[list[int]]:
    """The places of rows that are alike in keys."""
    return rows.with_row_index().group_by(keys, maintain_order=True).agg("index")["index"].to_list()


def _sums(rows: pl.DataFrame, contract: Contract, filters: Sequence[str]) -> list[tuple[str, int, list[int]]]:
    """Which rows add up to which: per filter, those of its values to that of 'All'."""
    indexed, found = rows.with_row_index(), []
    for name in filters:
        others = [key for key in contract.keys if key != name]
        is_whole = pl.all_horizontal(pl.lit(True), *(pl.col(other) == ALL for other in filters if other != name))
        is_all = pl.col(name) == ALL
        grouped = indexed.filter(is_whole).group_by(others or pl.lit(0), maintain_order=True)
        made = grouped.agg(total=pl.col("index").filter(is_all), parts=pl.col("index").filter(~is_all))
        pairs = made.select("total", "parts").iter_rows()
        found += [(name, total[0], parts) for total, parts in pairs if total and parts]
    return found


def _cells(
    rows: pl.DataFrame,
    contract: Contract,
    counted: Sequence[str],
    alone: Mapping[str, np.ndarray],
    sums: list[tuple[str, int, list[int]]],
    has_rest: set[str],
    profile: Profile,
) -> Cells:
    """Every count, and the complement of every part, with all sums between them."""
    size = len(rows)
    start = {name: at * size for at, name in enumerate([*counted, *(f"not {part}" for part in contract.parts)])}
    values = [rows[name].to_numpy() for name in counted]
    values += [(rows[part["of"]] - rows[name]).to_numpy() for name, part in contract.parts.items()]
    parts = {name: rows[name].to_numpy() for name in contract.parts}
    no_other = np.full(size, np.iinfo(np.int32).max)
    others = [values[len(counted) + list(parts).index(n)] if n in parts else no_other for n in counted]
    faces = [start[name] + np.arange(size) for name in (*counted, *contract.parts)]
    added = [
        (at + total, [at + each for each in parts], name in has_rest)
        for at, (name, total, parts) in product(start.values(), sums)
    ]
    for whole in {part["of"] for part in contract.parts.values()}:
        of_it = [name for name, part in contract.parts.items() if part["of"] == whole]
        beside = [(name, f"not {name}") for name in of_it] + ([tuple(of_it)] if contract.exhaustive else [])
        added += [
            (start[whole] + row, [start[n] + row for n in names], False) for names in beside for row in range(size)
        ]
    for name, part in contract.parts.items() if contract.shared_out else ():
        of_one = _alike(rows, [key for key in contract.keys if key != contract.shared_out])
        added += [(start[part["of"]] + each[0], [start[name] + row for row in each], False) for each in of_one]
    hidden = np.zeros(size * len(contract.parts), dtype=bool)
    value = np.concatenate([*values, np.zeros(0)]).astype(np.int64)
    return Cells(
        value=value,
        seen=rounded(value, profile),
        part=np.concatenate([*faces, np.zeros(0)]).astype(np.int64),
        other_value=np.concatenate([*others, *parts.values(), np.zeros(0)]).astype(np.int64),
        is_shown=np.concatenate([*(alone[name] for name in counted), hidden]).astype(bool),
        face=np.concatenate([*faces, np.zeros(0)]).astype(np.int64),
        parent=np.array([total for total, _, _ in added], dtype=np.int64),
        sum_of=np.array([at for at, (_, parts, _) in enumerate(added) for _ in parts], dtype=np.int64),
        member=np.array([part for _, parts, _ in added for part in parts], dtype=np.int64),
        has_rest=np.array([rest for _, _, rest in added], dtype=float),
    )


def _is_unlike_all(count: np.ndarray, sums: list[tuple[str, int, list[int]]], profile: Profile) -> np.ndarray:
    """False where a mean is of nearly all whom the mean of 'All' is of: the two would tell of the few between them."""
    found = np.ones(len(count), dtype=bool)
    for _, total, parts in sums:
        between = count[total] - count[parts]
        found[parts] = (between == 0) | (between >= profile.least)
    return found


def _written(
    rows: pl.DataFrame, contract: Contract, is_shown: Mapping[str, np.ndarray], profile: Profile
) -> pl.DataFrame:
    """Keys and numbers: rounded, or null."""
    steps = {name: (mean["range"][1] - mean["range"][0]) / 100 for name, mean in contract.means.items()}
    steps |= {name: estimate["step"] for name, estimate in contract.estimates.items()}
    steps |= {contract.curve["share"]: 0.01} if contract.curve else {}
    made = {
        name: pl.Series(rounded(rows[name].to_numpy(), profile), dtype=pl.Int32)
        for name in is_shown
        if name not in steps
    }
    made |= {name: ((rows[name] / step).round() * step).round(6) for name, step in steps.items()}
    kept = [
        pl.when(pl.Series(is_shown[name], dtype=pl.Boolean)).then(made[name]).alias(name) for name in contract.numbers
    ]
    is_hidden = pl.any_horizontal(
        pl.lit(False), *(~pl.Series(is_shown[name], dtype=pl.Boolean) for name in contract.numbers)
    )
    return rows.select(*contract.keys, *kept, is_hidden.alias("is_hidden"))


def _without_silent_rows(shown: pl.DataFrame, contract: Contract, filters: Sequence[str]) -> pl.DataFrame:
    """Without what nothing is shown of, under any filter: that it occurs would be all that its rows say."""
    says = pl.any_horizontal(pl.lit(False), *(pl.col(name).is_not_null() for name in contract.numbers))
    others = [name for name in contract.keys if name not in filters]
    for names in filter(None, (others, *([name] for name in filters))):
        shown = shown.filter(says.any().over(names))
    return shown
