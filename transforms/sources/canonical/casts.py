"""Text to values, with the source's own null words. A text that cannot be read becomes null and is named. Nothing is
guessed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import polars as pl

from rapport.transforms.sources.opening.shape import COUNT, LOST, MARK, NUMBER, RECORD, cell
from rapport.warehouse.clinic_file.forms import Words
from rapport.warehouse.clinic_file.identifiers import PLAIN, Writing

SECOND, MINUTE, HOUR = 1, 60, 3600  # in seconds
UNKNOWN = "unknown"  # stands for a word that no vocabulary has; the word itself goes no further
# Python, and with it every reader of the published file, has the years 1 to 9999, in UTC and on the local clock.
FIRST, LAST = datetime.min, datetime.max
FIRST_UTC, LAST_UTC = FIRST.replace(tzinfo=UTC), LAST.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Dialect:
    """How one source writes its values."""

    time_zone: str
    nulls: tuple[str, ...] = ()
    decimal: str = "."
    writing: Writing = PLAIN  # of its clients' numbers
    has_local_references: bool = False  # `#p` is a part of the document that it stands in


def text(column: str, dialect: Dialect) -> pl.Expr:
    """Stripped text; blank and null words are null. The strip also takes the blank that guards a spreadsheet."""
    stripped = cell(column).str.strip_chars()
    return pl.when(~stripped.is_in(["", *dialect.nulls])).then(stripped)


def code(column: str, dialect: Dialect) -> pl.Expr:
    """A word of a vocabulary, as text. A null word that is a number (9 for answers) may be a code."""
    return text(column, replace(dialect, nulls=tuple(words(dialect))))


def words(dialect: Dialect) -> list[str]:
    """The null words of ids, without numbers. A number as null word (7 = refused, -999) is about answers: client 7
    stays.
    """
    return [word for word in dialect.nulls if not _is_number(word)]


def number(column: str, dialect: Dialect) -> pl.Expr:
    """A decimal number. A null word that is a number is compared as a number: 7 is also '7.0'."""
    finite = _finite(column, dialect)
    words = numeric(dialect)
    return pl.when(~finite.is_in(words)).then(finite) if words else finite


def numeric(dialect: Dialect) -> list[float]:
    """The null words that are numbers."""
    return [float(word) for word in dialect.nulls if _is_number(word)]


def _finite(column: str, dialect: Dialect) -> pl.Expr:
    stripped = text(column, dialect)
    if dialect.decimal == ",":
        stripped = stripped.str.replace(",", ".", literal=True)
    value = stripped.cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def unreadable_number(column: str, dialect: Dialect) -> pl.Expr:
    """True where there is text that is neither a number nor a null word."""
    return text(column, dialect).is_not_null() & _finite(column, dialect).is_null()


# 1h 30m, 53 mins, 1.5 hours, PT50M; and 0:50 or 0:50:00 as a spreadsheet shows it.
_NUMBER = r"([0-9]{1,6}(?:[.,][0-9]{1,3})?)"
_WORDED = (
    rf"^(?:pt)?(?:{_NUMBER}\s*(?:h|hrs?|hours?|std|stunden?)\.?)?(?:\s|,|and|und)*"
    rf"(?:{_NUMBER}\s*(?:m|mins?|minutes?|minuten?|')\.?)?(?:\s|,|and|und)*"
    rf"(?:{_NUMBER}\s*(?:s|secs?|seconds?|sek|sekunden?)\.?)?$"
)
_HALF_WORDED = r"(h\s?[0-9]{1,2})$"  # 1h30
_CLOCKED = r"^([0-9]{1,3}):([0-5][0-9])(?::([0-5][0-9]))?$"


def duration(column: str, dialect: Dialect, unit: int) -> pl.Expr:
    """A length of time, written with its units or as a clock shows it; in units of so many seconds.

    0:50 is hours and minutes. Where seconds are wanted it may also be minutes and seconds, so it is not read.
    """
    written = text(column, dialect).str.to_lowercase().str.replace(_HALF_WORDED, "${1}m")
    worded, clocked = written.str.extract_groups(_WORDED), written.str.extract_groups(_CLOCKED)
    if unit == SECOND:
        clocked = pl.when(clocked.struct["3"].is_not_null()).then(clocked)
    has_unit = written.str.contains("[a-z']")
    return pl.coalesce(pl.when(has_unit).then(_in_seconds(worded)), _in_seconds(clocked)) / unit


def _in_seconds(parts: pl.Expr) -> pl.Expr:
    """Hours, minutes and seconds together; null where there are none."""
    told = [parts.struct[place].str.replace(",", ".", literal=True).cast(pl.Float64) for place in "123"]
    together = sum(part.fill_null(0) * size for part, size in zip(told, (HOUR, MINUTE, SECOND), strict=True))
    return pl.when(pl.any_horizontal(part.is_not_null() for part in told)).then(together)


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def day(column: str, dialect: Dialect) -> pl.Expr:
    """A date in ISO 8601; a time after it is dropped."""
    written = text(column, dialect)
    shaped = pl.when(written.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}($|[T ][0-9])")).then(written)
    found = shaped.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return pl.when(found >= date.min).then(found)


def wall(column: str, dialect: Dialect) -> pl.Expr:
    """The wall-clock time of an ISO 8601 value: as written, or in the source's zone where it has an offset."""
    return _clock(column, dialect).struct.field("local")


