"""The last steps inside the building file, before it becomes a version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import duckdb

from rapport.warehouse.intake.staged_rows import enter
from rapport.warehouse.schema.tables import Table
from rapport.warehouse.store.building_file import open_published
from rapport.warehouse.store.compaction import should_be_compacted
from rapport.warehouse.store.one_row import number, one_row
from rapport.warehouse.store.opening import attach


def close_books(con: duckdb.DuckDBPyConnection, load: Mapping[str, object], current: Mapping[str, object]) -> None:
    """Enter the load into load.loads and load.current; data_to is the time of the latest export in the file."""
    enter(con, "load.loads", load)
    con.execute("DELETE FROM load.current")
    data_to = one_row(con, "SELECT max(exported_at) FROM load.files")[0]
    enter(con, "load.current", {**current, "data_to": data_to, "duckdb_version": duckdb.__version__})


def in_one_thread(con: duckdb.DuckDBPyConnection) -> None:
    """Use one thread from here on. Two threads need 1.5 times the processor time to count different people per group
    and to compress the night's changes."""
    con.execute("SET threads = 1")


def seal(con: duckdb.DuckDBPyConnection) -> bool:
    """Write all data into the file, so that no write-ahead log is left. Return whether the file should be compacted."""
    con.execute("DETACH staged")
    con.execute("CHECKPOINT")
    is_empty = should_be_compacted(con)
    con.close()
    return is_empty


def table_counts(con: duckdb.DuckDBPyConnection, tables: list[Table]) -> dict[str, int]:
    """Return the number of rows of each of main's tables."""
    return {table.name: number(con, f"SELECT count(*) FROM main.{table.name}") for table in tables}


def as_of_published(path: Path) -> datetime:
    """Return as_of of the load in a published file."""
    with open_published(path) as con:
        return as_of(con)


def as_of(con: duckdb.DuckDBPyConnection) -> datetime:
    """Return as_of of the load in an open file."""
    clock: datetime = one_row(con, "SELECT as_of FROM load.current")[0]
    return clock


def key_check_of(con: duckdb.DuckDBPyConnection) -> str | None:
    """Return the check value of the warehouse's pseudonym key; None before the first night."""
    row = con.sql("SELECT key_check FROM load.current").fetchone()
    return row[0] if row else None


def withdraw_later(con: duckdb.DuckDBPyConnection, published: Path) -> None:
    """Enter the published file's later loads into this older file, as withdrawn and with their reasons."""
    attach(con, published.resolve(), "later", read_only=True)
    con.execute("""
        INSERT INTO load.loads BY NAME
        SELECT * REPLACE (CASE outcome WHEN 'published' THEN 'withdrawn' ELSE outcome END AS outcome)
        FROM later.load.loads WHERE load_id > (SELECT load_id FROM load.current)""")
    con.execute("DETACH later")
