"""The door: a delivered file becomes all-text tables, a chunk of whole records at a time.

Bytes -> encoding -> "is this a web page" -> chunks cut between records -> text columns with their record number.
Nothing is guessed and nothing is converted here. Numbers of records are exact, so the books can balance.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from warehouse.errors import Refused

CHUNK = 32 << 20  # bytes; a chunk's text columns are the reader's peak of memory
RECORD = "record_number"
SEPARATORS = ",;\t|^"  # what REDCap and spreadsheets offer


@dataclass
class Opened:
    """A file being read: its header, its chunks, and what was counted in passing."""

    path: Path
    header: list[str]
    chunks: Iterator[pl.DataFrame]
    record_count: int = 0
    blank_count: int = 0
    header_count: int = 1
    separator: str = ","
    wanted: set[str] = field(default_factory=set)

    def need(self, columns: list[str]) -> None:
        """Say which columns will be used. Raises Refused when one is missing or stands twice."""
        for column in columns:
            count = self.header.count(column)
            if count == 0:
                raise Refused(f"has no column '{column}'; export it, or correct clinic.toml")
            if count > 1:
                raise Refused(f"has the column '{column}' {count} times; export it once")
        self.wanted.update(columns)

    def want(self, columns: list[str]) -> list[str]:
        """Of these columns the ones that the file has; they will be used."""
        present = [column for column in columns if column in self.header]
        self.need(present)
        return present


def digest_of(path: Path) -> str:
    """SHA-256 of the file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_table(path: Path, encoding: str = "utf-8", chunk: int = CHUNK) -> Opened:
    """Open a CSV or Parquet file. Raises Refused with the reason when it is not a table."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise Refused(f"cannot be read ({error.strerror}); let the night's user read it") from None
    if not start:
        raise Refused("is empty (0 bytes); export it again")
    if start.startswith(b"PAR1"):
        return _open_parquet(path)
    _is_text(start, encoding)
    return _open_csv(path, encoding, chunk)


def _is_text(start: bytes, encoding: str) -> None:
    looks = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if looks.startswith((b"<!doctype", b"<html")):
        raise Refused("is a web page, not a data file (an expired login?); download the export again")
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Refused("is a spreadsheet or an archive; export it as CSV")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding != "utf-16":
        raise Refused('is in UTF-16; add encoding = "utf-16" to its source in clinic.toml')


def _open_csv(path: Path, encoding: str, chunk: int) -> Opened:
    pieces = _records(path, encoding, chunk)
    first = next(pieces, b"")
    header, end, separator = _header(first)
    opened = Opened(path, header, iter(()), separator=separator)
    if not any(header):
        if any(piece.strip() for piece in (first[end:], *pieces)):
            raise Refused("begins with a line without names; its first line must be the header")
        opened.header_count, opened.header = 1 if end else 0, []
        return opened
    opened.chunks = _parsed(opened, first[end:], pieces)
    return opened


def _records(path: Path, encoding: str, chunk: int) -> Iterator[bytes]:
    """The file as UTF-8, in pieces that end between records. A quote never closed is a truncated file."""
    held = b""
    for piece in _pieces(path, encoding, chunk):
        held += piece
        cut = _last_record_end(held)
        if cut:
            yield held[:cut]
            held = held[cut:]
    if held:
        if held.count(b'"') % 2:
            raise Refused("ends inside a quoted value: it is truncated; export it again")
        yield held


def _pieces(path: Path, encoding: str, chunk: int) -> Iterator[bytes]:
    codec = {"utf-8": "utf-8-sig", "windows-1252": "cp1252"}.get(encoding, encoding)
    if codec != "utf-8-sig":
        with path.open("r", encoding=codec, newline="") as file:
            try:
                while text := file.read(chunk):
                    yield text.encode()
            except UnicodeError:
                raise Refused(f"is not text in {encoding}; correct encoding in clinic.toml") from None
        return
    with path.open("rb") as file:
        if file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)
        while piece := file.read(chunk):
            yield piece


def _last_record_end(data: bytes) -> int:
    """Where the last whole record ends: after a line feed with an even number of quotes before it."""
    end = data.rfind(b"\n") + 1
    if not data.count(b'"', 0, end) % 2:
        return end
    while end:
        previous = data.rfind(b"\n", 0, end - 1) + 1
        if data.count(b'"', previous, end) % 2:
            return previous
        end = previous
    return 0


def _header(first: bytes) -> tuple[list[str], int, str]:
    """The header's names, stripped, where the records begin, and what separates values."""
    end, quotes = 0, 1
    while quotes % 2 and end < len(first):
        stop = first.find(b"\n", end)
        end = len(first) if stop < 0 else stop + 1
        quotes = first.count(b'"', 0, end)
    try:
        splits = {each: _split(first[:end].decode(), each) for each in SEPARATORS}
    except UnicodeDecodeError as error:
        raise _not_utf8(error.start) from None
    if b"\r" in first[: end - 2] and b"\n" not in first[: end - 2]:
        raise Refused("ends its lines with a carriage return alone; save it with LF or CRLF line ends")
    separator = max(splits, key=lambda each: len(splits[each]))
    return [name.strip() for name in splits[separator]], end, separator


