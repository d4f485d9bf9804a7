"""Times that no record of a clinic can have: 1926 in place of 2026, 1970 in place of none, 2062 in place of 2026."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.warehouse.schema.records import OUT_OF_TIME, held_by


def out_of_time(values: Mapping[str, pl.Expr | pl.Series], tallies: Tallies) -> dict[str, pl.Expr | None]:
    """By column, the rule that holds a record: its time is too long before its export, or too long after it."""
    return {held_by(OUT_OF_TIME, column): _is_out(value, tallies) for column, value in values.items()}


def _is_out(value: pl.Expr | pl.Series, tallies: Tallies) -> pl.Expr | None:
    """None where no value is out."""
    first, last = _years_on(tallies.known_at, -tallies.years_back), _years_on(tallies.known_at, tallies.years_ahead)
    if isinstance(value, pl.Series):
        ends = (first.date(), last.date()) if value.dtype == pl.Date else (first, last)
        fits = value.is_between(*ends)
        return None if fits.all() else pl.lit(~fits)
    at = value.cast(pl.Datetime("us", "UTC"))
    return ~at.is_between(first, last)


def _years_on(at: datetime, years: int) -> datetime:
    """The same time of another year; 28 February for 29."""
    year = min(max(at.year + years, 1), 9998)
    return at.replace(year=year, day=28 if (at.month, at.day) == (2, 29) else at.day)
