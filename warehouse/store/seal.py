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
    """Enter the load and make load.current its one row; data_to is the latest export in the file."""
    enter(con, "load.loads", load)
    con.execute("DELETE FROM load.current")
    data_to = one_row(con, "SELECT max(exported_at) FROM load.files")[0]
    enter(con, "load.current", {**current, "data_to": data_to, "duckdb_version": duckdb.__version__})


def in_one_thread(con: duckdb.DuckDBPyConnection) -> None:
    """From here on it works in one thread: to count people apart per group, and to pack what a night changed, costs two
    threads half as much processor time again."""
    con.execute("SET threads = 1")


def seal(con: duckdb.DuckDBPyConnection) -> bool:
    """Everything into the one file, with no write-ahead log beside it; whether so much of it is empty that it should
    be compacted."""
    con.execute("DETACH staged")
    con.execute("CHECKPOINT")
    is_empty = should_be_compacted(con)
    con.close()
    return is_empty


def table_counts(con: duckdb.DuckDBPyConnection, tables: list[Table]) -> dict[str, int]:
    """Rows of each of main's tables."""
    return {table.name: number(con, f"SELECT count(*) FROM main.{table.name}") for table in tables}


def as_of_published(path: Path) -> datetime:
    """The clock of the load that a published file carries."""
    with open_published(path) as con:
        return as_of(con)


def as_of(con: duckdb.DuckDBPyConnection) -> datetime:
    """The clock of the load that an open file carries."""
    clock: datetime = one_row(con, "SELECT as_of FROM load.current")[0]
    return clock


def key_check_of(con: duckdb.DuckDBPyConnection) -> str | None:
    """The mark of the pseudonym key that the warehouse was made with; None before the first night."""
    row = con.sql("SELECT key_check FROM load.current").fetchone()
    return row[0] if row else None


def withdraw_later(con: duckdb.DuckDBPyConnection, published: Path) -> None:
    """Enter the loads that the published file has and this older one has not: withdrawn, with what was said of them."""
    attach(con, published.resolve(), "later", read_only=True)
    con.execute("""
        INSERT INTO load.loads BY NAME
        SELECT * REPLACE (CASE outcome WHEN 'published' THEN 'withdrawn' ELSE outcome END AS outcome)
        FROM later.load.loads WHERE load_id > (SELECT load_id FROM load.current)""")
    con.execute("DETACH later")
