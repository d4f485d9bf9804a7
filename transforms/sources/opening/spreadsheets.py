"""Spreadsheets and Parquet as tables of text, with the values of a CSV export of the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import BinaryIO

import fastexcel
import polars as pl

from rapport.transforms.sources.opening.apart import read_apart
from rapport.transforms.sources.opening.content import Content
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import NUMBER, Shape, cell
from rapport.warehouse.errors import Refused
from rapport.warehouse.store.parquet import read_parquet

LARGEST = 512 << 20  # bytes of a spreadsheet: a million rows of some forty columns
EPOCH = date(1970, 1, 1)
BEYOND = "beyond the years 1 to 9999"
_STAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?$"
_LONG = r"^-?[1-9][0-9]{15,29}$"
WHOLE = 2**53  # from here on a number of a workbook leaves out whole numbers
WHOLE_OF_32_BITS = 2**24
_NO_DAY = "1899-12-31 "  # what a time of day stands on


def open_spreadsheet(content: Content, shape: Shape) -> Export:
    """Open a sheet: the declared one, or the only one that is not empty. Raises Refused."""
    rows = read_apart(rows_of_sheet, content, shape.sheet)
    heads = [[(value or "").strip() for value in row] for row in rows.head(shape.looks_at).iter_rows()]
    header = shape.names(heads)
    export = Export(content.path, header.names, header_count=header.count, aliases=header.aliases)
    export.time_zone, export.has_date_cells = header.time_zone, True
    if not any(header.names):
        raise Refused("has a sheet that does not begin with names; say where they are (header_row in clinic.toml)")
    export.chunks = _chunks(export, rows.slice(header.count), shape)
    return export


def rows_of_sheet(content: Content, sheet: str | None) -> pl.DataFrame:
    """All cells of a sheet as text, for the child process."""
    try:
        return _only_filled(fastexcel.read_excel(content.whole(LARGEST)), sheet)
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError):
        raise Refused("is a spreadsheet that is damaged, locked or truncated; export it again") from None


def _only_filled(book: fastexcel.ExcelReader, sheet: str | None) -> pl.DataFrame:
    if sheet is not None and sheet not in book.sheet_names:
        raise Refused(f"has no sheet '{sheet}'; correct clinic.toml")
    names = [sheet] if sheet is not None else book.sheet_names
    found = [rows for name in names if (rows := _rows(book, name)).height]
    if len(found) != 1:
        what = f"has {len(found)} sheets with something in them"
        raise Refused(f'{what}; say which (sheet = "..." in clinic.toml)' if found else "has no sheet with data")
    return found[0]


def filled_sheets(content: Content) -> pl.DataFrame:
    """The names of the sheets with anything in them, to be read apart."""
    try:
        book = fastexcel.read_excel(content.whole(LARGEST))
        return pl.DataFrame({"sheet": [name for name in book.sheet_names if _rows(book, name).height]})
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError):
        raise Refused("is a spreadsheet that is damaged, locked or truncated; export it again") from None


def _rows(book: fastexcel.ExcelReader, sheet: str) -> pl.DataFrame:
    """All cells as text: whole numbers without a point, times as ISO 8601."""
    loaded = book.load_sheet(sheet, header_row=None, dtypes="string", skip_whitespace_tail_rows=False)
    rows = loaded.to_polars().cast(pl.String)
    rows = rows.rename({name: str(place) for place, name in enumerate(rows.columns)})
    return rows.with_columns(map(_as_rounded, map(_as_shown, rows.iter_columns())))


def _as_shown(cells: pl.Series) -> pl.Series:
    """Times to the second, times of day alone: a workbook keeps a time as a fraction of a day."""
    is_time = cells.str.contains(_STAMP).fill_null(False)
    if not is_time.any():
        return cells
    at = cells.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us").dt.round("1s")
    shown = at.dt.strftime("%Y-%m-%d %H:%M:%S").str.strip_prefix(_NO_DAY)
    return shown.zip_with(is_time & at.is_not_null(), cells)


def _as_rounded(cells: pl.Series) -> pl.Series:
    """Whole numbers with more digits than a number cell holds, as `1.39e18`: an id that is written so is held.

    The same digits may stand in a text cell. There they are exact, and not all of them are those of a rounded number.
    """
    long = cells.filter(cells.str.contains(_LONG).fill_null(False)).unique()
    numbers = long.cast(pl.Float64)
    are_beyond = numbers.abs() >= WHOLE
    long, numbers = long.filter(are_beyond), numbers.filter(are_beyond)
    if not long.len() or (numbers.cast(pl.Int128).cast(pl.String) != long).any():
        return cells
    shown = map(_in_digits_and_power, numbers)
    return cells.replace(long, pl.Series(list(shown), dtype=pl.String))


def _in_digits_and_power(number: float) -> str:
    return f"{number:.15e}".replace("+", "")


def _chunks(export: Export, rows: pl.DataFrame, shape: Shape) -> Iterator[pl.DataFrame]:
    yield export.counted(rows, shape.footers, is_guarded=True)


def open_parquet(content: Content) -> Export:
    """Open Parquet: its instants in UTC. Raises Refused when it is damaged."""
    frame = read_apart(rows_of_parquet, content)
    export = Export(content.path, [name.strip() for name in frame.columns], header_count=0)
    export.chunks = _parquet_text(export, frame)
    return export


def rows_of_parquet(content: Content) -> pl.DataFrame:
    """All rows of a file, for the child process."""
    try:
        with _file_of(content) as file:
            return read_parquet(file)
    except (ValueError, OSError):
        raise Refused("begins like Parquet but is damaged or truncated; export it again") from None


@contextmanager
def _file_of(content: Content) -> Iterator[BinaryIO]:
    """The file; the file of an archive only in memory: nothing is unpacked onto the disk."""
    if content.member is None:
        with content.path.open("rb") as file:
            yield file
        return
    with os.fdopen(os.memfd_create("export"), "w+b") as file:
        file.write(content.whole(LARGEST))
        file.flush()
        yield file


def _parquet_text(export: Export, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    export.record_count = frame.height
    text = (
        frame.select(frame[frame.columns[export.place(column)]].alias(column) for column in sorted(export.wanted))
        if export.wanted
        else pl.DataFrame()
    )
    try:
        text = text.select(_as_text(name, dtype) for name, dtype in text.schema.items())
    except pl.exceptions.PolarsError:
        raise Refused("has a wanted column that is neither text, number nor time; export it as one of them") from None
    yield text.with_row_index(NUMBER, offset=1).cast({NUMBER: pl.Int32})


def _as_text(column: str, dtype: pl.DataType) -> pl.Expr:
    """A column as text. polars has no time beyond the years 1 to 9999; such a time is named as unreadable."""
    value = cell(column)
    if isinstance(dtype, pl.Float32):  # a number of 32 bits leaves out whole numbers from 2**24 on
        held = value.cast(pl.Float64).map_elements(_in_digits_and_power, return_dtype=pl.String)
        return pl.when(value.abs() >= WHOLE_OF_32_BITS).then(held).otherwise(value.cast(pl.String)).alias(column)
    if not isinstance(dtype, pl.Date | pl.Datetime):
        return value.cast(pl.String)
    fits = value.to_physical().is_between(*_ends(dtype))
    made: pl.Expr = pl.when(fits).then(value)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone:
        made = made.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    return pl.when(fits | value.is_null()).then(made.cast(pl.String)).otherwise(pl.lit(BEYOND)).alias(column)


def _ends(dtype: pl.Date | pl.Datetime) -> tuple[int, int]:
    """The beginning of year 1 and the end of year 9999, counted from 1970 in a type's unit."""
    if isinstance(dtype, pl.Date):
        return (date.min - EPOCH).days, (date.max - EPOCH).days
    a_second = {"ms": 10**3, "us": 10**6, "ns": 10**9}[dtype.time_unit]
    a_day = 24 * 60 * 60 * a_second
    first, last = (date.min - EPOCH).days * a_day, ((date.max - EPOCH).days + 1) * a_day - 1
    return max(first, -(2**63)), min(last, 2**63 - 1)  # nanoseconds do not reach so far
