"""Tonight's computed rows compared with the rows in the file: only rows that differ are written."""

from __future__ import annotations

import duckdb
import polars as pl

from rapport.warehouse.derived.why_it_moved import columns_noted
from rapport.warehouse.schema.tables import Table
from rapport.warehouse.store.frames import Stream, fetch, fetch_over, insert
from rapport.warehouse.store.one_row import number


def write(con: duckdb.DuckDBPyConnection, table: Table, computed: pl.DataFrame, whose: str = "true") -> tuple[str, str]:
    """Write the computed rows that differ from the table's rows. `whose`: an SQL condition that selects the clients.

    Returns relations of the added rows and of the removed rows.
    """
    held = fetch(con, f"SELECT rowid AS place, {_mark(table)} FROM main.{table.name} WHERE {whose}")
    if held.is_empty():
        return append(con, table, computed), no_rows(table)
    fresh = _marked(con, table, computed)
    gone = _take_out(con, table, _only(held, fresh))
    return append(con, table, computed[_only(fresh, held)["place"]]), gone


def append(con: duckdb.DuckDBPyConnection, table: Table, rows: pl.DataFrame) -> str:
    """Write rows to a table. Return a relation of these rows."""
    if rows.is_empty():
        return no_rows(table)
    last = number(con, f"SELECT coalesce(max(rowid), -1) FROM main.{table.name}")
    insert(con, f"main.{table.name}", rows)
    return f"(FROM main.{table.name} WHERE rowid > {last})"


def no_rows(table: Table) -> str:
    """Return a relation of a table without rows."""
    return f"(FROM main.{table.name} LIMIT 0)"


def _only(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return the places of rows that are not among the others. Two marks as one number are matched in half the time."""
    both = pl.col("mark").cast(pl.UInt128) * 2**64 + pl.col("also")
    return rows.join(others, on=both, how="anti").select("place")


def _take_out(con: duckdb.DuckDBPyConnection, table: Table, places: pl.DataFrame) -> str:
    """Delete rows from the table. Return a relation of their columns that changes are counted by."""
    if places.is_empty():
        return no_rows(table)
    stream = Stream(places)  # noqa: F841  DuckDB finds it by its name
    con.execute("CREATE OR REPLACE TEMP TABLE gone_places AS FROM stream")
    noted = ", ".join(columns_noted(table))
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE gone AS SELECT {noted} FROM main.{table.name} WHERE rowid IN (FROM gone_places)"
    )
    con.execute(f"DELETE FROM main.{table.name} WHERE rowid IN (FROM gone_places)")
    return "gone"


def _marked(con: duckdb.DuckDBPyConnection, table: Table, computed: pl.DataFrame) -> pl.DataFrame:
    """Return the places and marks of computed rows, with the table's types: the hash of a number depends on its
    type."""
    typed = ", ".join(f"{column.name}::{column.sql_type} AS {column.name}" for column in table.columns)
    query = f"SELECT place, {_mark(table)} FROM (SELECT place, {typed} FROM stream)"
    return fetch_over(con, computed.with_row_index("place"), query)


def _mark(table: Table) -> str:
    """Return SQL for a mark of a row in 128 bits: a hash over its columns, and one over its columns in reverse order. A
    key makes rows distinct."""
    columns = table.column_names
    return f"hash({', '.join(columns)}) AS mark, hash({', '.join(reversed(columns))}) AS also"
