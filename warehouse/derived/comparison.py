"""The comparison of a published file with its records: its tables with new ones, and the books with themselves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from rapport.warehouse.schema.books import QUARANTINE_STATES
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.store.one_row import number
from rapport.warehouse.store.opening import attach

_LEDGERS = {
    "load.files": "record_count <> header_count + blank_or_footer_count + ignored_count + duplicate_count "
    "+ unchanged_count + quarantined_count + loaded_count",
    "load.rows": "row_count <> duplicate_count + unchanged_count + quarantined_count + loaded_count",
    "load.quarantine": f"state NOT IN {QUARANTINE_STATES} OR (state = 'waiting') <> (settled_by IS NULL)",
}


def differences(
    con: duckdb.DuckDBPyConnection, published: Path, tables: Iterable[str]
) -> list[tuple[str, int, int, int]]:
    """Return per table its name and counts of rows: published, only in the published file, and only in this one."""
    attach(con, published, "published", read_only=True)
    return [_differences(con, table) for table in tables]


def _differences(con: duckdb.DuckDBPyConnection, table: str) -> tuple[str, int, int, int]:
    here, there = f"main.{table}", f"published.main.{table}"
    counts = (f"FROM {there}", f"FROM {there} EXCEPT ALL FROM {here}", f"FROM {here} EXCEPT ALL FROM {there}")
    published, gone, come = (number(con, f"SELECT count(*) FROM ({rows})") for rows in counts)
    return table, published, gone, come


def broken_books(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of ledgers that do not add up, and a sentence per kind of record with overlapping versions."""
    wrong = [name for name, broken in _LEDGERS.items() if _any(con, f"{name} WHERE {broken}")]
    twice = [kind.name for kind in KINDS.values() if _overlaps(con, kind.key, kind.name)]
    return wrong + [f"history.{name} has two versions of a record for the same time" for name in twice]


def _any(con: duckdb.DuckDBPyConnection, relation: str) -> bool:
    return con.sql(f"SELECT 1 FROM {relation} LIMIT 1").fetchone() is not None


def _overlaps(con: duckdb.DuckDBPyConnection, key: tuple[str, ...], kind: str) -> bool:
    """Return whether two versions of one record were current at the same time."""
    names = ", ".join(key)
    return _any(
        con,
        f"""(
        SELECT known_from < max(coalesce(known_to, 2147483647)) OVER (
            PARTITION BY {names} ORDER BY known_from, known_to NULLS LAST
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS is_twice
        FROM history.{kind}) WHERE is_twice""",
    )
