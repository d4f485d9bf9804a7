"""The one row that a query gives."""

from __future__ import annotations

from typing import Any

import duckdb


def one_row(con: duckdb.DuckDBPyConnection, query: str, given: object = None) -> tuple[Any, ...]:
    """The row of a query that always gives one. `given`: its parameters. Raises ValueError where it gives none."""
    if (row := con.execute(query, given).fetchone()) is None:
        raise ValueError("a query gave no row")
    return row


def number(con: duckdb.DuckDBPyConnection, query: str, given: object = None) -> int:
    """The whole number that a query gives."""
    return int(one_row(con, query, given)[0])


def is_so(con: duckdb.DuckDBPyConnection, query: str, given: object = None) -> bool:
    """The truth that a query gives."""
    return bool(one_row(con, query, given)[0])
