"""The safe file: one table per shared question, with only the numbers that may be shown. It needs no other file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from rapport.warehouse.intake.staged_rows import enter
from rapport.warehouse.places.folders import copy_to
from rapport.warehouse.places.versions import damaged
from rapport.warehouse.published.views_and_comments import comment_on, make_wilson
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.store.building_file import create
from rapport.warehouse.store.frames import THREADS, Stream, fetch
from rapport.warehouse.store.one_row import one_row
from rapport.warehouse.store.opening import damage_of, open_memory, open_plain
from rapport.warehouse.store.quoting import quoted

OUTCOMES = ("shown", "hidden", "no_data", "off", "failed")
CURRENT = (
    Column("load_id", "integer", "The load that published this file."),
    Column("data_to", "instant", "The latest export in that load."),
    Column("closed_to", "date", "The figures are of the calendar months before this day."),
    Column("made_by_load", "integer", "The load that computed the figures; they stay the same until a month closes."),
    Column("profile", "text", "The rule for small numbers: PRIVACY.md."),
    Column("least_count", "integer", "Smaller counts are hidden; the others are rounded to the nearest 5."),
    Column("fingerprint", "text", "Fingerprint of the questions, of [shared] in the clinic file, and of the hiding."),
)
QUESTIONS = (
    Column("name", "text", "The question: its table is dashboard.<name>."),
    Column("question", "text", "What it asks."),
    Column(
        "outcome",
        "text",
        "shown; hidden: all its figures are too small; no_data: it has no figures; off: the clinic file does not turn "
        "it on; failed: it could not be computed.",
        one_of=OUTCOMES,
    ),
)
_BOOKS = {
    "load.current": (CURRENT, "One row: the load of this file, and its months."),
    "load.questions": (QUESTIONS, "One row per shared question."),
}
SMALLEST_BLOCK = 16384  # bytes: each column of a table takes at least one block
NO_PEOPLE = "Aggregates of closed calendar months; small numbers are hidden (null, is_hidden). PRIVACY.md says how."


@dataclass(frozen=True)
class ShownTable:
    """A table of the safe file: the rows that may be shown, and columns derived from them."""

    name: str
    rows: pl.DataFrame
    derived: Mapping[str, str]
    comment: str
    columns: Mapping[str, str]


@contextmanager
def placed_once(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keep the view placed_episodes as a temporary table: otherwise nearly every shared question computes it again."""
    con.execute("CREATE TEMP TABLE placed_episodes AS FROM main.placed_episodes")
    yield
    con.execute("DROP TABLE temp.placed_episodes")


def begin() -> duckdb.DuckDBPyConnection:
    """Return an empty safe file in memory. A question that fails leaves no broken file; `finish` writes it at once."""
    con = open_memory(threads=THREADS)
    con.execute("SET TimeZone = 'UTC'")
    con.execute("ATTACH ':memory:' AS safe; USE safe; CREATE SCHEMA dashboard; CREATE SCHEMA load")
    make_wilson(con)
    for name, (columns, description) in _BOOKS.items():
        create(con, name, columns)
        comment_on(con, "TABLE", name, description)
        for column in columns:
            comment_on(con, "COLUMN", f"{name}.{column.name}", column.comment)
    return con


def add_table(con: duckdb.DuckDBPyConnection, shown: ShownTable) -> None:
    """Add a question's table. Its derived columns are computed from the shown numbers only."""
    stream = Stream(shown.rows)  # noqa: F841  DuckDB finds it by its name
    derived = "".join(f", {sql} AS {name}" for name, sql in shown.derived.items())
    con.execute(f"CREATE TABLE dashboard.{shown.name} AS SELECT * EXCLUDE (is_hidden){derived}, is_hidden FROM stream")
    comment_on(con, "TABLE", f"dashboard.{shown.name}", f"{shown.comment} {NO_PEOPLE}")
    said_of = {**shown.columns, "is_hidden": "True where a number of the row is hidden: it is null, and not 0."}
    for (column,) in con.sql(f"SELECT column_name FROM (DESCRIBE dashboard.{shown.name})").fetchall():
        comment_on(con, "COLUMN", f"dashboard.{shown.name}.{column}", said_of[column])


def enter_question(con: duckdb.DuckDBPyConnection, name: str, question: str, outcome: str) -> None:
    """Enter the outcome of a shared question into load.questions."""
    enter(con, "load.questions", {"name": name, "question": question, "outcome": outcome})


def finish(con: duckdb.DuckDBPyConnection, current: Mapping[str, object], path: Path) -> None:
    """Enter the load of the file, and write the file."""
    enter(con, "load.current", current)
    path.unlink(missing_ok=True)
    con.execute(f"ATTACH {quoted(path)} AS written (BLOCK_SIZE {SMALLEST_BLOCK})")
    con.execute("COPY FROM DATABASE safe TO written; DETACH written")
    con.close()


def current_of(path: Path) -> dict[str, object]:
    """Return the row of load.current of a published safe file. Raises Damaged."""
    try:
        with open_plain(path, read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            names = con.sql("FROM load.current").columns
            return dict(zip(names, one_row(con, "FROM load.current"), strict=True))
    except (duckdb.Error, ValueError):
        raise damaged(path) from None


def tables_of(path: Path) -> dict[str, pl.DataFrame]:
    """Return the tables of a published safe file. Raises Damaged."""
    with damage_of(path), open_plain(path, read_only=True) as con:
        listed = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'dashboard'"
        return {name: fetch(con, f"FROM dashboard.{name}") for (name,) in con.sql(listed).fetchall()}


def carry(published: Path, to: Path, current: Mapping[str, object]) -> None:
    """Write the published figures again as the figures of a new load. Raises Damaged."""
    copy_to(published, to)
    with damage_of(published), open_plain(to) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("DELETE FROM load.current")
        enter(con, "load.current", current)
        con.execute("CHECKPOINT")
