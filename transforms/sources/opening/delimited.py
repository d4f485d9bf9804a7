"""Delimited text: UTF-8 pieces cut between records, parsed by polars into text columns. Nothing is converted here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

import polars as pl

from rapport.transforms.sources.opening.content import Content
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.loose_quotes import LONGEST, frames, not_utf8, of_any_length
from rapport.transforms.sources.opening.record_ends import CELLS, Quotes, cells, in_parts, whole_records, within
from rapport.transforms.sources.opening.shape import NUMBER, Shape
from rapport.transforms.sources.opening.short_records import value_counts
from rapport.transforms.sources.speed.line_by_line import Lines, NotByLine, Piece
from rapport.warehouse.errors import Refused

SEPARATORS = ",;\t|^"  # the separators of REDCap and spreadsheets
_VALUE = re.compile(r"^\d{4}-\d\d-\d\d|^-?\d+([.,]\d+)?$")  # what a column is not called
_SEPARATOR = re.compile(rb'"?sep=.?"?[,;\t ]*\r?\n', re.IGNORECASE)  # how Excel is told what separates values
_GUARDS = (b"'-", b"'=", b"'+", b"'@")  # what keeps a spreadsheet from computing a cell


def open_delimited(content: Content, shape: Shape) -> Export:
    """Open delimited text. Raises Refused with the reason when it is not a table."""
    quotes = Quotes()
    pieces = whole_records(content.text(shape.encoding, shape.chunk), max(LONGEST, 4 * shape.chunk), quotes)
    first = next(pieces, b"")
    if _SEPARATOR.match(first):
        shape = replace(shape, header_row=max(shape.header_row, 2))
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
    export.chunks = _parsed(export, chain([first[end:]], pieces), shape, content.memory, quotes)
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


@of_any_length()
def _split(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line, newline=""), delimiter=separator), [])
    except csv.Error:
        raise Refused("has a header that is no line of values; export it again") from None


def _parsed(
    export: Export, pieces: Iterator[bytes], shape: Shape, memory: int, quotes: Quotes
) -> Iterator[pl.DataFrame]:
    whole = within(memory, _whole(export, pieces, quotes), len(export.header))
    if export.lines:
        for piece in export.lines.gathered(whole, shape.chunk):
            if not quotes.are_paired:
                raise NotByLine
            yield _new_lines(export, export.lines, piece, shape)
    else:
        yield from _tables(export, whole, shape, quotes)
    if not export.record_count and any(_VALUE.match(name) for name in export.header):
        raise Refused("is one line in which names and values stand together: its line ends were lost; export it again")


def _tables(export: Export, whole: Iterator[bytes], shape: Shape, quotes: Quotes) -> Iterator[pl.DataFrame]:
    """The records of all pieces. polars parses them; from the first piece that it refuses on, values are read one by
    one.
    """
    parts = (part for piece in whole for part in in_parts(piece, len(export.header)))
    for data in parts:
        frame = _table(export, data) if quotes.are_paired else None
        if frame is None:
            for loose, counts in frames(export, chain([data], parts)):
                yield export.counted(loose, shape.footers, is_guarded=True, value_counts=counts)
            return
        yield _told(export, frame, data, shape)


def _whole(export: Export, pieces: Iterable[bytes], quotes: Quotes) -> Iterator[bytes]:
    """The pieces that are not empty; the last must be whole."""
    last = b""
    for piece in pieces:
        if piece:
            last = piece
            yield piece
    if quotes.are_paired:
        _is_whole(last, export)


def _new_lines(export: Export, lines: Lines, piece: Piece, shape: Shape) -> pl.DataFrame:
    """The unknown records of a piece. Raises NotByLine where a record and its lines do not agree."""
    if cells(piece.unread, len(export.header)) > CELLS:
        raise NotByLine
    frame = _table(export, piece.unread)
    if frame is None or frame.height != piece.is_new.sum():
        raise NotByLine  # what is wrong, and in which record, shows when it is read whole
    before = export.record_count
    told = _told(export, frame, piece.unread, shape, piece.is_new)
    lines.note(piece, told[NUMBER], before)
    return told


def _told(
    export: Export, frame: pl.DataFrame, data: bytes, shape: Shape, is_read: pl.Series | None = None
) -> pl.DataFrame:
    is_guarded = b'="' in data or (b"'" in data and any(guard in data for guard in _GUARDS))
    counts = value_counts(frame, data, export.separator)
    return export.counted(frame, shape.footers, is_guarded=is_guarded, is_read=is_read, value_counts=counts)


def _table(export: Export, data: bytes) -> pl.DataFrame | None:
    """polars' table of whole records; None where it cannot parse them."""
    names = [str(place) for place in range(len(export.header))]
    try:
        return pl.read_csv(
            export.separator.join(names).encode() + b"\n" + data,
            schema=dict.fromkeys(names, pl.String),
            separator=export.separator,
        )
    except pl.exceptions.PolarsError:
        return None  # its message may hold values


def _is_whole(last: bytes, export: Export) -> None:
    """Refuse a last record without a line end and with fewer values than the header: the file was cut off there."""
    if not last or last.endswith(b"\n"):
        return
    start = last.rfind(b"\n") + 1
    while last.count(b'"', start) % 2 and start:
        start = last.rfind(b"\n", 0, start - 1) + 1
    fields, width = _split(last[start:].decode(), export.separator), len(export.header)
    if len(fields) < width:
        raise Refused(f"ends inside a record ({len(fields)} of {width} values): it is truncated; export it again")
