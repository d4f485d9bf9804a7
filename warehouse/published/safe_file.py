"""The safe file: one table per shared question, with nothing in it that is not shown. It needs no other file."""

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
from rapport.warehouse.published.views_and_comments import make_wilson, say
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
    Column("made_by_load", "integer", "The load that made the figures: they stay as they are until a month closes."),
    Column("profile", "text", "The rule for small numbers: PRIVACY.md."),
    Column("least_count", "integer", "Smaller counts are hidden; the others are to the nearest 5."),
    Column("fingerprint", "text", "Of the questions, of the clinic file's [shared], and of the code that hides."),
)
QUESTIONS = (
    Column("name", "text", "The question: its table is dashboard.<name>."),
    Column("question", "text", "What it asks."),
    Column(
        "outcome",
        "text",
        "shown; hidden: there are figures, all of them too small; no_data: there are none; off: not turned on in the "
        "clinic file; failed: it could not be computed.",
        one_of=OUTCOMES,
    ),
)
_BOOKS = {
    "load.current": (CURRENT, "One row: which load this file is of, and which months."),
    "load.questions": (QUESTIONS, "One row per shared question."),
}
SMALLEST_BLOCK = 16384  # bytes: each column of a table takes one
NO_PEOPLE = "Aggregates of closed calendar months; small numbers are hidden (null, is_hidden). PRIVACY.md says how."


@dataclass(frozen=True)
class ShownTable:
    """A table of the safe file: what may be shown, and what is computed from that."""

    name: str
    rows: pl.DataFrame
    derived: Mapping[str, str]
    comment: str
    columns: Mapping[str, str]


@contextmanager
def placed_once(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """The view that nearly every shared question reads, as a table for a while: each would work it out anew."""
    con.execute("CREATE TEMP TABLE placed_episodes AS FROM main.placed_episodes")
    yield
    con.execute("DROP TABLE temp.placed_episodes")


def begin() -> duckdb.DuckDBPyConnection:
    """A safe file with nothing in it yet, in memory: a question that fails there spoils nothing, and `finish` writes it
    at once."""
    con = open_memory(threads=THREADS)
    con.execute("SET TimeZone = 'UTC'")
    con.execute("ATTACH ':memory:' AS safe; USE safe; CREATE SCHEMA dashboard; CREATE SCHEMA load")
    make_wilson(con)
    for name, (columns, description) in _BOOKS.items():
        create(con, name, columns)
        say(con, "TABLE", name, description)
        for column in columns:
            say(con, "COLUMN", f"{name}.{column.name}", column.comment)
    return con


def add_table(con: duckdb.DuckDBPyConnection, shown: ShownTable) -> None:
    """A question's table, its derived columns computed from what is shown."""
    stream = Stream(shown.rows)  # noqa: F841  DuckDB finds it by its name
    derived = "".join(f", {sql} AS {name}" for name, sql in shown.derived.items())
    con.execute(f"CREATE TABLE dashboard.{shown.name} AS SELECT * EXCLUDE (is_hidden){derived}, is_hidden FROM stream")
    say(con, "TABLE", f"dashboard.{shown.name}", f"{shown.comment} {NO_PEOPLE}")
    said_of = {**shown.columns, "is_hidden": "Some number of the row is hidden: it is null, and not 0."}
    for (column,) in con.sql(f"SELECT column_name FROM (DESCRIBE dashboard.{shown.name})").fetchall():
        say(con, "COLUMN", f"dashboard.{shown.name}.{column}", said_of[column])


def enter_question(con: duckdb.DuckDBPyConnection, name: str, question: str, outcome: str) -> None:
    """Say what became of a shared question."""
    enter(con, "load.questions", {"name": name, "question": question, "outcome": outcome})


def finish(con: duckdb.DuckDBPyConnection, current: Mapping[str, object], path: Path) -> None:
    """Say which load the file is of, and write it."""
    enter(con, "load.current", current)
    path.unlink(missing_ok=True)
    con.execute(f"ATTACH {quoted(path)} AS written (BLOCK_SIZE {SMALLEST_BLOCK})")
    con.execute("COPY FROM DATABASE safe TO written; DETACH written")
    con.close()


def current_of(path: Path) -> dict[str, object]:
    """What a published safe file says of itself. Raises Damaged."""
    try:
        with open_plain(path, read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            names = con.sql("FROM load.current").columns
            return dict(zip(names, one_row(con, "FROM load.current"), strict=True))
    except (duckdb.Error, ValueError):
        raise damaged(path) from None


def tables_of(path: Path) -> dict[str, pl.DataFrame]:
    """The tables of a published safe file. Raises Damaged."""
    with damage_of(path), open_plain(path, read_only=True) as con:
        listed = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'dashboard'"
        return {name: fetch(con, f"FROM dashboard.{name}") for (name,) in con.sql(listed).fetchall()}


def carry(published: Path, to: Path, current: Mapping[str, object]) -> None:
    """The published figures under a new load. Raises Damaged."""
    copy_to(published, to)
    with damage_of(published), open_plain(to) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("DELETE FROM load.current")
        enter(con, "load.current", current)
        con.execute("CHECKPOINT")
