"""An export that is read as a table of text."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import polars as pl
from polars import selectors as cs

from rapport.transforms.sources.opening.pages import Pages
from rapport.transforms.sources.opening.shape import LOST, MARK, NUMBER, cell
from rapport.transforms.sources.speed.line_by_line import Lines
from rapport.warehouse.errors import MissingColumn, Refused
from rapport.warehouse.schema.records import TOO_SHORT, held_by

_BY_PLACE = re.compile(r"(.*)#([0-9]{1,9})", re.DOTALL)
_GUARDED = r'^(?:="([^"]*)"|\'([-=+@].*))$'


@cache
def forgiving(name: str) -> str:
    """A column's name without the differences that programs make: capitals, blanks, accents, and the kind of each mark.

    The number of marks stays: Q1_1 is not Q11, and the boxes field___1 and field____1 are two.
    """
    letters = unicodedata.normalize("NFKD", " ".join(name.casefold().split()))
    bare = "".join(each for each in letters if unicodedata.category(each)[0] not in "MC")
    return re.sub(r"[\W_]", "_", bare.rstrip(":?.* "))


@dataclass
class Export:
    """An open file: its header, its chunks, and its counts."""

    path: Path
    header: list[str]
    chunks: Iterator[pl.DataFrame] = field(default_factory=lambda: iter(()))
    record_count: int = 0
    blank_count: int = 0
    header_count: int = 1
    separator: str = ","
    wanted: set[str] = field(default_factory=set)
    aliases: Mapping[str, int] = field(default_factory=dict)
    time_zone: str | None = None
    has_date_cells: bool = False  # a workbook: a time of 00:00 is a date
    pages: Pages = field(default_factory=Pages)
    told: list[str] = field(default_factory=list)  # what a person should know of the file: 'holds ...'
    lines: Lines | None = None  # of a file of which not every line need be read
    again: Callable[[], Export] | None = None  # opens the file once more, for what only all of its rows can decide
    has_columns: bool = True  # not messages, and not resources that leave out what is empty
    passing: set[str] = field(default_factory=set)  # columns whose coming and going is no change of the export
    used_before: frozenset[str] = frozenset()  # the columns that were read of the source's last export
    missing_ok: frozenset[str] = frozenset()  # the columns that may be missing, as `forgiving` writes them
    absent: set[str] = field(default_factory=set)  # mapped columns that are missing: read as empty
    vanished: set[str] = field(default_factory=set)  # of these and of the optional ones, those that were read before

    def tell(self, what: str) -> None:
        """Keep a sentence about the file for people: 'has ...', without a name or a value."""
        if what not in self.told:
            self.told.append(what)

    def need(self, columns: Iterable[str]) -> None:
        """Say which columns will be used. Raises Refused when one is missing or stands twice."""
        for column in columns:
            if column not in self.absent:
                self.place(column)
                self.wanted.add(column)

    def need_mapped(self, columns: Iterable[str]) -> None:
        """Say which optional columns will be used that clinic.toml or a preset names.

        One that is missing is read as empty where `missing_ok` names it. Where the last export had it, it is read as
        empty too, and noted in `vanished`: the file is held back. Else it was never there: raises Refused.
        """
        for column in columns:
            if not self.has(column) and (self._may_be_missing(column) or column in self.used_before):
                self.absent.add(column)
                self._note_vanished(column)
            self.need([column])

    def place(self, column: str) -> int:
        """Where a column stands: by its name, as the second of its name ('Paid#2'), or by its place ('#5')."""
        count = self.header.count(column)
        if count == 1:
            return self.header.index(column)
        if not count and column in self.aliases:
            return self.aliases[column]
        if count > 1:
            raise Refused(f"has the column '{column}' {count} times; say which ('{column}#1'), or export it once")
        if match := _BY_PLACE.fullmatch(column):
            name, number = match[1], int(match[2])
            places = [n for n, each in enumerate(self.header) if each == name or not name]
            if 1 <= number <= len(places):
                return places[number - 1]
        return self._alike(column)

    def _alike(self, column: str) -> int:
        """The place of the one column whose name is equal after `forgiving`."""
        places = [place for place, name in enumerate(self.header) if name and forgiving(name) == forgiving(column)]
        if len(places) == 1:
            return places[0]
        if places:
            named = ", ".join(f"'{self.header[place]}'" for place in places)
            raise MissingColumn(column, f"has no column '{column}' but {named}; say in clinic.toml which it is")
        raise MissingColumn(column, f"has no column '{column}'; export it, or correct clinic.toml")

    def has(self, column: str) -> bool:
        """Whether there is one column of this name."""
        try:
            self.place(column)
        except Refused:
            return False
        return True

    def want(self, columns: Iterable[str]) -> list[str]:
        """Those of these columns that the file has. They count as used. Those that it had are noted in `vanished`."""
        present = []
        for column in columns:
            if self.has(column):
                present.append(column)
            else:
                self._note_vanished(column)
        self.need(present)
        return present

    def _note_vanished(self, column: str) -> None:
        if column in self.used_before and not self._may_be_missing(column):
            self.vanished.add(column)

    def _may_be_missing(self, column: str) -> bool:
        return forgiving(column) in self.missing_ok

    def columns(self) -> Iterator[tuple[int, str, str | None]]:
        """Every column: its place, from 1; its name as `forgiving` writes it, numbered from the second one of that
        name; and the name under which it is read, or None.
        """
        read = {self.place(column): column for column in self.wanted if not column.startswith(MARK)}
        passing = set(map(forgiving, self.passing))
        seen: Counter[str] = Counter()
        for place, name in enumerate(self.header if self.has_columns else ()):
            plain = forgiving(name)
            if plain and plain not in passing:
                seen[plain] += 1
                yield place + 1, plain if seen[plain] == 1 else f"{plain}#{seen[plain]}", read.get(place)

    def counted(
        self,
        frame: pl.DataFrame,
        footers: tuple[str, ...] = (),
        *,
        is_guarded: bool = False,
        is_read: pl.Series | None = None,
        value_counts: pl.Series | None = None,
    ) -> pl.DataFrame:
        """The wanted columns of the next records, numbered. Blank records and footers are counted and removed.

        The frame's columns have their place as name. `is_read`: which of the next records the frame holds, if not all.
        `value_counts`: how many values each record has; a record without a place for a wanted column is marked in LOST.
        """
        used = {column: str(self.place(column)) for column in sorted(self.wanted)}
        places = pl.int_range(frame.height, eager=True) if is_read is None else is_read.arg_true()
        numbered = frame.select((places + self.record_count + 1).cast(pl.Int32).alias(NUMBER), pl.all())
        numbered = _with_short(numbered, value_counts, max(map(int, used.values()), default=-1) + 1)
        self.record_count += frame.height if is_read is None else is_read.len()
        filled = _without_footers(_filled(numbered, frame.columns), frame.columns, footers)
        self.blank_count += frame.height - filled.height
        told = filled.select(
            cs.by_name(NUMBER, LOST, require_all=False),
            *(pl.col(place).alias(column) for column, place in used.items()),
        )
        return told.with_columns(map(_unguarded, used)) if is_guarded else told


def with_blank_columns(export: Export, names: Sequence[str]) -> Export:
    """The export as if it had these columns too, with nothing in them. A check reads on past missing columns so."""
    if not names:
        return export
    blank = [pl.lit(None, dtype=pl.String).alias(name) for name in names]

    def chunks() -> Iterator[pl.DataFrame]:
        export.need(made.wanted.difference(names))
        yield from (chunk.with_columns(blank) for chunk in export.chunks)

    made = replace(export, header=[*export.header, *names], chunks=chunks(), wanted=set())
    if again := export.again:
        made.again = lambda: with_blank_columns(again(), names)
    return made


def _with_short(numbered: pl.DataFrame, counts: pl.Series | None, needed: int) -> pl.DataFrame:
    """With LOST for records that have fewer values than are needed."""
    if counts is None or not (counts < needed).any():
        return numbered
    return numbered.with_columns(pl.when(counts < needed).then(pl.lit([held_by(TOO_SHORT)])).alias(LOST))


def _filled(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Without blank records, quoted or not."""
    if not names or not _is_blank(names[0], frame).any():
        return frame
    return frame.filter(~pl.all_horizontal([_is_blank(name, frame) for name in names]))


def _is_blank(name: str, frame: pl.DataFrame) -> pl.Series:
    return frame[name].is_null() | (frame[name].str.len_bytes() == 0)


def _without_footers(frame: pl.DataFrame, names: list[str], footers: tuple[str, ...]) -> pl.DataFrame:
    """Without the records whose first written value begins with a footer's word."""
    if not footers:
        return frame
    first = pl.coalesce(pl.col(name).str.strip_chars().replace("", None) for name in names)
    return frame.filter(~pl.any_horizontal(first.str.starts_with(word) for word in footers).fill_null(False))


def _unguarded(column: str) -> pl.Expr:
    """A cell without the signs that keep a spreadsheet from computing it: ="00123" and '-0.1 are 00123 and -0.1."""
    bare = cell(column).str.strip_chars().str.extract_groups(_GUARDED)
    return pl.coalesce(bare.struct["1"], bare.struct["2"], cell(column)).alias(column)
