"""Fast casts: at once, for a column of plain numbers or of times in one form.

casts gives the same values at many times the cost. A column with one other text goes through casts. Values never depend
on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from rapport.transforms.sources.canonical import casts
from rapport.transforms.sources.canonical.casts import Dialect

Value = pl.Expr | pl.Series
_SHAPE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?$"
_SECONDS, _MINUTES = 19, 16  # bytes of a time with seconds, and of one without
_DAY = timedelta(days=1)  # no zone is as far from UTC


@dataclass(frozen=True)
class Number:
    """A column's numbers; where there is text without a number (None: nowhere); where there is text."""

    value: Value
    unreadable: pl.Expr | None
    is_filled: Value


def number(rows: pl.DataFrame, column: str, dialect: Dialect) -> Number:
    """The numbers of a column, equal to those of casts.number, unreadable_number and text."""
    texts = rows[column].alias("written")  # a series too is asked for by its name, which may be a pattern
    value = texts.cast(pl.Float64, strict=False)
    if value.null_count() == texts.null_count() and value.is_finite().all() and not _has_null_word(value, dialect):
        return Number(value, None, texts.is_not_null())
    careful = casts.unreadable_number(column, dialect)
    return Number(casts.number(column, dialect), careful, casts.text(column, dialect).is_not_null())


def duration(rows: pl.DataFrame, column: str, dialect: Dialect, unit: int) -> Number:
    """Lengths of time in units of so many seconds: by `number`, and where that fails by casts.duration."""
    told = number(rows, column, dialect)
    if told.unreadable is None:
        return told
    value = pl.coalesce(told.value, casts.duration(column, dialect, unit))
    return Number(value, told.unreadable & value.is_null(), told.is_filled)


def _has_null_word(value: pl.Series, dialect: Dialect) -> bool:
    words = pl.Series(dialect.nulls, dtype=pl.String)
    as_numbers = pl.concat([words.cast(pl.Float64, strict=False), pl.Series(casts.numeric(dialect), dtype=pl.Float64)])
    return bool(as_numbers.len()) and value.is_in(as_numbers.drop_nulls().implode()).any()


@dataclass(frozen=True)
class Time:
    """A column's times: the instant, the wall clock in the source's zone, the local day (also of a date alone), the
    change of clocks, and whether every text was read.
    """

    at: Value
    local: Value
    day: Value
    change: Value
    is_read: bool


def time(rows: pl.DataFrame, column: str, dialect: Dialect) -> Time:
    """The times of a column, equal to those of casts.instant, wall, local_day and clock_change."""
    naive = _all_alike(rows.select(written=casts.text(column, dialect)).to_series())
    if naive is None:
        at, local, day = (cast(column, dialect) for cast in (casts.instant, casts.wall, casts.local_day))
        return Time(at, local, day, casts.clock_change(column, dialect), is_read=False)
    known, change = _at_and_change(naive, dialect.time_zone)
    return Time(known, naive, naive.dt.date(), change, is_read=True)


def _all_alike(texts: pl.Series) -> pl.Series | None:
    """Wall-clock times in one form, without an offset. None where a time has another form or does not exist, or where
    its instant may be outside the years 1 to 9999.
    """
    first = str(texts.first(ignore_nulls=True) or "0000-00-00 00:00")
    size = len(first)
    if size not in (_SECONDS, _MINUTES) or not (texts.str.len_bytes() == size).all():
        return None
    if not texts.str.contains(_SHAPE).all():
        return None
    written = f"%Y-%m-%d{first[10]}%H:%M" + (":%S" if size == _SECONDS else "")
    naive = texts.str.to_datetime(written, strict=False, time_unit="us")
    is_read = naive.null_count() == texts.null_count()
    return naive if is_read and naive.is_between(casts.FIRST + _DAY, casts.LAST - _DAY).all() else None


def _at_and_change(naive: pl.Series, zone: str) -> tuple[pl.Series, pl.Series]:
    """The instant and the change. Only times on a change of clocks are computed twice."""
    known = naive.dt.replace_time_zone(zone, ambiguous="null", non_existent="null").dt.convert_time_zone("UTC")
    change = pl.repeat(None, naive.len(), dtype=pl.String, eager=True)
    places = (known.is_null() & naive.is_not_null()).arg_true()
    if places.len():
        changed = pl.select(at=casts.utc(naive[places], zone), change=casts.change_of(naive[places], zone))
        known, change = known.scatter(places, changed["at"]), change.scatter(places, changed["change"])
    return known, change
