"""Frames into DuckDB and back, through Arrow's C stream alone: neither pyarrow nor pandas is needed or imported."""

from __future__ import annotations

import duckdb
import polars as pl


class Stream:
    """A polars frame as DuckDB scans it."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def insert(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    """Append a frame to a table, column by name."""
    stream = Stream(frame)  # noqa: F841  DuckDB finds it by its name
    columns = ", ".join(frame.columns)
    con.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM stream")


def fetch(con: duckdb.DuckDBPyConnection, query: str, parameters: list | None = None) -> pl.DataFrame:
    """A query's rows as a frame; times are UTC, pseudonyms are text."""
    return pl.DataFrame(con.sql(query, params=parameters))
