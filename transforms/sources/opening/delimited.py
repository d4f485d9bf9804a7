"""Delimited text: UTF-8 pieces cut between records, parsed by polars into text columns. Nothing is converted here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

import polars as pl

from rapport.transforms.sources.opening.content import Content
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.record_ends import CELLS, cells, in_parts, whole_records, within
from rapport.transforms.sources.opening.shape import NUMBER, Shape
from rapport.transforms.sources.speed.line_by_line import Lines, NotByLine, Piece
from rapport.warehouse.errors import Refused

SEPARATORS = ",;\t|^"  # what REDCap and spreadsheets offer
LONGEST = 64 << 20  # bytes of one record; a longer one is a quote that is never closed
_VALUE = re.compile(r"^\d{4}-\d\d-\d\d|^-?\d+([.,]\d+)?$")  # what a column is not called
_GUARDS = (b"'-", b"'=", b"'+", b"'@")  # what keeps a spreadsheet from computing a cell


def open_delimited(content: Content, shape: Shape) -> Export:
    """Open delimited text. Raises Refused with the reason when it is not a table."""
    pieces = whole_records(content.text(shape.encoding, shape.chunk), max(LONGEST, 4 * shape.chunk))
    first = next(pieces, b"")
    heads, ends, separator = _heads(first, max(shape.looks_at, 1), shape)
    header = shape.names(heads)
    export = Export(
        content.path,
        header.names,
        separator=separator,
        header_count=header.count,
        aliases=header.aliases,
        time_zone=header.time_zone,
    )
    end = ends[header.count - 1] if ends else 0
    if not any(header.names):
        if any(piece.strip() for piece in (first[end:], *pieces)):
            raise Refused("begins with a line without names; its first line must be the header")
        export.header_count, export.header = 1 if end else 0, []
        return export
    export.chunks = _parsed(export, first[end:], pieces, shape, content.memory)
    return export


def _heads(first: bytes, count: int, shape: Shape) -> tuple[list[list[str]], list[int], str]:
    """The first records as lists of values, where each ends, and what separates values."""
    ends = list(_ends(first, count))
    try:
        texts = [first[a:b].decode() for a, b in zip([0, *ends], ends, strict=False)]
    except UnicodeDecodeError as error:
        raise not_utf8(error.start) from None
    if not texts:
        return [], [], ","
    row = texts[min(shape.header_row, len(texts)) - 1]
    separator = max(SEPARATORS, key=lambda each: len(_split(row, each)))
    return [[value.strip() for value in _split(text, separator)] for text in texts], ends, separator


def _ends(first: bytes, count: int) -> Iterator[int]:
    """Where the first records end."""
    start, end = 0, 0
    for _ in range(count):
        quotes = 1
        while quotes % 2 and end < len(first):
            stop = first.find(b"\n", end)
            end = len(first) if stop < 0 else stop + 1
            quotes = first.count(b'"', start, end)
        if end == start:
            return
        yield end
        start = end


@contextmanager
def _of_any_length() -> Iterator[None]:
    """Python's reader, while it may meet a longer value than its 128 KiB: a label that holds a picture is one."""
    usual = csv.field_size_limit(LONGEST)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


@_of_any_length()
def _split(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line, newline=""), delimiter=separator), [])
    except csv.Error:
        raise Refused("has a header that is no line of values; export it again") from None


def _parsed(export: Export, rest: bytes, pieces: Iterator[bytes], shape: Shape, memory: int) -> Iterator[pl.DataFrame]:
    whole = within(memory, _whole(export, chain([rest], pieces)), len(export.header))
    if export.lines:
        for piece in export.lines.gathered(whole, shape.chunk):
            yield _new_lines(export, export.lines, piece, shape)
    else:
        for data in (part for piece in whole for part in in_parts(piece, len(export.header))):
            yield _told(export, _table(export, data), data, shape)
    if not export.record_count and any(_VALUE.match(name) for name in export.header):
        raise Refused("is one line in which names and values stand together: its line ends were lost; export it again")


def _whole(export: Export, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces that hold something; the last must be whole."""
    last = b""
    for piece in pieces:
        if piece:
            last = piece
            yield piece
    _is_whole(last, export)


def _new_lines(export: Export, lines: Lines, piece: Piece, shape: Shape) -> pl.DataFrame:
    """The records of a piece that are not known. Raises NotByLine where a record and its lines do not agree."""
    if cells(piece.unread, len(export.header)) > CELLS:
        raise NotByLine
    try:
        frame = _table(export, piece.unread)
    except Refused:
        raise NotByLine from None  # what is wrong, and in which record, shows when it is read whole
    if frame.height != piece.is_new.sum():
        raise NotByLine
    before = export.record_count
    told = _told(export, frame, piece.unread, shape, piece.is_new)
    lines.note(piece, told[NUMBER], before)
    return told


def _told(
    export: Export, frame: pl.DataFrame, data: bytes, shape: Shape, is_read: pl.Series | None = None
) -> pl.DataFrame:
    is_guarded = b'="' in data or (b"'" in data and any(guard in data for guard in _GUARDS))
    return export.counted(frame, shape.footers, is_guarded=is_guarded, is_read=is_read)


def _table(export: Export, data: bytes) -> pl.DataFrame:
    names = [str(place) for place in range(len(export.header))]
    try:
        return pl.read_csv(
            export.separator.join(names).encode() + b"\n" + data,
            schema=dict.fromkeys(names, pl.String),
            separator=export.separator,
        )
    except pl.exceptions.PolarsError as error:
        raise _unparsable(data, export, error) from None


@_of_any_length()
def _unparsable(data: bytes, export: Export, error: Exception) -> Refused:
    """Why polars could not parse; its own message may hold values and is not repeated."""
    width, before = len(export.header), export.record_count
    try:
        text = data.decode()
    except UnicodeDecodeError as bad:
        return not_utf8(bad.start)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=export.separator)
    try:
        for number, fields in enumerate(lines, start=before + 1):
            if len(fields) > width:
                return Refused(f"has {len(fields)} values in record {number}; its header has {width} columns")
    except csv.Error:
        pass
    return Refused(f"is not a CSV table ({type(error).__name__}); export it again")


def not_utf8(place: int) -> Refused:
    return Refused(
        f"is not UTF-8 (byte {place} of its chunk); export it as UTF-8, or add encoding = "
        '"windows-1252" (or "mac-roman") to its source'
    )


def _is_whole(last: bytes, export: Export) -> None:
    """A last record without a line end and with fewer values than the header was cut off."""
    if not last or last.endswith(b"\n"):
        return
    start = last.rfind(b"\n") + 1
    while last.count(b'"', start) % 2 and start:
        start = last.rfind(b"\n", 0, start - 1) + 1
    fields, width = _split(last[start:].decode(), export.separator), len(export.header)
    if len(fields) < width:
        raise Refused(f"ends inside a record ({len(fields)} of {width} values): it is truncated; export it again")
