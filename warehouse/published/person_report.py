"""All rows of a published file about one person, table by table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb
import polars as pl

from rapport.warehouse.history.person_rows import by_client, list_whole, tables
from rapport.warehouse.store.one_row import one_row


@dataclass(frozen=True)
class PersonRows:
    """A table's rows about a person. `columns`: name and meaning of each column."""

    table: str
    comment: str
    columns: tuple[tuple[str, str], ...]
    rows: pl.DataFrame


def rows_about(con: duckdb.DuckDBPyConnection, people: Iterable[str]) -> Iterator[PersonRows]:
    """Yield each table with rows about a person. `people`: the person's pseudonyms (hexadecimal digits)."""
    list_whole(con, people)
    for table in tables(con):
        rows = _as_text(con.execute(f"FROM {table} WHERE {by_client(con, table)}"))
        if rows.height:
            yield PersonRows(table, _comment(con, table), _columns(con, table), rows)


def _as_text(found: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """Return the rows as text: every value as DuckDB writes it, and an empty text for null."""
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
