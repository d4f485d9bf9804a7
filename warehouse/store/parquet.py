"""Parquet files, read by DuckDB. On a damaged file polars panics or ends the process (pola-rs/polars 1.x asks for
memory of a wrong length); DuckDB raises an error."""

from __future__ import annotations

from typing import BinaryIO

import duckdb
import polars as pl

from rapport.warehouse.store.opening import open_memory


def read_parquet(file: BinaryIO) -> pl.DataFrame:
    """Return all rows of an open file, in their order. Raises ValueError where it is damaged or truncated, MemoryError
    where it needs more memory than the process may use. Nothing is spilled to disk: exports hold names."""
    return _asked(f"FROM read_parquet('/dev/fd/{file.fileno()}')")


def read_note(file: BinaryIO, key: str) -> str:
    """Return the value of a key in an open file's metadata. Raises ValueError where it is damaged or has no such
    key."""
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
        except (duckdb.Error, pl.exceptions.PolarsError) as error:  # polars also passes on DuckDB's errors
            if "Out of Memory" in str(error):
                raise MemoryError from None
            raise ValueError("damaged or truncated Parquet") from None


def _without_intervals(con: duckdb.DuckDBPyConnection, found: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Return the rows with intervals as text: polars has no type for them."""
    odd = [column for column, kind in zip(found.columns, found.types, strict=True) if "INTERVAL" in str(kind)]
    quoted = ['"' + column.replace('"', '""') + '"' for column in odd]
    told = ", ".join(f"CAST({each} AS VARCHAR) AS {each}" for each in quoted)
    return con.sql(f"SELECT * REPLACE ({told}) FROM found") if odd else found  # DuckDB finds the rows by their name
