"""Queries for the pages: the rows of a question, and its answer per page. They never write to the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import polars as pl

from rapport.warehouse.store.building_file import in_utc, open_published
from rapport.warehouse.store.frames import fetch
from rapport.warehouse.store.one_row import one_row
from rapport.warehouse.store.opening import damage_of, is_damage, open_plain


@contextmanager
def open_locked(path: Path, spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a published file read-only and locked: a query reaches no other file, no extension and no network. A query
    that needs more than the memory uses the folder `spill`; without a folder it fails. Raises Damaged."""
    with open_published(path, spill) as con:
        yield _locked(con)


@contextmanager
def open_safe(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a safe file in the same way. Raises Damaged."""
    with damage_of(path), in_utc(open_plain(path, read_only=True)) as con:
        yield _locked(con)


def _locked(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con


def question_rows(con: duckdb.DuckDBPyConnection, relation: str) -> pl.DataFrame:
    """Return all rows of a question."""
    return fetch(con, f"FROM {relation}")


def answers_by_filter(
    con: duckdb.DuckDBPyConnection, relation: str, answer: str, filters: Sequence[str]
) -> dict[tuple[Any, ...], str]:
    """Return the question's answer for each combination of its filters' values; none where there are no rows."""
    by = f"GROUP BY {', '.join(filters)}" if filters else "HAVING count(*) > 0"
    query = f"SELECT {', '.join([*filters, f'({answer})::VARCHAR'])} FROM {relation} {by}"
    return {tuple(values): said for *values, said in con.sql(query).fetchall() if said is not None}


class FileLoad(NamedTuple):
    """The load of a file."""

    load_id: int
    as_of: datetime
    data_to: datetime
    published_at: datetime


def load_of_file(con: duckdb.DuckDBPyConnection) -> FileLoad:
    """Return the load of a file."""
    query = "SELECT load_id, c.as_of, c.data_to, finished_at FROM load.current AS c JOIN load.loads USING (load_id)"
    return FileLoad(*one_row(con, query))


def late_sources(con: duckdb.DuckDBPyConnection) -> list[tuple[str, datetime | None]]:
    """Return the late sources, each with the time of its latest export."""
    return con.sql("SELECT source, last_exported_at FROM load.sources WHERE is_late ORDER BY source").fetchall()


def question_outcomes(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the outcome of each shared question in a safe file: shown, hidden, no_data, off or failed."""
    return dict(con.sql("SELECT name, outcome FROM load.questions").fetchall())


def closed_to(con: duckdb.DuckDBPyConnection) -> date:
    """Return the first day after the closed months of a safe file."""
    day: date = one_row(con, "SELECT closed_to FROM load.current")[0]
    return day


def result_text(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """Return a query's result as a table of text, or DuckDB's reason for refusing the query. Raises DuckDB's error
    where the file is damaged."""
    try:
        found = con.sql(query)
        return "" if found is None else str(found)  # str() runs the query
    except duckdb.Error as error:
        if is_damage(error):
            raise
        return str(error)