def _split(line: str, separator: str) -> list[str]:
    return next(csv.reader(io.StringIO(line, newline=""), delimiter=separator), [])


def _parsed(opened: Opened, rest: bytes, pieces: Iterator[bytes]) -> Iterator[pl.DataFrame]:
    last = b""
    while rest is not None:
        if rest:
            last = rest
            yield _parse(opened, rest)
        rest = next(pieces, None)
    _is_whole(last, opened)


def _parse(opened: Opened, data: bytes) -> pl.DataFrame:
    names = [str(place) for place in range(len(opened.header))]
    used = [names[opened.header.index(column)] for column in sorted(opened.wanted)]
    try:
        frame = pl.read_csv(
            io.BytesIO(opened.separator.join(names).encode() + b"\n" + data),
            schema=dict.fromkeys(names, pl.String),
            separator=opened.separator,
        )
    except pl.exceptions.PolarsError as error:
        raise _unparsable(data, opened, error) from None
    numbered = frame.with_row_index(RECORD, offset=opened.record_count + 1).cast({RECORD: pl.Int32})
    opened.record_count += frame.height
    filled = _filled(numbered, names)
    opened.blank_count += frame.height - filled.height
    return filled.select(RECORD, *(pl.col(n).alias(c) for n, c in zip(used, sorted(opened.wanted), strict=True)))


def _filled(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Without the records in which nothing is written, quoted or not."""
    if not _is_blank(names[0], frame).any():
        return frame
    return frame.filter(~pl.all_horizontal([_is_blank(name, frame) for name in names]))


def _is_blank(name: str, frame: pl.DataFrame) -> pl.Series:
    return frame[name].is_null() | (frame[name].str.len_bytes() == 0)


def _unparsable(data: bytes, opened: Opened, error: Exception) -> Refused:
    """Why polars could not parse; its own message may hold values and is not repeated."""
    width, before = len(opened.header), opened.record_count
    try:
        text = data.decode()
    except UnicodeDecodeError as bad:
        return _not_utf8(bad.start)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=opened.separator)
    for number, fields in enumerate(lines, start=before + 1):
        if len(fields) > width:
            return Refused(f"has {len(fields)} values in record {number}; its header has {width} columns")
    return Refused(f"is not a CSV table ({type(error).__name__}); export it again")


def _not_utf8(place: int) -> Refused:
    return Refused(
        f'is not UTF-8 (byte {place} of its chunk); export it as UTF-8, or add encoding = "windows-1252" to its source'
    )


def _is_whole(last: bytes, opened: Opened) -> None:
    """A last record without a line end and with fewer values than the header was cut off."""
    if not last or last.endswith(b"\n"):
        return
    start = last.rfind(b"\n") + 1
    while last.count(b'"', start) % 2 and start:
        start = last.rfind(b"\n", 0, start - 1) + 1
    fields, width = _split(last[start:].decode(), opened.separator), len(opened.header)
    if len(fields) < width:
        raise Refused(f"ends inside a record ({len(fields)} of {width} values): it is truncated; export it again")


def _open_parquet(path: Path) -> Opened:
    try:
        frame = pl.read_parquet(path)
    except pl.exceptions.PolarsError:
        raise Refused("begins like Parquet but is damaged or truncated; export it again") from None
    opened = Opened(path, [name.strip() for name in frame.columns], iter(()), header_count=0)
    opened.chunks = _parquet_text(opened, frame.rename(dict(zip(frame.columns, opened.header, strict=True))))
    return opened


def _parquet_text(opened: Opened, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    opened.record_count = frame.height
    zoned = [n for n, t in frame.schema.items() if isinstance(t, pl.Datetime) and t.time_zone]
    text = frame.with_columns(
        pl.col(zoned).dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"),
    ).cast(pl.String)
    numbered = text.with_row_index(RECORD, offset=1).cast({RECORD: pl.Int32})
    yield numbered.select(RECORD, *sorted(opened.wanted))
