"""What a page asks: the rows of a question's relation, and its answer per page. The file is never written to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import polars as pl

from rapport.warehouse.store.building_file import answering, open_published
from rapport.warehouse.store.frames import fetch
from rapport.warehouse.store.one_row import one_row
from rapport.warehouse.store.opening import damage_of, is_damage, open_plain


@contextmanager
def open_locked(path: Path, spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A published file read-only, from which nothing else can be reached: no file, no extension, no network. A query
    that is larger than the memory works in the folder `spill`; without it, it is refused. Raises Damaged."""
    with open_published(path, spill) as con:
        yield _locked(con)


@contextmanager
def open_safe(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A safe file in the same way."""
    with damage_of(path), answering(open_plain(path, read_only=True)) as con:
        yield _locked(con)


def _locked(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con


def ask(con: duckdb.DuckDBPyConnection, relation: str) -> pl.DataFrame:
    """All rows of a question."""
    return fetch(con, f"FROM {relation}")


def answers(
    con: duckdb.DuckDBPyConnection, relation: str, answer: str, filters: Sequence[str]
) -> dict[tuple[Any, ...], str]:
    """The question's answer by the values of its filters. Where there are no rows there is no answer."""
    by = f"GROUP BY {', '.join(filters)}" if filters else "HAVING count(*) > 0"
    query = f"SELECT {', '.join([*filters, f'({answer})::VARCHAR'])} FROM {relation} {by}"
    return {tuple(values): said for *values, said in con.sql(query).fetchall() if said is not None}


class Newest(NamedTuple):
    """The load that a file carries."""

    load_id: int
    as_of: datetime
    data_to: datetime
    published_at: datetime


def newest(con: duckdb.DuckDBPyConnection) -> Newest:
    """Which load a file carries."""
    query = "SELECT load_id, c.as_of, c.data_to, finished_at FROM load.current AS c JOIN load.loads USING (load_id)"
    return Newest(*one_row(con, query))


def late(con: duckdb.DuckDBPyConnection) -> list[tuple[str, datetime | None]]:
    """Sources that are overdue, and when their latest export was made."""
    return con.sql("SELECT source, last_exported_at FROM load.sources WHERE is_late ORDER BY source").fetchall()


def outcomes(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What became of each shared question in a safe file."""
    return dict(con.sql("SELECT name, outcome FROM load.questions").fetchall())


def closed_to(con: duckdb.DuckDBPyConnection) -> date:
    """The day before which a safe file's months are over."""
    day: date = one_row(con, "SELECT closed_to FROM load.current")[0]
    return day


def tell(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """What a query gives, as a table to read; or why DuckDB refuses it. Raises what it says of a damaged file."""
    try:
        found = con.sql(query)
        return "" if found is None else str(found)  # DuckDB runs it only to show it
    except duckdb.Error as error:
        if is_damage(error):
            raise
        return str(error)
