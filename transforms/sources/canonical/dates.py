"""Dates as spreadsheets and survey tools write them: 13/07/2020 10:07, 8/27/2022 7:29:02 PM, 2024/01/05.

Whether the day or the month stands first is declared, or decided from all rows of the column. Where both orders fit and
differ the file is refused: reading month first what is day first misdates most of a file without an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from rapport.transforms.sources.canonical.casts import Dialect
from rapport.transforms.sources.canonical.midnights import AS_WRITTEN, day_of_midnight, days_alone
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import cell
from rapport.transforms.sources.speed.line_by_line import NotByLine
from rapport.warehouse.errors import OrderOfDates

DAY_FIRST, MONTH_FIRST = "day_first", "month_first"
# Of digits those of ASCII alone, as in casts. Parts 4 to 9: hour, minute, second, its fraction, a or p, offset.
_TIME = (
    r"(?:,?[T ]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?\s*([AaPp])?\.?[Mm]?\.?)?"
    r"\s*(?:GMT|UTC)?([Zz]|[-+][0-9]{1,2}(?::?[0-9]{2})?)?"
)
_WRITTEN = r"^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4}|[0-9]{2})" + _TIME + "$"
_YEAR_FIRST = r"^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})" + _TIME + "$"


def to_iso(column: str, order: str) -> pl.Expr:
    """A column's dates and times in ISO 8601. A text in another form stays as it is; the next step names it as
    unreadable.
    """
    text = cell(column).str.strip_chars()
    last, first = text.str.extract_groups(_WRITTEN), text.str.extract_groups(_YEAR_FIRST)
    day, month = ("1", "2") if order == DAY_FIRST else ("2", "1")
    year = pl.when(last.struct["3"].str.len_bytes() == 2).then("20" + last.struct["3"]).otherwise(last.struct["3"])
    turned = _iso(year, last.struct[month], last.struct[day], last)
    return pl.coalesce(turned, _iso(first.struct["1"], first.struct["2"], first.struct["3"], first), text).alias(column)


def _iso(year: pl.Expr, month: pl.Expr, day: pl.Expr, parts: pl.Expr) -> pl.Expr:
    """ISO 8601 of the parts; null where they are null."""
    date = pl.concat_str(year, _two(month), _two(day), separator="-")
    hour = parts.struct["4"].cast(pl.Int32)
    half = parts.struct["8"].str.to_lowercase()
    turned = (
        pl.when(hour > 12).then(pl.when(half.ne_missing("a")).then(hour))  # 15:00 PM may be; 15:00 AM is none
        .when(half == "p").then(hour % 12 + 12)
        .when(half == "a").then(hour % 12)
        .otherwise(hour)
    )  # fmt: skip
    time = pl.format(
        "T{}:{}:{}{}{}",
        _two(turned.cast(pl.String)),
        parts.struct["5"],
        parts.struct["6"].fill_null("00"),
        parts.struct["7"].fill_null(""),
        _offset(parts.struct["9"].fill_null("")),
    )
    return date + pl.when(hour.is_not_null()).then(time).otherwise(pl.lit(""))


def _two(digits: pl.Expr) -> pl.Expr:
    return digits.str.zfill(2)


def _offset(written: pl.Expr) -> pl.Expr:
    """GMT-5 as -05."""
    return written.str.replace(r"^([-+])([0-9])(:|$)", "${1}0${2}${3}")


def decided(chunks: Iterable[pl.DataFrame], columns: list[str], nulls: Iterable[str] = ()) -> dict[str, str]:
    """Each column's order, from all of its rows. Raises Refused when two fit and differ, or none fits.

    A null word is no date.
    """
    fits = {column: {DAY_FIRST: True, MONTH_FIRST: True} for column in columns}
    differs = dict.fromkeys(columns, False)
    words = list(nulls)
    for chunk in chunks:
        for column in columns:
            written = chunk[column].alias("written").unique().str.strip_chars()
            parts = written.filter(~written.is_in(words)).str.extract_groups(_WRITTEN).struct
            one, other = (parts[part].cast(pl.Int32) for part in ("1", "2"))
            fits[column][DAY_FIRST] &= bool((other <= 12).all())
            fits[column][MONTH_FIRST] &= bool((one <= 12).all())
            differs[column] |= bool((one != other).any())
    return {column: _order(column, fits[column], differs[column]) for column in columns}


def _order(column: str, fits: dict[str, bool], differs: bool) -> str:
    if all(fits.values()) and differs:
        raise OrderOfDates(
            column,
            f"has dates in column '{column}' that can be read day first and month first; "
            'say which (dates = "day_first" or "month_first" in clinic.toml)',
        )
    if not any(fits.values()):
        what = f"has dates of both orders in column '{column}', day first and month first; export it again"
        raise OrderOfDates(column, what)
    return DAY_FIRST if fits[DAY_FIRST] else MONTH_FIRST


def in_iso(export: Export, columns: Iterable[str], dates: str, dialect: Dialect) -> Iterator[pl.DataFrame]:
    """The file's chunks with these columns in ISO 8601, and a column of midnights as one of days. To decide either, a
    file of several chunks is read twice. Raises NotByLine where not every line of a column of midnights was read."""
    columns = sorted(set(columns))
    held, following = next(export.chunks, None), next(export.chunks, None)
    if held is None:
        return
    orders = {} if dates == "iso" else dict.fromkeys(columns, dates)
    if dates == "decide":
        orders = decided(_whole(export, columns, held, following), columns, dialect.nulls)
    converted = [_but_null_words(column, to_iso(column, order), dialect) for column, order in orders.items()]
    alone = dict.fromkeys(columns, AS_WRITTEN)
    if not export.has_date_cells:
        alone = days_alone([held.with_columns(converted)], columns, dialect)
    if alone and export.lines and not export.has_date_cells:
        raise NotByLine
    if alone and following is not None and not export.has_date_cells:
        rest = (chunk.with_columns(converted) for chunk in _whole(export, columns, held, following))
        alone = days_alone(rest, alone, dialect)
    days = [each for column, way in alone.items() for each in day_of_midnight(column, way, dialect)]
    while held is not None:
        yield held.with_columns(converted).with_columns(days)
        held, following = following, next(export.chunks, None)


def _but_null_words(column: str, converted: pl.Expr, dialect: Dialect) -> pl.Expr:
    """A null word may look like a time (LimeSurvey's 1980-01-01 00:00:00). Only as it is written is it known again."""
    if not dialect.nulls:
        return converted
    written = cell(column).str.strip_chars()
    return pl.when(written.is_in(list(dialect.nulls))).then(written).otherwise(converted).alias(column)


def _whole(
    export: Export, columns: list[str], held: pl.DataFrame, following: pl.DataFrame | None
) -> Iterator[pl.DataFrame]:
    """All chunks of the file, where the file can be opened once more."""
    if following is None or export.again is None:
        yield from (chunk for chunk in (held, following) if chunk is not None)
        return
    whole = export.again()
    whole.need(columns)
    yield from whole.chunks
