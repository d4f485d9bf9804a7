"""Appointments of a known system: its own table brought into the plain format's columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from rapport.transforms.sources import table
from rapport.transforms.sources.canonical.reading_tallies import Task
from rapport.transforms.sources.opening.opened import Opened
from rapport.warehouse.clinic_file.sources import Source


def read(
    opened: Opened, source: Source, task: Task, columns: dict[str, str] | None = None
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Appointments of a table whose columns a module knows; what clinic.toml maps wins."""
    known = {name: (column,) for name, column in (columns or {}).items() if name not in source.constants}
    yield from table.read(opened, replace(source, columns={**known, **source.columns}), task)
