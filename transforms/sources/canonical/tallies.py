"""The context of a reader, and its counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from rapport.transforms.sources.opening.shape import RECORD
from rapport.warehouse.clinic_file.memory import USUAL_LEAST
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.toml_keys.keys import keys_of

COUNTED = {RECORD: pl.Int32, "counted": pl.String}
_USUAL = keys_of("clinic")
CLOCK, UNLISTED = "clock ", "unlisted "  # the counts, each with its word: the change of clocks, the column


@dataclass
class Tallies:
    """The reading of one file: the night's clock, facts, and counts for the books."""

    as_of: datetime
    lists: Mapping[str, tuple[str, ...]]
    instruments: Mapping[str, Instrument]
    unlisted: Counter[str] = field(default_factory=Counter)
    clock_changes: Counter[str] = field(default_factory=Counter)
    rereads_at: datetime | None = None  # the beginnings of appointments that were in the future
    exported_at: datetime | None = None  # where a column of the file says so
    retracted: list[tuple[str, pl.DataFrame]] = field(default_factory=list)  # kind, and the ids of what was in error
    made_at: datetime | None = None  # when the file's name says that it was exported
    memory: int = USUAL_LEAST  # bytes that the rows of one file may take, where they must be gathered
    years_back: int = _USUAL["record_years_back"].default  # before the export, that a record's time may lie
    years_ahead: int = _USUAL["record_years_ahead"].default  # after it
    told: list[str] = field(default_factory=list)  # what a person should know of the file, a sentence's end each
    # By kind of id: now, before. The texts by which ids were known to an earlier version of Rapport, or are written.
    former_texts: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    counts: list[pl.DataFrame] = field(default_factory=list)  # record_number, counted: of what was counted, where

    def tell(self, what: str) -> None:
        """Keep a sentence about the file for people: 'has ...', without a name or a value."""
        if what not in self.told:
            self.told.append(what)

    @property
    def known_at(self) -> datetime:
        """The time up to which the file can know the outcome of an appointment."""
        return min(self.exported_at or self.made_at or self.as_of, self.as_of)

    def counted(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Remove a frame's column `clock_change`, and count it."""
        changed = frame.drop_nulls("clock_change")
        self._count(changed.select(RECORD, counted=pl.lit(CLOCK) + pl.col("clock_change")))
        return frame.drop("clock_change")

    def count_unlisted(self, column: str, numbers: pl.Series) -> None:
        """Count texts of a column that the clinic has not listed, by the numbers of their records."""
        self._count(pl.DataFrame({RECORD: numbers}).with_columns(counted=pl.lit(UNLISTED + column)))

    def count_again(self, counted: pl.Series) -> None:
        """Add the counts of known lines, from the night that read them."""
        for words, count in counted.value_counts().iter_rows():
            kind, _, word = words.partition(" ")
            (self.clock_changes if f"{kind} " == CLOCK else self.unlisted)[word] += count

    def _count(self, found: pl.DataFrame) -> None:
        if found.height:
            self.counts.append(found)
            self.count_again(found["counted"])
