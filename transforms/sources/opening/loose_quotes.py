"""Delimited text with quotes inside values (12" ruler), read value by value.

A quote opens a value only at its beginning. This is several times slower than polars, which reads all other files.
"""

from __future__ import annotations

import csv
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count, islice

import polars as pl

from rapport.transforms.sources.opening.export import Export
from rapport.warehouse.errors import Refused

LONGEST = 64 << 20  # bytes of one record; a longer one is a quote that is never closed
_END = "\x1e"
AT_ONCE = 50_000  # records of one frame


@contextmanager
def of_any_length() -> Iterator[None]:
    """Set Python's reader to values of any length; its limit is 128 KiB, and a label with a picture is longer."""
    usual = csv.field_size_limit(LONGEST)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def frames(export: Export, pieces: Iterable[bytes]) -> Iterator[tuple[pl.DataFrame, pl.Series]]:
    """All records of the pieces, their columns named by place, and how many values each has. Raises Refused with the
    record, and with the column where it can be told."""
    records = _records(_Lines(pieces), export)
    width = len(export.header)
    while some := list(islice(records, AT_ONCE)):
        counts = pl.Series([len(values) or width for values in some], dtype=pl.UInt32)
        filled = [[value or None for value in values] + [None] * (width - len(values)) for values in some]
        yield pl.DataFrame(filled, schema={str(n): pl.String for n in range(width)}, orient="row"), counts


class _Lines:
    """The text line by line, and a last line that shows whether a value is still open there."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.is_cut = False  # the last line has no end

    def __iter__(self) -> Iterator[str]:
        decode, held = getincrementaldecoder("utf-8")().decode, ""
        for piece in self._pieces:
            try:
                *whole, held = (held + decode(piece)).split("\n")
            except UnicodeDecodeError as error:
                raise not_utf8(error.start) from None
            yield from (f"{line}\n" for line in whole)
        self.is_cut = bool(held)
        if held:
            yield f"{held}\n"
        yield _END


def _records(lines: _Lines, export: Export) -> Iterator[list[str]]:
    before, width, values = export.record_count, len(export.header), []
    rows = csv.reader(lines, delimiter=export.separator)
    for number in count(before + 1):
        following = _next(rows, number)
        if following == [_END]:
            break
        _check(following, number, export.header)
        values = following
        yield values
    if lines.is_cut and 0 < len(values) < width:
        raise Refused(f"ends inside a record ({len(values)} of {width} values): it is truncated; export it again")


def _next(rows: Iterator[list[str]], number: int) -> list[str]:
    with of_any_length():
        try:
            return next(rows)
        except csv.Error:
            raise Refused(
                f"has a value above {LONGEST >> 20} MB in record {number}: a quote is never closed; export it again"
            ) from None


def _check(values: list[str], number: int, header: list[str]) -> None:
    """Refuse a quote that opens a value and does not close it: the lines below would become part of the value."""
    width = len(header)
    is_open = bool(values) and values[-1].endswith(_END)
    if is_open and values[-1].count("\n") == 1:
        raise Refused("ends inside a quoted value: it is truncated; export it again")
    lines_in = next((place for place, value in enumerate(values[:width]) if "\n" in value), None)
    if lines_in is not None and (is_open or len(values) != width):
        raise Refused(
            f"has a quote in record {number}, column '{header[lines_in]}', that is never closed; "
            "export it again, or without that column"
        )
    if len(values) > width:
        raise Refused(f"has {len(values)} values in record {number}; its header has {width} columns")


def not_utf8(place: int) -> Refused:
    return Refused(
        f"is not UTF-8 (byte {place} of its chunk); export it as UTF-8, or add encoding = "
        '"windows-1252" (or "mac-roman") to its source'
    )
