"""Temporary DuckDB settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from rapport.warehouse.store.one_row import one_row

ONE_THREAD = ("threads", 1)


@contextmanager
def setting(con: duckdb.DuckDBPyConnection, name: str, value: object) -> Iterator[None]:
    """Change a setting for one block. After an error it stays changed: the connection is not used again."""
    before = one_row(con, f"SELECT current_setting('{name}')")[0]
    if before == value:
        yield
        return
    con.execute(f"SET {name} = '{value}'")
    yield
    con.execute(f"SET {name} = '{before}'")