def instant(column: str, dialect: Dialect) -> pl.Expr:
    """The instant in UTC of an ISO 8601 time with an offset, or a wall-clock time in the source's zone.

    At a change of clocks an hour that comes twice is taken as its first occurrence, and an hour that does not exist
    is moved forward by an hour, as calendars do; both are counted in load.files.
    """
    return _clock(column, dialect).struct.field("at")


# Of digits those of ASCII alone: \d is also what other scripts write numbers with, which no cast takes.
# No zone is further from UTC than 14 hours: +99:99 moved a record by four days.
_OFFSET = r"\s*([Zz]|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)$"


def _clock(column: str, dialect: Dialect) -> pl.Expr:
    """The parts of a time, each computed once: text, offset, the clock as written, then `local` and `at`.

    A time whose clock or instant is outside the years 1 to 9999 has neither `local` nor `at`: it is not read.
    """
    zone, offset, at_utc = dialect.time_zone, pl.field("offset"), pl.field("at_utc")
    naive = pl.field("naive")
    there = at_utc.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    fits = pl.field("at").is_between(FIRST_UTC, LAST_UTC) & pl.field("local").is_between(FIRST, LAST)
    return (
        pl.struct(written=text(column, dialect))
        .struct.with_fields(offset=pl.field("written").str.extract(_OFFSET, 1))
        .struct.with_fields(spaced=pl.field("written").str.replace(_OFFSET, "").str.replace("T", " ", literal=True))
        .struct.with_fields(full=_with_seconds(pl.field("spaced")))
        .struct.with_fields(naive=_naive(pl.field("full")))
        .struct.with_fields(
            at_utc=pl.when(offset.is_not_null()).then(naive - _minutes(offset)).dt.replace_time_zone("UTC")
        )
        .struct.with_fields(local=pl.when(offset.is_not_null()).then(there).otherwise(naive))
        .struct.with_fields(at=pl.when(offset.is_not_null()).then(at_utc).otherwise(utc(naive, zone)))
        .struct.with_fields(**{name: pl.when(fits).then(pl.field(name)) for name in ("local", "at")})
    )


def _with_seconds(spaced: pl.Expr) -> pl.Expr:
    return pl.when(spaced.str.len_bytes() == 16).then(spaced + ":00").otherwise(spaced)


def _naive(full: pl.Expr) -> pl.Expr:
    """`YYYY-MM-DD HH:MM:SS[.f]`, to the second; anything else, a bare date too, is null.

    A spreadsheet's 10:00 may be a hair below it (09:59:59.994), also in what is exported from one.
    """
    is_shaped = (full.str.len_bytes() >= 19) & full.str.slice(19).str.contains(r"^(\.[0-9]+)?$")
    shaped = pl.when(is_shaped).then(full.str.slice(0, 19))
    known = shaped.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
    return known + pl.duration(seconds=full.str.slice(19).str.starts_with(".99").fill_null(False).cast(pl.Int64))


def _minutes(offset: pl.Expr) -> pl.Expr:
    """An offset from UTC; Z is none."""
    parts = offset.str.extract_groups(r"^([+-])([0-9]{2}):?([0-9]{2})?$")
    minutes = parts.struct["2"].cast(pl.Int64) * 60 + parts.struct["3"].cast(pl.Int64).fill_null(0)
    signed = pl.when(parts.struct["1"] == "-").then(-minutes).otherwise(minutes)
    return pl.duration(minutes=signed.fill_null(0))


def utc(naive: pl.Expr | pl.Series, time_zone: str) -> pl.Expr:
    """Wall-clock time to UTC by the rule of `instant`; null where that leaves the years 1 to 9999."""
    known = naive.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    moved = (naive + pl.duration(hours=1)).dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    at = pl.coalesce(known, moved).dt.convert_time_zone("UTC")
    return pl.when(at.is_between(FIRST_UTC, LAST_UTC)).then(at)


