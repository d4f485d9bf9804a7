"""Pieces of text, cut between records wherever quotes are; and the number of cells that they may become."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rapport.transforms.sources.opening.bounded import too_large

CELLS = 16 << 20  # cells that are parsed at once: 16 bytes each, also where they are empty


@dataclass
class Quotes:
    """Whether quotes still open and close values. After a lone quote pieces end at any place."""

    are_paired: bool = True


def whole_records(pieces: Iterator[bytes], longest: int, quotes: Quotes) -> Iterator[bytes]:
    """The pieces, cut between records as long as quotes are paired."""
    held = b""
    for piece in pieces:
        held += piece
        cut = last_record_end(held)
        if not cut and len(held) > longest:
            break
        if cut:
            yield held[:cut]
            held = held[cut:]
    else:
        quotes.are_paired = held.count(b'"') % 2 == 0
        if held:
            yield held
        return
    quotes.are_paired = False
    yield held
    yield from pieces


def last_record_end(data: bytes) -> int:
    """The end of the last whole record: a line feed with an even number of quotes before it."""
    end = data.rfind(b"\n") + 1
    if not data.count(b'"', 0, end) % 2:
        return end
    while end:
        previous = data.rfind(b"\n", 0, end - 1) + 1
        if data.count(b'"', previous, end) % 2:
            return previous
        end = previous
    return 0


def cells(data: bytes, width: int) -> int:
    """How many cells whole records become under a header of so many columns."""
    count = data.count(b"\n") * width
    if count > len(data) and b'"' in data:  # line feeds between quotes end no record
        count = sum(part.count(b"\n") for part in data.split(b'"')[::2]) * width
    return count


def within(memory: int, pieces: Iterable[bytes], width: int) -> Iterator[bytes]:
    """The pieces, as long as their cells are no more than the bytes that may be read. The missing cells of a short
    record count too.
    """
    count = 0
    for piece in pieces:
        count += cells(piece, width)
        if count > memory:
            raise too_large(memory)
        yield piece


def in_parts(data: bytes, width: int) -> Iterator[bytes]:
    """Whole records in parts of no more than CELLS: a short record has as many cells as the header."""
    middle = last_record_end(data[: len(data) // 2]) if cells(data, width) > CELLS else 0
    if not middle:
        yield data
        return
    yield from in_parts(data[:middle], width)
    yield from in_parts(data[middle:], width)
