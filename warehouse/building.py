"""The building file: one DuckDB file in which a night works until it publishes; and `staged`, which is never kept.

Schemas: main (tables), history (every version of every record), dashboard (questions as views), load (the books).
What a night stages lies in an attached in-memory database, so nothing staged is ever in a file that is published.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from warehouse.books import BOOKS
from warehouse.columns import Column
from warehouse.records import FILE_NUMBER, KINDS, PROVENANCE, STAGED_ONLY, VERSION, RecordKind
from warehouse.risk import RISK_ANSWERS
from warehouse.tables import Table

THREADS = 2
MEMORY = "1GB"  # above it DuckDB works in the scratch folder


def open_building(path: Path, scratch: Path) -> duckdb.DuckDBPyConnection:
    """Open (or begin) a building file, with its schemas, history tables, books and an empty `staged`."""
    con = duckdb.connect(str(path), config={"temp_directory": str(scratch), "threads": THREADS, "memory_limit": MEMORY})
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET preserve_insertion_order = false")
    con.execute("SET arrow_lossless_conversion = true")  # a UUID leaves as 16 bytes, not as 36 letters
    for schema in ("history", "load", "dashboard"):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for kind in KINDS.values():
        create(con, f"history.{kind.name}", history_columns(kind))
    for book in BOOKS.values():
        create(con, f"load.{book.name}", book.columns)
    create(con, f"main.{RISK_ANSWERS.name}", RISK_ANSWERS.columns)
    con.execute("ATTACH ':memory:' AS staged")
    for kind in KINDS.values():
        create(con, f"staged.{kind.name}", staged_columns(kind))
    create(con, "staged.files", (*BOOKS["files"].columns, FILE_NUMBER))
    con.execute("CREATE TABLE staged.touched (client_id UUID)")
    con.execute("CREATE TABLE staged.held (records VARCHAR, row_id BIGINT, rule VARCHAR, column_name VARCHAR)")
    return con


def staged_cursor(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A second connection to the same databases, in which bare names are those of `staged`."""
    cursor = con.cursor()
    cursor.execute("USE staged")
    return cursor


def open_published(path: Path) -> duckdb.DuckDBPyConnection:
    """A published file, read-only, as an analyst opens it."""
    con = duckdb.connect(str(path), read_only=True)
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET arrow_lossless_conversion = true")
    return con


def create(con: duckdb.DuckDBPyConnection, name: str, columns: Iterable[Column]) -> None:
    """Create a table if it is not there."""
    con.execute(f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(f'{c.name} {c.sql_type}' for c in columns)})")


def create_tables(con: duckdb.DuckDBPyConnection, tables: Iterable[Table], *, anew: bool) -> None:
    """Create main's tables; `anew` drops them first, because a definition changed."""
    for table in tables:
        if anew:
            con.execute(f"DROP TABLE IF EXISTS main.{table.name}")
        create(con, f"main.{table.name}", table.columns)


def history_columns(kind: RecordKind) -> tuple[Column, ...]:
    return kind.columns + PROVENANCE + VERSION


def staged_columns(kind: RecordKind) -> tuple[Column, ...]:
    provenance = tuple(column for column in PROVENANCE if column.name == "record_number")
    return kind.columns + provenance + STAGED_ONLY + kind.staged_only
