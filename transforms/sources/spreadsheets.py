"""Spreadsheets and Parquet as tables of text, with the values that a CSV of them would have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import fastexcel
import polars as pl

from transforms.sources.content import Content
from transforms.sources.opened import RECORD, Opened, Shape
from warehouse.errors import Refused
from warehouse.parquet import read_parquet

LARGEST = 512 << 20  # bytes of a spreadsheet: a million rows of some forty columns
_NO_DAY = "1899-12-31 "  # what a time of day stands on


def open_spreadsheet(content: Content, shape: Shape) -> Opened:
    """Open a sheet: the declared one, or the only one with anything in it. Raises Refused."""
    try:
        book = fastexcel.read_excel(content.whole(LARGEST))
        rows = _only_filled(book, shape.sheet)
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError):
        raise Refused("is a spreadsheet that is damaged, locked or truncated; export it again") from None
    heads = [[(value or "").strip() for value in row] for row in rows.head(shape.looks_at).iter_rows()]
    header = shape.names(heads)
    opened = Opened(content.path, header.names, header_count=header.count, aliases=header.aliases)
    opened.time_zone = header.time_zone
    if not any(header.names):
        raise Refused("has a sheet that does not begin with names; say where they are (header_row in clinic.toml)")
    opened.chunks = _chunks(opened, rows.slice(header.count), shape)
    return opened


def _only_filled(book: fastexcel.ExcelReader, sheet: str | None) -> pl.DataFrame:
    if sheet is not None and sheet not in book.sheet_names:
        raise Refused(f"has no sheet '{sheet}'; correct clinic.toml")
    names = [sheet] if sheet is not None else book.sheet_names
    found = [rows for name in names if (rows := _rows(book, name)).height]
    if len(found) != 1:
        what = f"has {len(found)} sheets with something in them"
        raise Refused(f'{what}; say which (sheet = "..." in clinic.toml)' if found else "has no sheet with data")
    return found[0]


def _rows(book: fastexcel.ExcelReader, sheet: str) -> pl.DataFrame:
    """All cells as text: whole numbers without a point, times as ISO 8601."""
    loaded = book.load_sheet(sheet, header_row=None, dtypes="string", skip_whitespace_tail_rows=False)
    rows = loaded.to_polars().cast(pl.String)
    return rows.rename({name: str(place) for place, name in enumerate(rows.columns)}).with_columns(
        pl.all().str.strip_prefix(_NO_DAY)
    )


def _chunks(opened: Opened, rows: pl.DataFrame, shape: Shape) -> Iterator[pl.DataFrame]:
    yield opened.counted(rows, shape.footers, is_guarded=True)


def open_parquet(content: Content) -> Opened:
    """Open Parquet: its instants in UTC. Raises Refused when it is damaged."""
    try:
        with _file_of(content) as file:
            frame = read_parquet(file)
    except (ValueError, OSError):
        raise Refused("begins like Parquet but is damaged or truncated; export it again") from None
    opened = Opened(content.path, [name.strip() for name in frame.columns], header_count=0)
    opened.chunks = _parquet_text(opened, frame)
    return opened


@contextmanager
def _file_of(content: Content) -> Iterator[BinaryIO]:
    """The file, or what an archive holds as a file in memory: nothing is unpacked onto the disk."""
    if content.member is None:
        with content.opened() as file:
            yield file
        return
    with os.fdopen(os.memfd_create("export"), "w+b") as file:
        file.write(content.whole(LARGEST))
        file.flush()
        yield file


def _parquet_text(opened: Opened, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    opened.record_count = frame.height
    text = (
        frame.select(frame[frame.columns[opened.place(column)]].alias(column) for column in sorted(opened.wanted))
        if opened.wanted
        else pl.DataFrame()
    )
    zoned = [n for n, t in text.schema.items() if isinstance(t, pl.Datetime) and t.time_zone]
    try:
        text = text.with_columns(
            pl.col(zoned).dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
        ).cast(pl.String)
    except pl.exceptions.PolarsError:
        raise Refused("has a wanted column that is neither text, number nor time; export it as one of them") from None
    yield text.with_row_index(RECORD, offset=1).cast({RECORD: pl.Int32})
