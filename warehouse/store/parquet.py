"""Parquet as DuckDB reads it. Where a file is damaged polars panics, or ends the process (pola-rs/polars 1.x: a length
that is wrong is room that it asks for); DuckDB says so."""

from __future__ import annotations

from typing import BinaryIO

import duckdb
import polars as pl

from rapport.warehouse.store.opening import open_memory


def read_parquet(file: BinaryIO) -> pl.DataFrame:
    """All rows of an open file, in their order. Raises ValueError when it is damaged or truncated, MemoryError when it
    takes more memory than the process may have. Nothing is spilled: an export is not pseudonymous yet."""
    return _asked(f"FROM read_parquet('/dev/fd/{file.fileno()}')")


def read_note(file: BinaryIO, key: str) -> str:
    """What an open file's metadata say under a key. Raises ValueError when it is damaged, or says nothing."""
    notes = _asked(
        f"SELECT decode(value) FROM parquet_kv_metadata('/dev/fd/{file.fileno()}') WHERE decode(key) = '{key}'"
    )
    if notes.is_empty():
        raise ValueError(f"nothing is noted under {key}")
    return str(notes.item(0, 0))


def _asked(query: str) -> pl.DataFrame:
    with open_memory(threads=1, temp_directory="") as con:
        con.execute("SET TimeZone = 'UTC'")
        try:
            return pl.DataFrame(_without_intervals(con, con.sql(query)))
        except (duckdb.Error, pl.exceptions.PolarsError) as error:  # DuckDB's also comes through the stream to polars
            if "Out of Memory" in str(error):
                raise MemoryError from None
            raise ValueError("damaged or truncated Parquet") from None


def _without_intervals(con: duckdb.DuckDBPyConnection, found: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Rows with their intervals, for which polars has no type, as text."""
    odd = [column for column, kind in zip(found.columns, found.types, strict=True) if "INTERVAL" in str(kind)]
    quoted = ['"' + column.replace('"', '""') + '"' for column in odd]
    told = ", ".join(f"CAST({each} AS VARCHAR) AS {each}" for each in quoted)
    return con.sql(f"SELECT * REPLACE ({told}) FROM found") if odd else found  # DuckDB finds the rows by their name
