"""Readers: one module per export format. Each turns all-text chunks into canonical rows that still hold raw ids.

A reader is `read(opened, source, task) -> Iterator[(kind, frame)]`. Its frames hold `record_number`, the canonical
columns, `record_count` and `unreadable`: the names of the columns that could not be read. What the frames do not
mention (a parent row, an untouched form) is ignored, and counted as such in the books.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from rapport.transforms.sources import (
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
from rapport.transforms.sources.canonical.casts import Dialect, instant
from rapport.transforms.sources.canonical.reading_tallies import Task
from rapport.transforms.sources.opening.content import Content, look_into
from rapport.transforms.sources.opening.door import CHUNK, Opened, Shape, open_content
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.code_marks import registry

Reader = Callable[[Opened, Source, Task], Iterator[tuple[str, pl.DataFrame]]]
Opener = Callable[[Content, Source, Shape], Opened]
READERS: dict[str, Reader] = registry(
    {
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
)
# Formats that are no tables, and tables with a header of several rows: how many, and how they are read.
OPENERS: dict[str, Opener] = registry(
    {"fhir": fhir.open_fhir, "cliniko": cliniko.open_cliniko, "hl7_siu": hl7_siu.open_siu}
)
HEADERS = registry({"qualtrics": (3, qualtrics.header), "surveymonkey": (2, surveymonkey.header)})


def parts_of(name: str) -> list[Callable]:
    """The functions that read a format's files; none of another format. They are named in the format's mark."""
    _, header = HEADERS.get(name, (1, None))
    return [open_delivery, read, opener_of(name), READERS[name], *([header] if header else [])]


def open_delivery(path: Path, source: Source) -> Opened:
    """Open a source's file. Raises Refused when it is not what the source says it is."""
    rows, header = HEADERS.get(source.format, (1, None))
    shape = Shape(source.encoding, CHUNK, source.sheet, source.header_row, source.footers, rows, header)
    return opener_of(source.format)(look_into(path, source.memory), source, shape)


@registry
def opener_of(name: str) -> Opener:
    """The function that opens a format's files."""
    return OPENERS.get(name, _open_table)


def _open_table(content: Content, source: Source, shape: Shape) -> Opened:
    opened = open_content(content, shape)
    opened.again = lambda: open_content(look_into(content.path, content.memory), shape)
    return opened


def read(opened: Opened, source: Source, task: Task) -> Iterator[tuple[str, pl.DataFrame]]:
    """The canonical rows of an opened file, kind by kind. Raises Refused when a column is missing."""
    task.memory = source.memory
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
