"""Frames that are made of rows, with the types that their table states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from rapport.warehouse.schema.tables import Table

_TYPES = {"text": pl.String, "integer": pl.Int32, "number": pl.Float64, "date": pl.Date, "truth": pl.Boolean}


def of_rows(table: Table, rows: Iterable[Mapping[str, object]]) -> pl.LazyFrame:
    """The rows of a table without pseudonyms; what a row does not say is null, and there may be no rows."""
    return pl.LazyFrame(list(rows), schema={c.name: _TYPES[c.type] for c in table.columns}, orient="row")


def empty(table: Table) -> pl.DataFrame:
    """No rows of a table without pseudonyms."""
    return of_rows(table, []).collect()
