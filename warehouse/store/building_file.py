"""The building file: one DuckDB file in which a night works until it publishes; and `staged`, which is never kept.

Schemas: main (tables), history (every version of every record), dashboard (questions as views), load (the books).
What a night stages lies in an attached in-memory database, so nothing staged is ever in a file that is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from rapport.warehouse.history.former_ids import FORMER_IDS, FORMER_REFERENCES
from rapport.warehouse.history.loaded_numbers import number_earlier_loads
from rapport.warehouse.history.risk_answers import RISK_ANSWERS
from rapport.warehouse.intake.delivery_order import order_earlier_files
from rapport.warehouse.intake.unchanged_lines import KNOWN_COUNT, KNOWN_LINES
from rapport.warehouse.schema.books import BOOKS
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.records import (
    FILE_NUMBER,
    KINDS,
    LOADED_NUMBER,
    PROVENANCE,
    SENT_AT,
    STAGED_ONLY,
    VERSION,
    RecordKind,
)
from rapport.warehouse.schema.tables import Table
from rapport.warehouse.store import opening
from rapport.warehouse.store.frames import THREADS
from rapport.warehouse.store.opening import Setting

# Above this limit DuckDB uses the scratch folder. Staged rows are sorted in memory: a first night of size M fits and
# takes 5 % less time than with 600 MB.
LIMITS: dict[str, Setting] = {"threads": THREADS, "memory_limit": "1GB"}
LESS_MEMORY = ("memory_limit", "600MB")  # while the frames of a bucket need memory too
LEAST_MEMORY = ("memory_limit", "400MB")  # while frames of whole tables need memory too
_SETTINGS: dict[str, Setting] = {
    # A building file is never recovered after a crash, so it is written once, when it is sealed.
    "wal_autocheckpoint": "1TB",
    # Texts are few different words, each many times, so no other compression is tried. Other types still choose.
    "disabled_compression_methods": "fsst,zstd",
    "force_compression": "dict_fsst",
    # A row group is written as soon as it is full, not five at once: fewer rows wait in memory for the transaction's
    # end.
    "write_buffer_row_group_count": 1,
}


def open_building(path: Path, scratch: Path) -> duckdb.DuckDBPyConnection:
    """Open or create a building file, with its schemas, history tables, books and an empty `staged`."""
    con = open_file(path, scratch)
    con.execute("SET preserve_insertion_order = false")
    _answer_as_frames_are(con)
    for schema in ("history", "load", "dashboard"):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    _keep(con, "history", {kind.name: history_columns(kind) for kind in KINDS.values()})
    number_earlier_loads(con)
    _keep(con, "load", {book.name: book.columns for book in BOOKS.values()})
    order_earlier_files(con)
    create(con, f"main.{RISK_ANSWERS.name}", RISK_ANSWERS.columns)
    con.execute("ATTACH ':memory:' AS staged")
    for kind in KINDS.values():
        create(con, f"staged.{kind.name}", staged_columns(kind))
    create(con, "staged.files", (*BOOKS["files"].columns, FILE_NUMBER, KNOWN_COUNT))
    create(con, "staged.known_lines", KNOWN_LINES)
    create(con, "staged.former_ids", FORMER_IDS)
    create(con, "staged.former_references", FORMER_REFERENCES)
    con.execute("CREATE TABLE staged.touched (client_id UUID, cause VARCHAR)")
    con.execute("CREATE TABLE staged.held (records VARCHAR, row_id BIGINT, rule VARCHAR, column_name VARCHAR)")
    return con


def open_file(path: Path, scratch: Path) -> duckdb.DuckDBPyConnection:
    """Open a file to write to it, and create nothing in it."""
    con = opening.open_file(path, read_only=False, **LIMITS, **_SETTINGS, temp_directory=str(scratch))
    con.execute("SET TimeZone = 'UTC'")
    return con


def staged_cursor(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a second connection to the same databases, in which names without a schema are tables of `staged`."""
    cursor = con.cursor()
    cursor.execute("USE staged")
    return cursor


