"""The declared shape of an export, and the columns that Rapport adds to the export's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl
from polars import selectors as cs

from rapport.warehouse.errors import Refused

CHUNK = 32 << 20  # bytes; a chunk's text columns are the reader's peak of memory
RECORD = "record_number"
# What a chunk holds beside the export's columns. No column of an export has such a name: names are stripped of blanks,
# and the mark is one.
MARK = "\x1e"
NUMBER, COUNT, LOST = f"{MARK}record_number", f"{MARK}record_count", f"{MARK}unreadable"
SENT = f"{MARK}sent_at"  # in an export of messages: when the last message about a record was sent
BESIDE = cs.by_name(NUMBER, COUNT, LOST, SENT, require_all=False)


def cell(column: str) -> pl.Expr:
    """A column of the export under any name: polars takes "*" and names that begin with "^" for patterns."""
    return cs.by_name(column).as_expr() if column.startswith(("*", "^")) else pl.col(column)


@dataclass(frozen=True)
class Header:
    """The names of the columns, and how many records the header takes."""

    names: list[str]
    count: int
    aliases: Mapping[str, int] = field(default_factory=dict)  # other names of columns -> their place
    time_zone: str | None = None  # that the header says its times are in


@dataclass(frozen=True)
class Shape:
    """The shape that clinic.toml gives a source's files."""

    encoding: str = "utf-8"
    chunk: int = CHUNK
    sheet: str | None = None
    header_row: int = 1
    footers: tuple[str, ...] = ()
    rows_of_header: int = 1  # that may belong to it, from its first
    read_header: Callable[[list[list[str]]], Header] | None = None  # of a format with more than one

    @property
    def looks_at(self) -> int:
        return self.header_row - 1 + self.rows_of_header

    def names(self, heads: list[list[str]]) -> Header:
        """The header from the first records. Raises Refused when there are fewer records than header rows."""
        if len(heads) < self.header_row and any(map(any, heads)):
            raise Refused(f"has no record {self.header_row}, where clinic.toml says its header is (header_row)")
        if self.read_header and any(map(any, heads)):
            found = self.read_header(heads[self.header_row - 1 :])
            return replace(found, count=self.header_row - 1 + found.count)
        return Header(
            heads[self.header_row - 1] if len(heads) >= self.header_row else [],
            min(self.header_row, max(len(heads), 1)),
        )
