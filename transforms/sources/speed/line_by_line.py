"""Lines that the last whole export of their source had too. Their content is known, so they are counted and not parsed.

This needs records that depend on their own line alone. A line is known by 64 bits of a keyed hash. That one of ten
million new lines is taken for a known one happens once in a hundred thousand such exports.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import polars as pl

from rapport.transforms.sources.opening.shape import RECORD
from rapport.warehouse.clinic_file.sources import Source

# line: the hash; then of each record that the line holds its kind and id, or what was counted in reading it.
KNOWN_LINES = {"line": pl.UInt64, "records": pl.String, "id": pl.Binary, "counted": pl.String}


def follows_from_its_line(source: Source) -> bool:
    """Whether each record of a source's files is made of one line, and of nothing else in the file."""
    if source.exported_at or source.client_id:  # a client's number may stand in another row of the record
        return False
    by_line = source.format.line_is_record
    return bool(by_line) and source.records in (None, *by_line) and source.dates != "decide"


class NotByLine(Exception):
    """Raised for a file that must be read whole."""


@dataclass(frozen=True)
class Piece:
    """Records of a file, some of them known: the bytes of the others, and their places."""

    unread: bytes
    hashes: pl.Series  # of every record; null for one of several lines
    is_new: pl.Series


@dataclass
class Lines:
    """The lines of the file in hand: those known before, those of them that it holds, and the new ones."""

    seed: int
    known: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=KNOWN_LINES))
    met: list[pl.DataFrame] = field(default_factory=list)
    new: list[pl.DataFrame] = field(default_factory=list)

    def gathered(self, pieces: Iterable[bytes], size: int) -> Iterator[Piece]:
        """The pieces of a file; small ones are put together up to so many bytes. Raises NotByLine."""
        hashes, held = self.known["line"].unique().implode(), []
        for data in pieces:
            held.append(self._parted(data, hashes))
            if sum(len(piece.unread) for piece in held) >= size:
                yield _joined(held)
                held = []
        if held:
            yield _joined(held)

    def _parted(self, data: bytes, known: pl.Series) -> Piece:
        """Whole records apart: known ones and new ones. A record of several lines is always new."""
        try:
            lines = pl.read_lines(io.BytesIO(data)).to_series()
        except pl.exceptions.PolarsError:
            raise NotByLine from None
        record = _record_of(lines) if b'"' in data else None
        hashes = lines.hash(self.seed) if record is None else _hashes(lines, record, self.seed)
        is_new = ~hashes.is_in(known).fill_null(False)
        if is_new.all():
            return Piece(data, hashes, is_new)
        unread = lines.filter(is_new if record is None else is_new.gather(record))
        return Piece("".join(f"{line}\n" for line in unread).encode(), hashes, is_new)

    def note(self, piece: Piece, read: pl.Series, before: int) -> None:
        """Enter a piece that was read: the numbers of its new records without blank ones, and the number of records
        before it.
        """
        numbers = pl.int_range(before + 1, before + 1 + piece.hashes.len(), dtype=pl.Int32, eager=True).alias(RECORD)
        self.met.append(pl.DataFrame([numbers, piece.hashes.alias("line")]).filter(~piece.is_new))
        self.new.append(pl.DataFrame({RECORD: read, "line": piece.hashes.gather(read - before - 1)}).drop_nulls("line"))

    def met_again(self) -> pl.DataFrame:
        """The known facts about the file's lines. Raises NotByLine when a line with records is there twice."""
        met = self._met()["line"].sort()
        found = self.known.filter(pl.col("line").is_in(met.implode()))
        twice = met.filter(met == met.shift())
        if twice.len() and found.drop_nulls("id")["line"].is_in(twice.implode()).any():
            raise NotByLine
        return found

    def _met(self) -> pl.DataFrame:
        return pl.concat([pl.DataFrame(schema={RECORD: pl.Int32, "line": pl.UInt64}), *self.met])

    def numbered(self, met: pl.DataFrame) -> pl.DataFrame:
        """Some of the known facts, with their record_number in this file."""
        return met.join(self._met().filter(pl.col("line").is_in(met["line"].implode())), on="line")

    def known_now(
        self, met: pl.DataFrame, settled: pl.DataFrame, unsettled: pl.Series, counted: pl.DataFrame
    ) -> pl.DataFrame:
        """KNOWN_LINES for the next export: the lines that are here again, and the new lines with nothing open.

        settled: record_number, records, id. unsettled: record_numbers. counted: record_number, counted.
        """
        closed = pl.concat([pl.DataFrame(schema={RECORD: pl.Int32, "line": pl.UInt64}), *self.new])
        closed = closed.filter(~pl.col(RECORD).is_in(unsettled.implode()))
        told = pl.concat([settled, counted], how="diagonal")
        new = closed.join(told, on=RECORD, how="left").select(pl.col(n).cast(d) for n, d in KNOWN_LINES.items())
        return pl.concat([met, new])


def _joined(pieces: list[Piece]) -> Piece:
    if len(pieces) == 1:
        return pieces[0]
    return Piece(
        b"".join(piece.unread for piece in pieces),
        pl.concat([piece.hashes for piece in pieces]),
        pl.concat([piece.is_new for piece in pieces]),
    )


def _record_of(lines: pl.Series) -> pl.Series | None:
    """Each line's record, from 0; None when every line is a record. A line feed between quotes ends no record."""
    odd = lines.str.count_matches('"', literal=True) % 2
    if not (odd == 1).any():
        return None
    begins = (odd.cum_sum() - odd) % 2 == 0
    return begins.cast(pl.UInt32).cum_sum() - 1


def _hashes(lines: pl.Series, record: pl.Series, seed: int) -> pl.Series:
    several = pl.DataFrame({"record": record, "line": lines.hash(seed)}).group_by("record", maintain_order=True)
    return several.agg(line=pl.when(pl.len() == 1).then(pl.col("line").first()))["line"]
