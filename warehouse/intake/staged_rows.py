"""Tonight's rows, staged in memory before they are accepted: repeats are found, and bad rows are held."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import duckdb
import polars as pl

from rapport.warehouse.history.person_rows import DAY
from rapport.warehouse.schema.books import BOOKS
from rapport.warehouse.schema.records import KINDS, RecordKind
from rapport.warehouse.store.frames import fetch, insert


class Staging:
    """The night's staged rows, numbered in the order in which they are read."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.row_count = 0

    def add_rows(self, kind: str, frame: pl.DataFrame, file_number: int) -> None:
        """Stage canonical rows of one file. Their ids are pseudonyms."""
        numbered = frame.with_columns(
            row_id=pl.int_range(self.row_count, self.row_count + frame.height, dtype=pl.Int64),
            file_number=pl.lit(file_number, dtype=pl.Int32),
            disposition=pl.lit("loaded"),
        )
        self.row_count += frame.height
        insert(self.con, f"staged.{kind}", numbered)

    def add_file(self, file_number: int, facts: Mapping[str, object]) -> None:
        """Enter a file that is being read. Its counts are entered later."""
        zeros = {column.name: 0 for column in BOOKS["files"].columns if column.name.endswith("_count")}
        enter(self.con, "staged.files", {**zeros, **facts, "file_number": file_number})

    def drop_file(self, file_number: int) -> None:
        """Remove a file's rows: somebody wrote to the file while it was read."""
        for table in (*KINDS, "known_lines"):
            self.con.execute(f"DELETE FROM staged.{table} WHERE file_number = {file_number}")


def kinds_with_rows(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the kinds of record in tonight's files."""
    return [kind for kind in KINDS if con.sql(f"SELECT 1 FROM staged.{kind} LIMIT 1").fetchone()]


def people(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the clients with a row in tonight's files, as hexadecimal digits."""
    named = " UNION ".join(f"SELECT client_id FROM staged.{kind} WHERE client_id IS NOT NULL" for kind in KINDS)
    return [person for (person,) in con.sql(f"SELECT replace(client_id::VARCHAR, '-', '') FROM ({named})").fetchall()]


def drop_undated(con: duckdb.DuckDBPyConnection, people: Collection[str]) -> pl.DataFrame:
    """Remove the rows of people who have no row with a day in tonight's files. Return file_number and record_number of
    the removed rows."""
    con.execute("CREATE OR REPLACE TABLE staged.undated (client_id UUID)")
    insert(con, "staged.undated", pl.DataFrame({"client_id": [bytes.fromhex(person) for person in people]}))
    dated = " UNION ".join(f"SELECT client_id FROM staged.{kind} WHERE {DAY[kind]} IS NOT NULL" for kind in KINDS)
    con.execute(f"DELETE FROM staged.undated WHERE client_id IN ({dated})")
    dropped = [
        fetch(con, f"SELECT file_number, record_number FROM staged.{kind} SEMI JOIN staged.undated USING (client_id)")
        for kind in KINDS
    ]
    for kind in KINDS:
        con.execute(f"DELETE FROM staged.{kind} WHERE client_id IN (FROM staged.undated)")
    return pl.concat(dropped)


def clear(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the staged rows to free their memory: history and the books have them."""
    for kind in KINDS:
        con.execute(f"DROP TABLE staged.{kind}")


def enter(con: duckdb.DuckDBPyConnection, table: str, facts: Mapping[str, object]) -> None:
    """Insert one row, column by name."""
    places = ", ".join("?" for _ in facts)
    con.execute(f"INSERT INTO {table} ({', '.join(facts)}) VALUES ({places})", list(facts.values()))


def enter_all(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, object]]) -> None:
    """Insert rows that have the same columns, in one statement."""
    if rows:
        insert(con, table, pl.DataFrame(rows, infer_schema_length=None))


def mark_repeats(con: duckdb.DuckDBPyConnection) -> None:
    """Find records that occur more than once in one file: `staged.<kind>_repeats`, with is_conflict and is_first.

    Identical repeats become duplicates of the first. Conflicting repeats are held back by an expectation.
    """
    for kind in KINDS.values():
        key = f"file_number, {', '.join(kind.key)}"
        said = ", ".join((*kind.content, "unreadable", *(column.name for column in kind.staged_only)))
        con.execute(f"""
            CREATE OR REPLACE TABLE staged.{kind.name}_repeats AS
            WITH repeated AS (
                SELECT {key} FROM staged.{kind.name} WHERE {_known(kind)} GROUP BY ALL HAVING count(*) > 1),
            judged AS (
                SELECT {key}, count(DISTINCT row({said})) > 1 AS is_conflict, min(row_id) AS first_row
                FROM staged.{kind.name} SEMI JOIN repeated USING ({key}) GROUP BY ALL)
            SELECT row_id, is_conflict, row_id = first_row AS is_first
            FROM staged.{kind.name} JOIN judged USING ({key})""")
        con.execute(f"""
            UPDATE staged.{kind.name} SET disposition = 'duplicate' WHERE row_id IN (
                SELECT row_id FROM staged.{kind.name}_repeats WHERE NOT is_conflict AND NOT is_first)""")


def _known(kind: RecordKind) -> str:
    return " AND ".join(f"{column} IS NOT NULL" for column in kind.key)


def hold(con: duckdb.DuckDBPyConnection, kind: str, rule: str, query: str) -> None:
    """Hold back the rows that a rule's query lists, as row_id and column_name."""
    con.execute(f"""
        INSERT INTO staged.held
        SELECT ?, row_id, ?, column_name FROM ({query}) JOIN staged.{kind} USING (row_id)
        WHERE disposition <> 'duplicate'""", [kind, rule])  # fmt: skip
