"""Frames made from rows, with the types of their table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from rapport.warehouse.schema.tables import Table

_TYPES = {"text": pl.String, "integer": pl.Int32, "number": pl.Float64, "date": pl.Date, "truth": pl.Boolean}


def frame_of_rows(table: Table, rows: Iterable[Mapping[str, object]]) -> pl.LazyFrame:
    """Return the rows of a table without pseudonyms. A missing value is null. There may be no rows."""
    return pl.LazyFrame(list(rows), schema={c.name: _TYPES[c.type] for c in table.columns}, orient="row")


def empty(table: Table) -> pl.DataFrame:
    """Return an empty frame of a table without pseudonyms."""
    return frame_of_rows(table, []).collect()