@contextmanager
def open_published(path: Path, spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a published file read-only, as an analyst does. `spill`: the folder for queries that need more than the
    memory. Raises Damaged, also while the file is read."""
    config = {"temp_directory": str(spill)} if spill else {}
    with opening.damage_of(path), in_utc(opening.open_file(path, read_only=True, **config)) as con:
        yield con


def in_utc(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Set the connection's time zone to UTC, and return it."""
    con.execute("SET TimeZone = 'UTC'")
    _answer_as_frames_are(con)
    return con


def _answer_as_frames_are(con: duckdb.DuckDBPyConnection) -> None:
    """Give rows to Arrow in polars' own form, without a conversion: a UUID as 16 bytes, a text as a string view."""
    for setting in ("arrow_lossless_conversion = true", "arrow_output_version = '1.4'",
                    "produce_arrow_string_view = true"):  # fmt: skip
        con.execute(f"SET {setting}")


def create(con: duckdb.DuckDBPyConnection, name: str, columns: Iterable[Column]) -> None:
    """Create a table if it does not exist."""
    con.execute(f"CREATE TABLE IF NOT EXISTS {name} ({', '.join(f'{c.name} {c.sql_type}' for c in columns)})")


def _keep(con: duckdb.DuckDBPyConnection, schema: str, tables: dict[str, tuple[Column, ...]]) -> None:
    """Create the missing tables of a schema, and add columns that an earlier version of Rapport did not have. These are
    null in existing rows."""
    existing = existing_tables(con, schema)
    for name, columns in tables.items():
        if name not in existing:
            create(con, f"{schema}.{name}", columns)
            continue
        known = {column for column, _ in existing[name]}
        for column in columns:
            if column.name not in known:
                con.execute(f"ALTER TABLE {schema}.{name} ADD COLUMN {column.name} {column.sql_type}")


def create_tables(con: duckdb.DuckDBPyConnection, tables: Iterable[Table]) -> None:
    """Create main's tables. Tables with other columns than declared are made anew; undeclared tables are dropped."""
    declared = {table.name: table for table in tables}
    existing = existing_tables(con)
    undeclared = existing.keys() - {*declared, RISK_ANSWERS.name}
    for name in undeclared | {table.name for table in with_other_columns(con, declared.values())}:
        con.execute(f"DROP TABLE main.{name}")
        existing.pop(name)
    for table in declared.values():
        if table.name not in existing:
            create(con, f"main.{table.name}", table.columns)


def drop_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Drop main's computed tables."""
    for name in existing_tables(con).keys() - {RISK_ANSWERS.name}:
        con.execute(f"DROP TABLE main.{name}")


def table_names(con: duckdb.DuckDBPyConnection, schema: str = "main") -> list[str]:
    """Return the names of a schema's tables, in order. To list their columns too would cost ten times as much."""
    listed = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = $schema"
    return [name for (name,) in con.execute(f"{listed} ORDER BY ALL", {"schema": schema}).fetchall()]


def existing_tables(con: duckdb.DuckDBPyConnection, schema: str = "main") -> dict[str, list[tuple[str, str]]]:
    """Return the tables of a schema, with their columns and types."""
    listed = con.sql(f"""
        SELECT table_name, list((column_name, data_type) ORDER BY column_index) FROM duckdb_columns()
        WHERE database_name = current_database() AND schema_name = '{schema}' AND NOT internal
            AND table_name IN (SELECT table_name FROM duckdb_tables() WHERE schema_name = '{schema}')
        GROUP BY table_name""")
    return dict(listed.fetchall())


def with_other_columns(con: duckdb.DuckDBPyConnection, tables: Iterable[Table]) -> list[Table]:
    """Return the declared tables that exist with other columns."""
    existing = existing_tables(con)
    return [
        table
        for table in tables
        if table.name in existing
        and existing[table.name] != [(column.name, _described(column)) for column in table.columns]
    ]


def _described(column: Column) -> str:
    return {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}.get(column.sql_type, column.sql_type)


def history_columns(kind: RecordKind) -> tuple[Column, ...]:
    return (*kind.columns, *PROVENANCE, SENT_AT, LOADED_NUMBER, *VERSION)


def staged_columns(kind: RecordKind) -> tuple[Column, ...]:
    provenance = tuple(column for column in PROVENANCE if column.name == "record_number")
    return (*kind.columns, *provenance, SENT_AT, *STAGED_ONLY, *kind.staged_only)
