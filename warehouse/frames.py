"""Frames into DuckDB and back, through Arrow's C stream alone: neither pyarrow nor pandas is needed or imported.

In frames a pseudonym is 16 bytes: half the work of the 36 letters that a UUID is written with.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import polars as pl
from polars.io.plugins import register_io_source

THREADS = 2


class Stream:
    """A polars frame as DuckDB scans it."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def insert(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    """Append a frame to a table, column by name."""
    stream = Stream(frame)  # noqa: F841  DuckDB finds it by its name
    values = (f"{name}::UUID" if dtype == pl.Binary else name for name, dtype in frame.schema.items())
    con.execute("SET threads = 1")  # a stream has one reader; a second thread would spin beside it, at twice the cost
    con.execute(f"INSERT INTO {table} ({', '.join(frame.columns)}) SELECT {', '.join(values)} FROM stream")
    con.execute(f"SET threads = {THREADS}")


def fetch(con: duckdb.DuckDBPyConnection, query: str, parameters: list | None = None) -> pl.DataFrame:
    """A query's rows as a frame; times are UTC, pseudonyms are 16 bytes."""
    return pl.DataFrame(con.sql(query, params=parameters))


def lazy_table(con: duckdb.DuckDBPyConnection, table: str) -> pl.LazyFrame:
    """A table as a lazy frame: only the columns that a query uses leave DuckDB."""

    def scan(
        columns: list[str] | None, predicate: pl.Expr | None, row_count: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        limit = "" if row_count is None else f" LIMIT {row_count}"
        frame = fetch(con, f"SELECT {', '.join(columns or ['*'])} FROM {table}{limit}")
        yield frame if predicate is None else frame.filter(predicate)

    return register_io_source(scan, schema=fetch(con, f"SELECT * FROM {table} LIMIT 0").schema, is_pure=True)
