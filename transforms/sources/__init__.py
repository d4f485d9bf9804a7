"""Readers: one module per export format. Each turns chunks of text into canonical rows with raw ids.

A reader is `read(export, source, tallies) -> Iterator[(kind, frame)]`. Its frames hold `record_number`, the canonical
columns, `record_count`, and `unreadable`: the names of the columns that could not be read. A record in no frame (a
parent row, an empty form) counts as ignored in the books.

A format whose files are no tables has an opener, `open_export(content, source, shape) -> Export`. The header of its
export names the columns that it can give. Its chunks hold NUMBER and the wanted columns, as text. It counts records and
blank ones. hl7_siu.py is an example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from rapport.transforms.sources.canonical.casts import Dialect, instant
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.content import Content, content_of
from rapport.transforms.sources.opening.export import Export, forgiving
from rapport.transforms.sources.opening.shape import CHUNK, Header, Shape
from rapport.transforms.sources.opening.tables import open_content
from rapport.warehouse.clinic_file.formats import Format
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.code_marks import registry
from rapport.warehouse.errors import Unusable

Reader = Callable[[Export, Source, Tallies], Iterator[tuple[str, pl.DataFrame]]]
Opener = Callable[[Content, Source, Shape], Export]
HeaderReader = Callable[[list[list[str]]], Header]
TAKES = {"reader": "(export, source, tallies)", "opener": "(content, source, shape)", "header": "(heads)"}


def parts_of(form: Format) -> list[Callable[..., Any]]:
    """The functions that read a format's files, and those of no other format. They are in the format's code mark."""
    header = function_of(form, "header")
    return [open_delivery, read, opener_of(form), function_of(form, "reader"), *([header] if header else [])]


def open_delivery(path: Path, source: Source) -> Export:
    """Open a source's file. Raises Refused when it is not what the source says it is."""
    header: HeaderReader | None = function_of(source.format, "header")
    rows = source.format.header_rows
    shape = Shape(source.encoding, CHUNK, source.sheet, source.header_row, source.footers, rows, header)
    return opener_of(source.format)(content_of(path, source.memory), source, shape)


@registry
def function_of(form: Format, key: str) -> Any:  # noqa: ANN401  a Reader, an Opener or a HeaderReader
    """The function that a fact sheet names as reader, opener or header; None where it names none. Raises Unusable,
    which says what to write where.
    """
    if (name := getattr(form, key)) is None:
        return None
    file, sheet = f"transforms/sources/{form.name}.py", f"warehouse/clinic_file/formats/{form.name}.toml"
    written = f"def {name}{TAKES[key]}"
    if find_spec(f"{__name__}.{form.name}") is None:
        raise Unusable(f"format {form.name} has no module; write {file} with {written}, or remove {sheet}")
    if (found := getattr(import_module(f"{__name__}.{form.name}"), name, None)) is None:
        raise Unusable(f"{file} has no function {name}; write {written} there, or correct {key} in {sheet}")
    return found


@registry
def opener_of(form: Format) -> Opener:
    """The function that opens a format's files."""
    opener: Opener = function_of(form, "opener") or _open_table
    return opener


def _open_table(content: Content, source: Source, shape: Shape) -> Export:
    export = open_content(content, shape)
    export.again = lambda: open_content(content_of(content.path, content.memory), shape)
    return export


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """The canonical rows of an opened file, kind by kind. Raises Refused when a column is missing."""
    tallies.memory = source.memory
    export.missing_ok = frozenset(map(forgiving, source.missing_ok))
    _read_absent_as_empty(export, export.absent)
    if source.exported_at and export.header:
        export.need([source.exported_at])
        export.chunks = _noting_export_time(export.chunks, source.exported_at, source, tallies)
    reader: Reader = function_of(source.format, "reader")
    return reader(export, source, tallies)


def _read_absent_as_empty(export: Export, absent: set[str]) -> None:
    """Give the chunks an empty column for each mapped column that is missing, also when the file is opened again."""
    chunks, again = export.chunks, export.again
    empty = pl.lit(None, dtype=pl.String)
    export.absent = absent
    export.chunks = (chunk.with_columns(empty.alias(name) for name in sorted(absent)) for chunk in chunks)
    if again is not None:
        export.again = lambda: _opened_again(again, absent)


def _opened_again(again: Callable[[], Export], absent: set[str]) -> Export:
    export = again()
    _read_absent_as_empty(export, absent)
    return export


def _noting_export_time(
    chunks: Iterator[pl.DataFrame], column: str, source: Source, tallies: Tallies
) -> Iterator[pl.DataFrame]:
    """The chunks. Notes the latest time of export that is not after the night's clock, because one typing error would
    win over all later exports.
    """
    dialect = Dialect(source.time_zone, source.nulls)
    for chunk in chunks:
        stamps = chunk.select(at=instant(column, dialect)).to_series().drop_nulls()
        known = stamps.filter(stamps <= tallies.as_of)
        if known.len() < stamps.len():
            tallies.tell(
                f"has a time of export after the night's clock in column '{column}'; "
                "it does not count beyond the night's clock: correct the system's clock, or the export"
            )
        latest: datetime | None = known.to_frame().select(pl.col("at").max()).item()
        if latest is not None:
            tallies.exported_at = max(latest, tallies.exported_at or latest)
        yield chunk
