"""A table that is declared and not yet computed."""

import polars as pl

from warehouse.tables import Table

_TYPES = {
    "text": pl.String,
    "integer": pl.Int32,
    "number": pl.Float64,
    "date": pl.Date,
    "truth": pl.Boolean,
}


def nothing(table: Table, like: pl.LazyFrame) -> pl.LazyFrame:
    """No rows, with the table's columns."""
    client = like.collect_schema()["client_id"]
    return pl.LazyFrame(schema={c.name: client if c.type == "id" else _TYPES[c.type] for c in table.columns})
