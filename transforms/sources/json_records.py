"""JSON and NDJSON as records: whole numbers and decimals stay text, so no id passes through a float."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import BinaryIO

import polars as pl

from transforms.sources.content import Content, look_into
from transforms.sources.opened import RECORD, Opened
from warehouse.errors import Refused

LARGEST = 512 << 20  # bytes of a JSON file that is one value, and must be read whole
LONGEST = 64 << 20  # bytes of a line of NDJSON
BATCH = 20_000  # records made into one chunk
Record = dict[str, object]
Rows = Callable[[Record], Iterator[dict[str, str | None]]]


def open_records(
    content: Content, header: list[str], expand: Callable[[object], Iterator[object]], rows: Rows
) -> Opened:
    """Open a file of JSON. `expand` finds the records in a value, `rows` makes rows of text of a record."""
    if content.kind != "json":
        raise Refused("is not JSON; correct its format in clinic.toml")
    opened = Opened(content.path, header, header_count=0)
    opened.again = lambda: open_records(look_into(content.path), header, expand, rows)
    opened.chunks = _chunks(opened, content, expand, rows)
    return opened


def _chunks(
    opened: Opened, content: Content, expand: Callable[[object], Iterator[object]], rows: Rows
) -> Iterator[pl.DataFrame]:
    with content.opened() as file:
        records = _numbered(opened, (each for value in _values(file) for each in expand(value)))
        while batch := list(islice(records, BATCH)):
            told = [{RECORD: number, **row} for number, record in batch for row in rows(record)]
            wanted = {column: opened.header[opened.place(column)] for column in sorted(opened.wanted)}
            schema = {RECORD: pl.Int32, **dict.fromkeys(wanted.values(), pl.String)}
            frame = pl.DataFrame(told, schema=schema, orient="row") if told else pl.DataFrame(schema=schema)
            yield frame.select(RECORD, **{column: pl.col(name) for column, name in wanted.items()})


def _numbered(opened: Opened, records: Iterator[object]) -> Iterator[tuple[int, Record]]:
    for record in records:
        if not isinstance(record, dict):
            raise Refused("is JSON that does not hold records; export it again")
        opened.record_count += 1
        yield opened.record_count, record


def _values(file: BinaryIO) -> Iterator[object]:
    """The values of the file: one a line, or the only one there is."""
    first = _line(file)
    while first and not first.strip():
        first = _line(file)
    try:
        value = parsed(first)
    except ValueError:
        rest = file.read(LARGEST + 1)
        if len(rest) > LARGEST:
            raise Refused(f"is one JSON value above {LARGEST >> 20} MB; export it as NDJSON, a record a line") from None
        yield _only(first + rest)
        return
    number = 1
    while True:
        yield value
        line = _line(file)
        while line and not line.strip():
            line = _line(file)
        if not line:
            return
        number += 1
        value = _of_line(line, number)


def _line(file: BinaryIO) -> bytes:
    line = file.readline(LONGEST + 1)
    if len(line) > LONGEST:  # one value on one line: the rest of it is read by the caller
        line += file.read(LARGEST + 1)
        if len(line) > LARGEST:
            raise Refused(f"has a line above {LARGEST >> 20} MB; export it as NDJSON, a record a line")
    return line


def _of_line(line: bytes, number: int) -> object:
    try:
        return parsed(line)
    except ValueError:
        what = "is not JSON" if line.endswith(b"\n") else "is cut off: the file is truncated"
        raise Refused(f"has a line that {what} (value {number} of the file); export it again") from None


def _only(data: bytes) -> object:
    try:
        return parsed(data)
    except ValueError:
        raise Refused("is not JSON to its end: it is damaged or truncated; export it again") from None


def parsed(data: bytes) -> object:
    """A JSON value whose numbers are text. Raises ValueError when it is none."""
    try:
        return json.loads(data.decode("utf-8-sig"), parse_int=str, parse_float=str)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def last_part(reference: object) -> str | None:
    """The id that a reference ends with: Patient/12, urn:uuid:12, Patient?identifier=system|12, a link's address."""
    if isinstance(reference, dict):
        reference = reference.get("reference") or reference.get("self")
    if not isinstance(reference, str) or not reference:
        return None
    reference = reference.partition("/_history/")[0]
    for mark in ("|", "/", ":"):
        if mark in reference and (mark != "/" or "?" not in reference):
            return reference.rsplit(mark, 1)[1].partition("?")[0] or None
    return reference


def text(value: object) -> str | None:
    """A value as text; what is no single value is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else None


def first_value(content: Content) -> object:
    """The first value of a file of JSON, to see what it holds."""
    with content.opened() as file:
        return next(_values(file), None)
