"""Readers: one module per export format. Each turns all-text chunks into canonical rows that still hold raw ids.

A reader is `read(opened, source, task) -> Iterator[(kind, frame)]`. Its frames hold `record_number`, the canonical
columns, `record_count` and `unreadable`: the names of the columns that could not be read. What the frames do not
mention (a parent row, an untouched form) is ignored, and counted as such in the books.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from transforms.sources import plain, redcap, tables, wide
from transforms.sources.casts import Dialect, instant
from transforms.sources.door import CHUNK, Opened, Shape, open_shaped
from transforms.sources.task import Task
from warehouse.sources import Source

Reader = Callable[[Opened, Source, Task], Iterator[tuple[str, pl.DataFrame]]]
READERS: dict[str, Reader] = {
    "plain": plain.read,
    "redcap": redcap.read,
    "wide": wide.read,
    "table": tables.read,
}


def open_delivery(path: Path, source: Source) -> Opened:
    """Open a source's file. Raises Refused when it is not what the source says it is."""
    opened = open_shaped(path, _shape(source))
    opened.again = lambda: open_shaped(path, _shape(source))
    return opened


def _shape(source: Source) -> Shape:
    return Shape(source.encoding, CHUNK, sheet=source.sheet, header_row=source.header_row, footers=source.footers)


def read(opened: Opened, source: Source, task: Task) -> Iterator[tuple[str, pl.DataFrame]]:
    """The canonical rows of an opened file, kind by kind. Raises Refused when a column is missing."""
    if source.exported_at and opened.header:
        opened.need([source.exported_at])
        opened.chunks = _noting_export_time(opened.chunks, source, task)
    return READERS[source.format](opened, source, task)


def _noting_export_time(chunks: Iterator[pl.DataFrame], source: Source, task: Task) -> Iterator[pl.DataFrame]:
    dialect = Dialect(source.time_zone, source.nulls)
    for chunk in chunks:
        latest = chunk.select(instant(source.exported_at, dialect).max()).item()
        if latest is not None:
            task.exported_at = max(latest, task.exported_at or latest)
        yield chunk


def reading_version() -> str:
    """A fingerprint of the readers: when they change, files are read again."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
