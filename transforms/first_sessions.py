"""The first session of a group of rated sessions, without putting all of them in order."""

from __future__ import annotations

import polars as pl

_BEYOND = 1 << 20  # any session number


def unnumbered_first(rated: pl.LazyFrame, number: str) -> pl.LazyFrame:
    """Rated sessions without a number, in the order of their ids, before those with one, in any order."""
    is_numbered = pl.col(number).is_not_null()
    return pl.concat([rated.filter(~is_numbered).sort("session_id"), rated.filter(is_numbered)])


def first_session(number: str) -> pl.Expr:
    """A group's session of the first day; of that day's the lowest number, and before it one without a number (of
    several the first by id). Of rated sessions with the `unnumbered_first`; a number stands once in a group."""
    day = pl.col("session_date").to_physical().cast(pl.Int64)
    return pl.col("session_id").min_by(day * _BEYOND + pl.col(number).fill_null(0))