def clock_change(column: str, dialect: Dialect) -> pl.Expr:
    """'ambiguous' or 'missing' where a wall-clock time falls on a change of clocks, else null."""
    stated = pl.field("offset").is_not_null()
    change = pl.when(~stated).then(change_of(pl.field("naive"), dialect.time_zone))
    return _clock(column, dialect).struct.with_fields(change=change).struct.field("change")


def change_of(naive: pl.Expr | pl.Series, time_zone: str) -> pl.Expr:
    """The change of clocks that a wall-clock time falls on, by the rule of `instant`."""
    early = naive.dt.replace_time_zone(time_zone, ambiguous="earliest", non_existent="null")
    late = naive.dt.replace_time_zone(time_zone, ambiguous="latest", non_existent="null")
    return (
        pl.when(naive.is_null()).then(None)
        .when(early.is_null()).then(pl.lit("missing"))
        .when(early != late).then(pl.lit("ambiguous"))
    )  # fmt: skip


def local_day(column: str, dialect: Dialect) -> pl.Expr:
    """The local day of a time, or a date that stands alone."""
    return pl.coalesce(wall(column, dialect).dt.date(), _day_alone(column, dialect))


def _day_alone(column: str, dialect: Dialect) -> pl.Expr:
    written = text(column, dialect)
    return pl.when(written.str.len_bytes() == 10).then(day(column, dialect))


def unreadable(column: str, value: pl.Expr | pl.Series, dialect: Dialect) -> pl.Expr:
    """True where there is text, but no value."""
    return text(column, dialect).is_not_null() & value.is_null()


def word(column: str, vocabulary: tuple[str, ...], dialect: Dialect) -> pl.Expr:
    """A word of the vocabulary, in lower case; `unknown` for any other; null for none."""
    found = text(column, dialect).str.to_lowercase()
    return pl.when(found.is_in(list(vocabulary))).then(found).when(found.is_not_null()).then(pl.lit(UNKNOWN))


def translated(told: Words, dialect: Dialect) -> pl.Expr:
    """A coded value in the clinic's words; `unknown` for a code that they leave out; null for none.

    A code is no number: where 9 is a null word of answers, 9 may still be a code.
    """
    found = code(told.column, dialect)
    return found.replace_strict(dict(told.words), default=UNKNOWN, return_dtype=pl.String)


def listed(column: str, allowed: tuple[str, ...], dialect: Dialect) -> pl.Expr:
    """Text that the clinic has listed; `other` for any other; null for none."""
    found = text(column, dialect)
    return pl.when(found.is_in(list(allowed))).then(found).when(found.is_not_null()).then(pl.lit("other"))


def of_records(rows: pl.DataFrame | pl.LazyFrame) -> dict[str, pl.Expr]:
    """The records of a row: the number of the first, and how many there are."""
    is_counted = COUNT in rows.collect_schema()
    return {RECORD: pl.col(NUMBER), "record_count": pl.col(COUNT) if is_counted else pl.lit(1, dtype=pl.Int32)}


def typed(
    rows: pl.LazyFrame, columns: Mapping[str, pl.Expr | pl.Series], flags: Mapping[str, pl.Expr | None]
) -> pl.DataFrame:
    """The columns, and `unreadable`: the names of those whose flag is true, null where there are none.

    The reader itself names columns that it could not read in column LOST; they are added. All is one lazy query, so
    that columns and flags share the strip and the parse.
    """
    if LOST in rows.collect_schema():
        flags = _with_lost(flags, rows)
    marks = {f"{name} unreadable": flag for name, flag in flags.items() if flag is not None}
    frame = rows.select(**columns, **marks).collect()
    named = [name for name in flags if f"{name} unreadable" in marks and frame[f"{name} unreadable"].any()]
    words = [pl.when(f"{name} unreadable").then(pl.lit(name.removeprefix(MARK))) for name in named]
    lists = pl.concat_list(words).list.drop_nulls() if words else pl.lit(None, dtype=pl.List(pl.String))
    return frame.with_columns(unreadable=pl.when(lists.list.len() > 0).then(lists)).drop(marks)


def _with_lost(flags: Mapping[str, pl.Expr | None], rows: pl.LazyFrame) -> dict[str, pl.Expr | None]:
    """The flags, true also where the reader itself could not read the column."""
    names = rows.select(pl.col(LOST).list.explode().drop_nulls().unique().sort()).collect().to_series()
    lost = {name: pl.col(LOST).list.contains(name).fill_null(False) for name in names}
    known = {name: flag.fill_null(False) for name, flag in flags.items() if flag is not None and name in lost}
    return {**flags, **{name: known[name] | flag if name in known else flag for name, flag in lost.items()}}
