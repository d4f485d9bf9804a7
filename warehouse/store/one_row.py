"""Queries that return one row."""

from __future__ import annotations

from typing import Any

import duckdb


def one_row(con: duckdb.DuckDBPyConnection, query: str, given: object = None) -> tuple[Any, ...]:
    """Return the one row of a query. `given`: its parameters. Raises ValueError where there is no row."""
    if (row := con.execute(query, given).fetchone()) is None:
        raise ValueError("a query gave no row")
    return row


def number(con: duckdb.DuckDBPyConnection, query: str, given: object = None) -> int:
    """Return the whole number that a query returns."""
    return int(one_row(con, query, given)[0])


def is_so(con: duckdb.DuckDBPyConnection, query: str, given: object = None) -> bool:
    """Return the truth value that a query returns."""
    return bool(one_row(con, query, given)[0])
