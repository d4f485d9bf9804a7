"""The numbers of a shared question that may be shown. Small counts are hidden, and counts from which they follow.

One function, `hide`, makes every table of the safe file. PRIVACY.md explains the rules to readers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import polars as pl

from rapport.transforms.frames.signless_zeros import without_sign
from rapport.transforms.hiding.derivable import rounded
from rapport.transforms.hiding.shown_alone import shown_alone
from rapport.transforms.hiding.shown_together import shown_together
from rapport.warehouse.clinic_file.hiding import Profile, SharedRules
from rapport.warehouse.schema.questions import ALL, Disclosure

_EXACT = (pl.Date, pl.Datetime, pl.Time, pl.Binary, pl.Float64, pl.Float32)


def hide(
    rows: pl.DataFrame,
    disclosure: Disclosure,
    filters: Sequence[str],
    sharing: SharedRules,
    audiences: Mapping[str, Collection[str]],
    before: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the rows with only keys and numbers, null where hidden, and `is_hidden`. `audiences`: per filter the
    values with enough clients for figures of their own; the others have no rows, but count in 'All'. `before`: the last
    published rows. Nothing hidden may follow from both together."""
    _refuse_exact(rows, disclosure)
    if rows.is_empty():
        return rows.select(*disclosure.keys, *disclosure.numbers, pl.lit(True).alias("is_hidden"))
    told = rows
    for name in filters:
        told = told.filter(pl.col(name).is_in([ALL, *audiences.get(name, ())]))
    if disclosure.therapists:
        few = pl.len().over(disclosure.keys) < sharing.minimum_therapists
        told = told.filter(~few) if disclosure.keys else told
        is_shown = shown_alone(told, disclosure, sharing.profile)
    else:
        has_rest = {name for name in filters if not set(rows[name].unique()) <= {ALL, *audiences.get(name, ())}}
        told = _completed(told, disclosure, filters)
        is_shown = shown_together(told, disclosure, filters, sharing.profile, has_rest, before)
    shown = _written(told, disclosure, is_shown, sharing.profile)
    return shown.sort(pl.all()) if disclosure.therapists else _without_silent_rows(shown, disclosure, filters)


def _refuse_exact(rows: pl.DataFrame, disclosure: Disclosure) -> None:
    """Raise ValueError unless keys are words or whole numbers: a date or a pseudonym could identify a person."""
    for name in disclosure.keys:
        if rows.schema[name] in _EXACT or rows[name].null_count():
            raise ValueError(f"the key {name} is a date, an id or a number that is not whole, or is null in a row")


def _completed(rows: pl.DataFrame, disclosure: Disclosure, filters: Sequence[str]) -> pl.DataFrame:
    """Return a row for every combination of keys: a missing row would show that it has no clients."""
    along = [disclosure.along] if disclosure.along else []
    others = [name for name in disclosure.keys if name not in {*filters, *along}]
    grid = pl.DataFrame({"": [0]})
    for names in filter(None, (others, list(filters), along)):
        grid = grid.join(rows.select(names).unique(maintain_order=True), how="cross")
    made = grid.drop("").join(rows, on=list(disclosure.keys), how="left") if disclosure.keys else rows
    return made.with_columns(pl.col(pl.Int32, pl.Int64, pl.UInt32).fill_null(0))


def _written(
    rows: pl.DataFrame, disclosure: Disclosure, is_shown: Mapping[str, np.ndarray], profile: Profile
) -> pl.DataFrame:
    """Return keys and numbers, rounded or null."""
    steps = {name: (mean["range"][1] - mean["range"][0]) / 100 for name, mean in disclosure.means.items()}
    steps |= {name: estimate["step"] for name, estimate in disclosure.estimates.items()}
    steps |= {disclosure.curve["share"]: 0.01} if disclosure.curve else {}
    made = {
        name: pl.Series(rounded(rows[name].to_numpy(), profile), dtype=pl.Int32)
        for name in is_shown
        if name not in steps
    }
    made |= {name: (_whole(rows[name] / step, disclosure, name) * step).round(6) for name, step in steps.items()}
    kept = [
        pl.when(pl.Series(is_shown[name], dtype=pl.Boolean)).then(made[name]).alias(name) for name in disclosure.numbers
    ]
    is_hidden = pl.any_horizontal(
        pl.lit(False), *(~pl.Series(is_shown[name], dtype=pl.Boolean) for name in disclosure.numbers)
    )
    return without_sign(rows.select(*disclosure.keys, *kept, is_hidden.alias("is_hidden")))


def _whole(steps: pl.Series, disclosure: Disclosure, name: str) -> pl.Series:
    """Round to the nearest step. The ends of an interval are rounded outwards, so that every interval keeps a width."""
    match disclosure.estimates.get(name, {}).get("end"):
        case "low":
            return steps.floor()
        case "high":
            return steps.ceil()
    return steps.round()


def _without_silent_rows(shown: pl.DataFrame, disclosure: Disclosure, filters: Sequence[str]) -> pl.DataFrame:
    """Remove the rows of keys without any shown number under any filter: they would show only that the key occurs."""
    says = pl.any_horizontal(pl.lit(False), *(pl.col(name).is_not_null() for name in disclosure.numbers))
    others = [name for name in disclosure.keys if name not in filters]
    for names in filter(None, (others, *([name] for name in filters))):
        shown = shown.filter(says.any().over(names))
    return shown
