"""The numbers of a shared question that may be shown, judged with its totals and the last published numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import polars as pl

from rapport.transforms.hiding.derivable import Cells, after, hide_derivable, rounded
from rapport.transforms.hiding.shown_alone import shown_alone
from rapport.warehouse.clinic_file.hiding import Profile
from rapport.warehouse.schema.questions import ALL, Disclosure


def shown_together(
    rows: pl.DataFrame,
    disclosure: Disclosure,
    filters: Sequence[str],
    profile: Profile,
    has_rest: set[str],
    before: pl.DataFrame | None,
) -> dict[str, np.ndarray]:
    """Return which numbers may be shown so that no hidden number can be derived from them."""
    alone = shown_alone(rows, disclosure, profile)
    counted = [name for name in alone if name not in {*disclosure.means, *disclosure.estimates}]
    counted = [name for name in counted if not disclosure.curve or name != disclosure.curve["share"]]
    sums = _sums(rows, disclosure, filters)
    cells = _cells(rows, disclosure, counted, alone, sums, has_rest, profile)
    kept = hide_derivable(
        cells if before is None else after(cells, *_published(rows, disclosure, counted, before)), profile
    )
    found = alone | {name: kept[at * len(rows) :][: len(rows)] for at, name in enumerate(counted)}
    for each in (
        _alike(rows, [key for key in disclosure.keys if key != disclosure.shared_out]) if disclosure.shared_out else ()
    ):
        for count in disclosure.counts:
            found[count][each] = found[count][each].all()
    for name, part in disclosure.parts.items():
        found[name] = found[name] & found[part["of"]]
    for name, mean in {**disclosure.means, **disclosure.estimates}.items():
        found[name] = found[name] & found[mean["of"]] & _is_unlike_all(rows[mean["of"]].to_numpy(), sums, profile)
    if disclosure.curve:
        found[disclosure.curve["share"]] &= found[disclosure.curve["at_risk"]]
    return found


def _published(
    rows: pl.DataFrame, disclosure: Disclosure, counted: Sequence[str], before: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Return the last published value of each cell, and whether it was shown. A missing row counts as hidden."""
    told = rows.select(disclosure.keys).join(before.select(*disclosure.keys, *counted), on=disclosure.keys, how="left")
    seen = np.concatenate([*(told[name].fill_null(0).to_numpy() for name in counted), np.zeros(0)])
    is_shown = np.concatenate([*(told[name].is_not_null().to_numpy() for name in counted), np.zeros(0)])
    complements = np.zeros(len(rows) * len(disclosure.parts))
    return np.concatenate([seen, complements]).astype(np.int64), np.concatenate([is_shown, complements]).astype(bool)


def _alike(rows: pl.DataFrame, keys: Sequence[str]) -> list[list[int]]:
    """Return the row numbers of each group of rows with equal keys."""
    return rows.with_row_index().group_by(keys, maintain_order=True).agg("index")["index"].to_list()


def _sums(rows: pl.DataFrame, disclosure: Disclosure, filters: Sequence[str]) -> list[tuple[str, int, list[int]]]:
    """Return the sums: per filter, the rows of its values add up to the row of 'All'."""
    indexed, found = rows.with_row_index(), []
    for name in filters:
        others = [key for key in disclosure.keys if key != name]
        is_whole = pl.all_horizontal(pl.lit(True), *(pl.col(other) == ALL for other in filters if other != name))
        is_all = pl.col(name) == ALL
        grouped = indexed.filter(is_whole).group_by(others or pl.lit(0), maintain_order=True)
        made = grouped.agg(total=pl.col("index").filter(is_all), parts=pl.col("index").filter(~is_all))
        pairs = made.select("total", "parts").iter_rows()
        found += [(name, total[0], parts) for total, parts in pairs if total and parts]
    return found


def _cells(
    rows: pl.DataFrame,
    disclosure: Disclosure,
    counted: Sequence[str],
    alone: Mapping[str, np.ndarray],
    sums: list[tuple[str, int, list[int]]],
    has_rest: set[str],
    profile: Profile,
) -> Cells:
    """Return a cell for every count and for the complement of every part, with the sums between them."""
    size = len(rows)
    start = {name: at * size for at, name in enumerate([*counted, *(f"not {part}" for part in disclosure.parts)])}
    values = [rows[name].to_numpy() for name in counted]
    values += [(rows[part["of"]] - rows[name]).to_numpy() for name, part in disclosure.parts.items()]
    parts = {name: rows[name].to_numpy() for name in disclosure.parts}
    no_other = np.full(size, np.iinfo(np.int32).max)
    others = [values[len(counted) + list(parts).index(n)] if n in parts else no_other for n in counted]
    faces = [start[name] + np.arange(size) for name in (*counted, *disclosure.parts)]
    added = [
        (at + total, [at + each for each in parts], name in has_rest)
        for at, (name, total, parts) in product(start.values(), sums)
    ]
    for whole in {part["of"] for part in disclosure.parts.values()}:
        of_it = [name for name, part in disclosure.parts.items() if part["of"] == whole]
        beside = [(name, f"not {name}") for name in of_it] + ([tuple(of_it)] if disclosure.exhaustive else [])
        added += [
            (start[whole] + row, [start[n] + row for n in names], False) for names in beside for row in range(size)
        ]
    for name, part in disclosure.parts.items() if disclosure.shared_out else ():
        of_one = _alike(rows, [key for key in disclosure.keys if key != disclosure.shared_out])
        added += [(start[part["of"]] + each[0], [start[name] + row for row in each], False) for each in of_one]
    hidden = np.zeros(size * len(disclosure.parts), dtype=bool)
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
    """Return False where a mean is over nearly the same people as the mean of 'All': both together would show the mean
    of the few others."""
    found = np.ones(len(count), dtype=bool)
    for _, total, parts in sums:
        between = count[total] - count[parts]
        found[parts] = (between == 0) | (between >= profile.least)
    return found
