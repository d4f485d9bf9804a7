"""The last steps inside the building file, before it becomes a version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import duckdb

from warehouse.staging import enter
from warehouse.tables import Table


def close_books(con: duckdb.DuckDBPyConnection, load: Mapping[str, object], current: Mapping[str, object]) -> None:
    """Enter the load and make load.current its one row; data_to is the latest export in the file."""
    enter(con, "load.loads", load)
    con.execute("DELETE FROM load.current")
    data_to = con.sql("SELECT max(exported_at) FROM load.files").fetchone()[0]
    enter(con, "load.current", {**current, "data_to": data_to, "duckdb_version": duckdb.__version__})


def seal(con: duckdb.DuckDBPyConnection) -> None:
    """Everything into the one file: no write-ahead log is left beside it."""
    con.execute("DETACH staged")
    con.execute("CHECKPOINT")
    con.close()


def table_counts(con: duckdb.DuckDBPyConnection, tables: list[Table]) -> dict[str, int]:
    """Rows of each of main's tables."""
    return {table.name: con.sql(f"SELECT count(*) FROM main.{table.name}").fetchone()[0] for table in tables}


def key_check_of(con: duckdb.DuckDBPyConnection) -> str | None:
    """The mark of the pseudonym key that the warehouse was made with; None before the first night."""
    row = con.sql("SELECT key_check FROM load.current").fetchone()
    return row[0] if row else None


def as_of_published(con: duckdb.DuckDBPyConnection) -> datetime:
    """The clock of the night that a published file is of."""
    return con.sql("SELECT as_of FROM load.current").fetchone()[0]


def last_definition_version(con: duckdb.DuckDBPyConnection) -> str | None:
    """The fingerprint of the definitions that the tables were last computed by; None before the first night."""
    row = con.sql(
        "SELECT definition_version FROM load.loads WHERE outcome = 'published' ORDER BY load_id DESC LIMIT 1"
    ).fetchone()
    return row[0] if row else None
