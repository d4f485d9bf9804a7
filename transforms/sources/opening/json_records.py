"""JSON and NDJSON as records: whole numbers and decimals stay text, so no id passes through a float."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import polars as pl

from rapport.transforms.sources.opening.bounded import Bounded, too_large
from rapport.transforms.sources.opening.content import Content, content_of
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import BESIDE, LOST, NUMBER, cell
from rapport.warehouse.errors import Refused

LARGEST = 512 << 20  # bytes of a JSON file that is one value, and must be read whole
LONGEST = 64 << 20  # bytes of a line of NDJSON
BATCH = 20_000  # rows of one chunk
# Bytes that Python takes for a value, an object and a list beside their text.
_VALUE, _OBJECT, _LIST = 60, 230, 90
Record = dict[str, object]
Rows = Callable[[Record], Iterator[dict[str, str | None]]]


def open_records(
    content: Content,
    header: list[str],
    expand: Callable[[object], Iterator[object]],
    rows: Rows,
    aliases: Mapping[str, int] | None = None,
) -> Export:
    """Open a file of JSON. `expand` finds the records in a value, `rows` makes rows of text of a record."""
    if content.kind != "json":
        raise Refused("is not JSON; correct its format in clinic.toml")
    export = Export(content.path, header, header_count=0, aliases=aliases or {}, has_columns=False)
    export.again = lambda: open_records(content_of(content.path, content.memory), header, expand, rows, aliases)
    export.chunks = _chunks(export, content, expand, rows)
    return export


def _chunks(
    export: Export, content: Content, expand: Callable[[object], Iterator[object]], rows: Rows
) -> Iterator[pl.DataFrame]:
    with content.stream() as file:
        values = _noted(export, _values(file, content.memory))
        records = _numbered(export, (each for value in values for each in expand(value)))
        made = ({NUMBER: number, **row} for number, record in records for row in rows(record))
        while told := list(islice(made, BATCH)):
            wanted = {column: export.header[export.place(column)] for column in sorted(export.wanted)}
            frame = _frame(told, list(wanted.values()))
            yield frame.select(BESIDE, **{column: cell(name) for column, name in wanted.items()})


def _noted(export: Export, values: Iterator[object]) -> Iterator[object]:
    for value in values:
        export.pages.note(value)
        yield value


def _frame(told: Sequence[Mapping[str, Any]], names: list[str]) -> pl.DataFrame:
    """Rows of text as a frame. Half of a surrogate pair is no text: a value with one is null, and its column is named
    in LOST.
    """
    schema = {NUMBER: pl.Int32, **dict.fromkeys(names, pl.String)}
    try:
        return pl.DataFrame(told, schema=schema, orient="row")
    except UnicodeEncodeError:
        readable = [{NUMBER: row[NUMBER], **_parted(row, names)} for row in told]
        return pl.DataFrame(readable, schema={**schema, LOST: pl.List(pl.String)}, orient="row")


def _parted(row: Mapping[str, Any], names: list[str]) -> dict[str, object]:
    lost = [name for name in names if not _is_text(row.get(name))]
    return {name: None if name in lost else row.get(name) for name in names} | {LOST: lost}


def _is_text(value: str | None) -> bool:
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        return False
    return True


def _numbered(export: Export, records: Iterator[object]) -> Iterator[tuple[int, Record]]:
    for record in records:
        if not isinstance(record, dict):
            raise Refused("is JSON that does not hold records; export it again")
        export.record_count += 1
        yield export.record_count, record


def _values(file: Bounded, memory: int) -> Iterator[object]:
    """The values of the file: one a line, or the only one. Raises Refused for one that takes more memory."""
    first = _line(file)
    while first and not first.strip():
        first = _line(file)
    try:
        value = parsed(first, memory)
    except ValueError:
        rest = file.read(LARGEST + 1)
        if len(rest) > LARGEST:
            raise Refused(f"is one JSON value above {LARGEST >> 20} MB; export it as NDJSON, a record a line") from None
        yield _only(first + rest, memory)
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
        value = _of_line(line, number, memory)


def _line(file: Bounded) -> bytes:
    line = file.readline(LONGEST + 1)
    if len(line) > LONGEST:  # one value on one line: the rest of it is read by the caller
        line += file.read(LARGEST + 1)
        if len(line) > LARGEST:
            raise Refused(f"has a line above {LARGEST >> 20} MB; export it as NDJSON, a record a line")
    return line


def _of_line(line: bytes, number: int, memory: int) -> object:
    try:
        return parsed(line, memory)
    except ValueError:
        what = "is not JSON" if line.endswith(b"\n") else "is cut off: the file is truncated"
        raise Refused(f"has a line that {what} (value {number} of the file); export it again") from None


def _only(data: bytes, memory: int) -> object:
    try:
        return parsed(data, memory)
    except ValueError:
        raise Refused("is not JSON to its end: it is damaged or truncated; export it again") from None


def parsed(data: bytes, memory: int) -> object:
    """A JSON value whose numbers are text. Raises ValueError when it is no JSON, Refused when it takes more memory."""
    weight = len(data) + _VALUE * data.count(b",") + _OBJECT * data.count(b"{") + _LIST * data.count(b"[")
    if weight > memory:
        raise too_large(memory)
    try:
        return json.loads(data.decode().lstrip("\ufeff"), parse_int=str, parse_float=str, parse_constant=str)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def last_part(reference: object) -> str | None:
    """The id at the end of a reference: Patient/12, urn:uuid:12, Patient?identifier=system|12, a link."""
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
    """A single value as text; null for a list or an object."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else None


def first_value(content: Content) -> object:
    """The first value of a JSON file, which shows its kind."""
    with content.stream() as file:
        return next(_values(file, content.memory), None)
