"""Ids that records had before: what is known under one takes the id that the record has now, and stays one record.

An id is a keyed hash, so which record had which is seen when the record is read again, and not before.
"""

from __future__ import annotations

import duckdb
import polars as pl

from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.records import CORRECTED, KINDS
from rapport.warehouse.store.frames import insert
from rapport.warehouse.store.one_row import is_so

FORMER_IDS = (
    Column("source", "text", "The source."),
    Column("records", "text", "Kind of record."),
    Column("old_id", "id", "What the record was known by."),
    Column("new_id", "id", "What it is known by now."),
    Column("appointment_id", "id", "Of an appointment: the id without the client."),
)


FORMER_REFERENCES = (
    Column("source", "text", "The source."),
    Column("column_name", "text", "The column of a response."),
    Column("old_id", "id", "What it names."),
    Column("new_id", "id", "What that is known by now."),
)


def stage_references(con: duckdb.DuckDBPyConnection, source: str, ids: pl.DataFrame) -> None:
    """Note which ids a source's responses named otherwise: column_name, old_id, new_id (16 bytes)."""
    insert(con, "staged.former_references", ids.with_columns(source=pl.lit(source)))


def stage(con: duckdb.DuckDBPyConnection, source: str, kind: str, ids: pl.DataFrame) -> None:
    """Note which records of a source were known by other ids: old_id, new_id, appointment_id (16 bytes)."""
    insert(con, "staged.former_ids", ids.with_columns(source=pl.lit(source), records=pl.lit(kind)))


def has_older(con: duckdb.DuckDBPyConnection, source: str, load_id: int) -> bool:
    """Whether something is known of a source since before a load."""
    places = [f"history.{kind} WHERE known_from" for kind in KINDS] + ["load.quarantine WHERE load_id"]
    asked = " UNION ALL ".join(f"(SELECT 1 FROM {place} < $load_id AND source = $source LIMIT 1)" for place in places)
    return con.execute(asked, {"load_id": load_id, "source": source}).fetchone() is not None


def follow(con: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Give what is known under a former id the present one: in history, quarantine and risk answers. Where the present
    id is known too, the record was read under both, and what the former one said is no longer current."""
    for kind in KINDS.values():
        _choose(con, kind.name, kind.key[1])
        if is_so(con, "SELECT EXISTS (FROM staged.renamed)"):
            _close_twice_known(con, kind.name, kind.key[1], load_id)
            _rename(con, kind.name, kind.key[1])
    for column in ("rater_id", "appointment_session_id"):
        _follow_references(con, column)


def _follow_references(con: duckdb.DuckDBPyConnection, column: str) -> None:
    named = f"FROM staged.former_references AS f WHERE column_name = '{column}' AND t.source = f.source"
    moved = con.execute(f"""
        UPDATE history.responses AS t SET {column} = new_id {named} AND t.{column} = old_id AND old_id <> new_id
        RETURNING client_id""").fetchall()
    con.executemany(f"INSERT INTO staged.touched VALUES (?, '{CORRECTED}')", moved) if moved else None


def _choose(con: duckdb.DuckDBPyConnection, kind: str, key: str) -> None:
    """staged.renamed: of a kind, the ids under which something is known. Of two former ids one is followed."""
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.renamed AS
        SELECT *, row_number() OVER (PARTITION BY source, new_id ORDER BY old_id) > 1
            OR EXISTS (FROM history.{kind} AS h WHERE h.source = f.source AND h.{key} = new_id) AS is_known_twice
        FROM (
            SELECT DISTINCT source, old_id, new_id, appointment_id FROM staged.former_ids AS f
            WHERE records = '{kind}' AND old_id <> new_id AND (
                EXISTS (FROM history.{kind} AS h WHERE h.source = f.source AND h.{key} = old_id)
                OR EXISTS (FROM load.quarantine AS q WHERE q.source = f.source AND q.record_id = old_id)
                OR EXISTS (FROM main.risk_answers AS r WHERE r.source = f.source AND r.response_id = old_id))
        ) AS f""")


def _close_twice_known(con: duckdb.DuckDBPyConnection, kind: str, key: str, load_id: int) -> None:
    gone = con.execute(f"""
        UPDATE history.{kind} AS h SET known_to = {load_id}, closed_because = '{CORRECTED}' FROM staged.renamed AS r
        WHERE is_known_twice AND h.source = r.source AND h.{key} = old_id AND known_to IS NULL
        RETURNING client_id""").fetchall()
    con.executemany(f"INSERT INTO staged.touched VALUES (?, '{CORRECTED}')", gone) if gone else None
    if kind == "responses":
        con.execute("""
            DELETE FROM main.risk_answers AS a USING staged.renamed AS r
            WHERE is_known_twice AND a.source = r.source AND a.response_id = old_id""")


def _rename(con: duckdb.DuckDBPyConnection, kind: str, key: str) -> None:
    con.execute(f"""
        INSERT INTO staged.touched SELECT DISTINCT client_id, '{CORRECTED}' FROM history.{kind} AS h
        JOIN staged.renamed AS r ON NOT is_known_twice AND h.source = r.source AND h.{key} = old_id""")
    also = ", appointment_id = r.appointment_id" if kind == "appointments" else ""
    _update(con, f"history.{kind}", key, also)
    _update(con, "load.quarantine", "record_id")
    if kind == "responses":
        _update(con, "main.risk_answers", "response_id")
    if kind == "appointments":
        con.execute("""
            UPDATE history.responses AS t SET appointment_session_id = new_id FROM staged.renamed AS r
            WHERE t.appointment_session_id = old_id""")


def _update(con: duckdb.DuckDBPyConnection, table: str, column: str, also: str = "") -> None:
    con.execute(f"""
        UPDATE {table} AS t SET {column} = new_id{also} FROM staged.renamed AS r
        WHERE NOT is_known_twice AND t.source = r.source AND t.{column} = old_id""")
