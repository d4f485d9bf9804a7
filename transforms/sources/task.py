"""What a reader needs beside the file, and what it counts in passing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from warehouse.instruments import Instrument


@dataclass
class Task:
    """One file's reading: the night's clock, the facts, and the tallies that go to the books."""

    as_of: datetime
    lists: Mapping[str, tuple[str, ...]]
    instruments: Mapping[str, Instrument]
    unlisted: Counter[str] = field(default_factory=Counter)
    clock_changes: Counter[str] = field(default_factory=Counter)
    rereads_at: datetime | None = None  # when an appointment that was still to come begins
    exported_at: datetime | None = None  # where a column of the file says so
    retracted: list[tuple[str, pl.DataFrame]] = field(default_factory=list)  # kind, and the ids of what was in error
    made_at: datetime | None = None  # when the file's name says that it was exported

    @property
    def known_at(self) -> datetime:
        """The time up to which the file can know what happened."""
        return min(self.exported_at or self.made_at or self.as_of, self.as_of)

    def counted(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Take a frame's `clock_change` off and count it."""
        changes = frame["clock_change"].drop_nulls().value_counts()
        self.clock_changes.update(dict(changes.iter_rows()))
        return frame.drop("clock_change")
