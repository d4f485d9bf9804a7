"""Parquet as DuckDB reads it. Where a file is damaged polars panics, or ends the process (pola-rs/polars 1.x: a length
that is wrong is room that it asks for); DuckDB says so."""

from __future__ import annotations

from typing import BinaryIO

import duckdb
import polars as pl

from warehouse.opening import open_memory


def read_parquet(file: BinaryIO) -> pl.DataFrame:
    """All rows of an open file, in their order. Raises ValueError when it is damaged or truncated. Nothing is spilled:
    an export is not pseudonymous yet."""
    with open_memory(threads=1, temp_directory="") as con:
        con.execute("SET TimeZone = 'UTC'")
        try:
            return pl.DataFrame(con.sql(f"FROM read_parquet('/dev/fd/{file.fileno()}')"))
        except duckdb.Error:
            raise ValueError("damaged or truncated Parquet") from None
