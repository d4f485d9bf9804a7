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

from transforms.sources import (
    bookings,
    cliniko,
    fhir,
    hl7_siu,
    openemr,
    plain,
    qualtrics,
    redcap,
    simplepractice,
    surveymonkey,
    tables,
    wide,
)
from transforms.sources.casts import Dialect, instant
from transforms.sources.content import Content, look_into
from transforms.sources.door import CHUNK, Opened, Shape, open_content
from transforms.sources.task import Task
from warehouse.sources import Source

Reader = Callable[[Opened, Source, Task], Iterator[tuple[str, pl.DataFrame]]]
READERS: dict[str, Reader] = {
    "plain": plain.read,
    "redcap": redcap.read,
    "wide": wide.read,
    "table": tables.read,
    "qualtrics": qualtrics.read,
    "surveymonkey": surveymonkey.read,
    "fhir": fhir.read,
    "simplepractice": simplepractice.read,
    "cliniko": bookings.read,
    "openemr": openemr.read,
    "hl7_siu": hl7_siu.read,
}
# Formats that are no tables, and tables with a header of several rows: how many, and how they are read.
OPENERS: dict[str, Callable[[Content, Source, Shape], Opened]] = {
    "fhir": fhir.open_fhir,
    "cliniko": cliniko.open_cliniko,
    "hl7_siu": hl7_siu.open_siu,
}
HEADERS = {"qualtrics": (3, qualtrics.header), "surveymonkey": (2, surveymonkey.header)}


def open_delivery(path: Path, source: Source) -> Opened:
    """Open a source's file. Raises Refused when it is not what the source says it is."""
    rows, header = HEADERS.get(source.format, (1, None))
    shape = Shape(source.encoding, CHUNK, source.sheet, source.header_row, source.footers, rows, header)
    content = look_into(path)
    if source.format in OPENERS:
        return OPENERS[source.format](content, source, shape)
    opened = open_content(content, shape)
    opened.again = lambda: open_content(look_into(path), shape)
    return opened


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
