"""load.spaces: the id spaces with which each source was ever read. So none is dropped or renamed in silence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import polars as pl

from rapport.warehouse.intake.staged_rows import enter
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.store.building_file import table_names
from rapport.warehouse.store.frames import insert


@dataclass(frozen=True)
class Used:
    """An id space with which a source was read; `source` is None where it is no longer known."""

    source: str | None
    id_space: str
    first_name: str
    load_id: int
    left_by: int | None = None


def used_spaces(con: duckdb.DuckDBPyConnection) -> list[Used]:
    """Return the rows of load.spaces; none for a file of an earlier version of Rapport."""
    if "spaces" not in table_names(con, "load"):
        return []
    found = con.sql("SELECT source, id_space, first_name, load_id, left_by FROM load.spaces ORDER BY ALL")
    return [Used(*row) for row in found.fetchall()]


def enter_spaces(con: duckdb.DuckDBPyConnection, spaces: Iterable[Used]) -> None:
    """Add rows to load.spaces."""
    for each in spaces:
        enter(con, "load.spaces", vars(each))


def note_spaces(con: duckdb.DuckDBPyConnection, load_id: int, read: Iterable[tuple[str, str, str]]) -> None:
    """Enter the id spaces of the load. `read`: source, id space, and the space's first name."""
    known = {(each.source, each.first_name) for each in used_spaces(con)}
    for source, name, first in read:
        con.execute("UPDATE load.spaces SET id_space = ? WHERE first_name = ?", [name, first])
        con.execute(
            f"""UPDATE load.spaces SET left_by = CASE WHEN first_name <> ? THEN coalesce(left_by, {load_id}) END
            WHERE source = ?""",
            [first, source],
        )
        if (source, first) not in known:
            enter_spaces(con, [Used(source, name, first, load_id)])


def sources_by_people(
    con: duckdb.DuckDBPyConnection, numbers: pl.DataFrame
) -> list[tuple[str, int, list[tuple[str, ...]]]]:
    """Return each source that was ever read, its first load, and the spaces of its clients: one tuple per combination.

    `numbers`: id_space and client_id (16 bytes) of every client with a known record number.
    """
    con.execute("CREATE OR REPLACE TABLE staged.numbers (id_space VARCHAR, client_id UUID)")
    insert(con, "staged.numbers", numbers)
    holding = (*(f"history.{kind}" for kind in KINDS), "load.quarantine", "main.risk_answers")
    people = " UNION ".join(f"SELECT source, client_id FROM {table}" for table in holding)
    return con.sql(f"""
        WITH mixes AS (
            SELECT source, client_id, list_sort(list(DISTINCT id_space)) AS spaces
            FROM ({people}) JOIN staged.numbers USING (client_id) GROUP BY ALL)
        SELECT source, first_load, coalesce(list(DISTINCT spaces) FILTER (spaces IS NOT NULL), [])
        FROM (SELECT source, min(load_id)::INTEGER AS first_load FROM load.files GROUP BY ALL)
        LEFT JOIN mixes USING (source) GROUP BY ALL ORDER BY ALL""").fetchall()
