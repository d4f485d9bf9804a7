"""Everything that a published file holds of one person, table by table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb
import polars as pl

from rapport.warehouse.history.person_rows import by_client, list_whole, tables
from rapport.warehouse.store.one_row import one_row


@dataclass(frozen=True)
class Held:
    """A table's rows of a person. `columns`: name and meaning of each column."""

    table: str
    comment: str
    columns: tuple[tuple[str, str], ...]
    rows: pl.DataFrame


def held_of(con: duckdb.DuckDBPyConnection, people: Iterable[str]) -> Iterator[Held]:
    """Yield each table that holds rows of a person, who may have several pseudonyms (hexadecimal digits)."""
    list_whole(con, people)
    for table in tables(con):
        rows = _as_text(con.execute(f"FROM {table} WHERE {by_client(con, table)}"))
        if rows.height:
            yield Held(table, _comment(con, table), _columns(con, table), rows)


def _as_text(found: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Rows to be read by a person: every value as DuckDB writes it, nothing where there is none."""
    names = [name for name, *_ in found.description]
    rows = [[None if value is None else str(value) for value in row] for row in found.fetchall()]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _comment(con: duckdb.DuckDBPyConnection, table: str) -> str:
    schema, _, name = table.partition(".")
    asked = "SELECT comment FROM duckdb_tables() WHERE schema_name = ? AND table_name = ?"
    return one_row(con, asked, [schema, name])[0] or ""


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> tuple[tuple[str, str], ...]:
    schema, _, name = table.partition(".")
    asked = """SELECT column_name, coalesce(comment, '') FROM duckdb_columns()
        WHERE schema_name = ? AND table_name = ? ORDER BY column_index"""
    return tuple(con.execute(asked, [schema, name]).fetchall())
