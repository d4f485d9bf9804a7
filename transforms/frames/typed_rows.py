"""Frames made from rows, with the types of their table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from rapport.warehouse.schema.records import RecordKind
from rapport.warehouse.schema.tables import Table

_TYPES = {"text": pl.String, "integer": pl.Int32, "number": pl.Float64, "date": pl.Date, "truth": pl.Boolean}
_RECORD_TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    **_TYPES,
    "id": pl.Binary,
    "instant": pl.Datetime("us", "UTC"),
    "wall": pl.Datetime("us"),
    "names": pl.List(pl.String),
    "answers": pl.List(pl.Float32),
    "given": pl.List(pl.Struct({"scale": pl.String, "score": pl.Float64})),
}


def frame_of_rows(table: Table, rows: Iterable[Mapping[str, object]]) -> pl.LazyFrame:
    """Return the rows of a table without pseudonyms. A missing value is null. There may be no rows."""
    return pl.LazyFrame(list(rows), schema={c.name: _TYPES[c.type] for c in table.columns}, orient="row")


def empty(table: Table) -> pl.DataFrame:
    """Return an empty frame of a table without pseudonyms."""
    return frame_of_rows(table, []).collect()


def empty_records(kind: RecordKind) -> pl.DataFrame:
    """Return an empty frame of a kind of record, with pseudonyms of 16 bytes and the time of the export."""
    schema = {column.name: _RECORD_TYPES[column.type] for column in kind.columns}
    return pl.DataFrame(schema=schema | {"exported_at": _RECORD_TYPES["instant"]})
