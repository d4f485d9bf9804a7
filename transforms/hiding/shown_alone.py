"""The numbers of a shared question that may be shown, judged by their own row alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from rapport.warehouse.clinic_file.hiding import Profile
from rapport.warehouse.schema.questions import Disclosure


def shown_alone(rows: pl.DataFrame, disclosure: Disclosure, profile: Profile) -> dict[str, np.ndarray]:
    """Return which numbers may be shown, judged by their own row alone."""
    least, clients = profile.least, pl.col(disclosure.clients)
    counted = [*disclosure.counts, *([disclosure.curve["at_risk"]] if disclosure.curve else [])]
    of = {name: _is_enough(pl.col(name), clients, profile) for name in counted}
    for name, part in disclosure.parts.items():
        count, rest = pl.col(name), pl.col(part["of"]) - pl.col(name)
        people = [pl.col(part[key]) for key in ("clients", "other_clients") if key in part]
        of[name] = of[part["of"]] & pl.all_horizontal(each >= least for each in (count, rest, *people))
    for name, mean in disclosure.means.items():
        of[name] = _is_many(pl.col(mean["of"]), clients, profile) & _is_away_from_ends(name, mean)
    for name, estimate in disclosure.estimates.items():
        of[name] = _is_many(pl.col(estimate["of"]), clients, profile) & pl.col(name).is_not_null()
    made = rows.select(is_so.fill_null(False).alias(name) for name, is_so in of.items())
    found = {name: made[name].to_numpy().copy() for name in of}
    if disclosure.curve:
        found[disclosure.curve["share"]] = _steps_shown(rows, disclosure, profile)
    return found


def _is_enough(count: pl.Expr, clients: pl.Expr, profile: Profile) -> pl.Expr:
    is_enough = (count >= profile.least) & (clients >= profile.least)
    return is_enough | (count == 0) if profile.shows_zero else is_enough


def _is_many(count: pl.Expr, clients: pl.Expr, profile: Profile) -> pl.Expr:
    return (count >= 2 * profile.least) & (clients >= 2 * profile.least)


def _is_away_from_ends(name: str, mean: Mapping[str, Any]) -> pl.Expr:
    """Return whether a mean is away from the ends of its scale. At an end it shows the value of nearly every person."""
    low, high = mean["range"]
    distance = pl.min_horizontal(pl.col(name) - low, high - pl.col(name))
    is_away: pl.Expr = pl.col(mean["of"]) * distance >= high - low
    return is_away


def _steps_shown(rows: pl.DataFrame, disclosure: Disclosure, profile: Profile) -> np.ndarray:
    """Return which steps of a curve are shown: a step with enough dropouts since the last shown step. Each step depends
    on the one before, so this is a loop."""
    curve = disclosure.curve
    others = [name for name in disclosure.keys if name != disclosure.along]
    told = rows.with_row_index().sort([*others, disclosure.along])
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
