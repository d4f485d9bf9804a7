"""Frames to DuckDB and back, only through Arrow's C stream: neither pyarrow nor pandas is needed or imported.

In frames a pseudonym is 16 bytes: half the work of the 36 letters of a UUID.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock

import duckdb
import polars as pl
from polars.io.plugins import register_io_source

from rapport.warehouse.store.session_settings import ONE_THREAD, setting

THREADS = 2
# polars scans the parts of a query in several threads, but a DuckDB connection runs one query at a time.
_one_at_a_time = Lock()


class Stream:
    """A polars frame that DuckDB scans with one thread: a second thread would only wait, at twice the cost."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def insert(con: duckdb.DuckDBPyConnection, table: str, frame: pl.DataFrame) -> None:
    """Append a frame to a table, column by name."""
    stream = Stream(frame)  # noqa: F841  DuckDB finds it by its name
    values = (f"{name}::UUID" if dtype == pl.Binary else name for name, dtype in frame.schema.items())
    with setting(con, *ONE_THREAD):
        con.execute(f"INSERT INTO {table} ({', '.join(frame.columns)}) SELECT {', '.join(values)} FROM stream")


def fetch(con: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    """Return a query's rows as a frame; times are UTC, pseudonyms are 16 bytes.

    The query has no parameters: with parameters DuckDB keeps the rows value by value, at ten times the cost.
    """
    frame = pl.DataFrame(con.sql(query))
    truths = [name for name, dtype in frame.schema.items() if str(dtype).startswith("Extension('arrow.bool8'")]
    return frame.with_columns(pl.col(truths).ext.storage().cast(pl.Boolean)) if truths else frame


def fetch_over(con: duckdb.DuckDBPyConnection, frame: pl.DataFrame, query: str) -> pl.DataFrame:
    """Return the rows of a query over a frame. The query calls the frame `stream`."""
    stream = Stream(frame)  # noqa: F841  DuckDB finds it by its name
    with setting(con, *ONE_THREAD):
        return pl.DataFrame(con.sql(query))


# A condition: rows of clients with an episode that is not over.
UNDER_WAY = "client_id IN (SELECT client_id FROM main.retention WHERE NOT has_ended)"


def lazy_table(con: duckdb.DuckDBPyConnection, table: str, whose: str = "true") -> pl.LazyFrame:
    """Return a table as a lazy frame. Only the columns that a query uses leave DuckDB, each once while the frame
    exists. Nobody may write to the table in that time. `whose`: a condition on its rows, such as UNDER_WAY."""
    rows = f"{table} WHERE {whose}"
    schema = fetch(con, f"SELECT * FROM {table} LIMIT 0").schema
    left: dict[str, pl.Series] = {}

    def scan(
        columns: list[str] | None, predicate: pl.Expr | None, row_count: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = columns or schema.names()
        with _one_at_a_time:
            if new := [name for name in wanted if name not in left]:
                left.update(_in_order(con, f"SELECT {', '.join(new)} FROM {rows}").to_dict())
            frame = pl.DataFrame([left[name] for name in wanted]).slice(0, row_count)
        yield frame if predicate is None else frame.filter(predicate)

    return register_io_source(scan, schema=schema, is_pure=True)


def _in_order(con: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    """Return a query's rows in the table's order, so that columns that are fetched separately fit together."""
    with setting(con, "preserve_insertion_order", True):
        return fetch(con, query)
