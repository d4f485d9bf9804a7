"""The last steps inside the building file, before it becomes a version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import duckdb

from warehouse.compaction import COMPACT_ABOVE, empty_share
from warehouse.staging import enter
from warehouse.tables import Table


def close_books(con: duckdb.DuckDBPyConnection, load: Mapping[str, object], current: Mapping[str, object]) -> None:
    """Enter the load and make load.current its one row; data_to is the latest export in the file."""
    enter(con, "load.loads", load)
    con.execute("DELETE FROM load.current")
    data_to = con.sql("SELECT max(exported_at) FROM load.files").fetchone()[0]
    enter(con, "load.current", {**current, "data_to": data_to, "duckdb_version": duckdb.__version__})


def seal(con: duckdb.DuckDBPyConnection) -> bool:
    """Everything into the one file, with no write-ahead log beside it; whether so much of it is empty that it should
    be compacted."""
    con.execute("DETACH staged")
    con.execute("CHECKPOINT")
    is_empty = empty_share(con) > COMPACT_ABOVE
    con.close()
    return is_empty


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
