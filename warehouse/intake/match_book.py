"""The current records of every source for the match report, and the book load.matches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import duckdb
import polars as pl

from rapport.warehouse.schema.books import MATCHES
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.store.building_file import existing_tables
from rapport.warehouse.store.frames import fetch, insert
from rapport.warehouse.store.one_row import number, one_row

DELIVERIES = 14  # of a source: their median share of matched responses is the usual one
_OF_RESPONSES = ("response_id", "therapist_id", "instrument", "appointment_session_id", "completed_at", "completed_on")
_OF_BOTH = ("source", "client_id")
_KEPT = (*MATCHES.key, "finding", *(each.name for each in MATCHES.columns if each.name.startswith("delivered_")))
_WITHHELD = tuple(column.name for column in MATCHES.columns if column.name not in _KEPT)


def list_current(con: duckdb.DuckDBPyConnection, load_id: int, *, with_staged: bool) -> None:
    """Make staged.current_<kind>: the current records, and is_new for those that this load brought.

    `with_staged`: for a check, which enters nothing in the history. The staged rows that were accepted then stand in
    place of the known versions.
    """
    here = one_row(con, "SELECT current_database()")[0]
    for kind in KINDS.values():
        key, columns = ", ".join(kind.key), ", ".join(column.name for column in kind.columns)
        told = f"{columns}, exported_at, loaded_number"
        known = (
            f'SELECT {told}, known_from = {load_id} AS is_new FROM "{here}".history.{kind.name} WHERE known_to IS NULL'
        )
        if with_staged:
            anew = f"""
                SELECT {columns}, exported_at, (1::BIGINT << 60) + row_id AS loaded_number, true AS is_new
                FROM staged.{kind.name} JOIN (SELECT file_number, exported_at FROM staged.files) USING (file_number)
                WHERE disposition = 'loaded'
                QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY exported_at DESC, row_id DESC) = 1"""
            known = f"FROM ({known}) ANTI JOIN ({anew}) USING ({key}) UNION ALL BY NAME {anew}"
        con.execute(f"CREATE OR REPLACE VIEW staged.current_{kind.name} AS {known}")


def current_records(con: duckdb.DuckDBPyConnection, whose: str, *, is_whole: bool) -> dict[str, pl.DataFrame]:
    """Return the current records of some clients: `client_records`, `episode_records`, `appointment_records` and
    `response_records`. `is_whole`: with all columns, for computing tables from them; else with those of the report."""
    found = {}
    for kind in KINDS:
        few = (*_OF_BOTH, *_OF_RESPONSES, "is_new") if kind == "responses" else _OF_BOTH
        columns = "*" if is_whole else ", ".join(few)
        found[f"{kind.removesuffix('s')}_records"] = fetch(
            con, f"SELECT {columns} FROM staged.current_{kind} WHERE {whose}"
        )
    return found


def finished_tables(con: duckdb.DuckDBPyConnection, whose: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the columns of the tables appointments and responses that the report reads, of some clients."""
    booked = "session_id, client_id, therapist_id, starts_at, session_date, duration_minutes, status"
    return (
        fetch(con, f"SELECT {booked} FROM main.appointments WHERE {whose}"),
        fetch(con, f"SELECT response_id, matched_by FROM main.responses WHERE {whose}"),
    )


def record_count(con: duckdb.DuckDBPyConnection) -> int:
    """Return the number of current records."""
    return sum(number(con, f"SELECT count(*) FROM staged.current_{kind}") for kind in KINDS)


def known_to(con: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """Return per source the time of its newest export, tonight's too."""
    both = " UNION ALL ".join(f"SELECT source, exported_at FROM {files}" for files in ("load.files", "staged.files"))
    return dict(con.sql(f"SELECT source, max(exported_at) FROM ({both}) GROUP BY source").fetchall())


def clients_of(con: duckdb.DuckDBPyConnection, source: str) -> set[str]:
    """Return the clients with a current record of a source, as hexadecimal digits."""
    named = " UNION ".join(f"SELECT client_id FROM staged.current_{kind} WHERE source = $source" for kind in KINDS)
    return _hexadecimal(con, named, {"source": source})


def booked_clients(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the clients with a current appointment, as hexadecimal digits."""
    return _hexadecimal(con, "SELECT DISTINCT client_id FROM staged.current_appointments", {})


def _hexadecimal(con: duckdb.DuckDBPyConnection, clients: str, given: Mapping[str, str]) -> set[str]:
    asked = f"SELECT replace(client_id::VARCHAR, '-', '') FROM ({clients})"
    return {client for (client,) in con.execute(asked, given).fetchall()}


def usual_share(con: duckdb.DuckDBPyConnection, source: str) -> float | None:
    """Return the median share of matched responses in the last DELIVERIES deliveries of a source; None before the
    first."""
    asked = f"""
        SELECT median(share) FROM (
            SELECT delivered_matched_count / delivered_count AS share FROM load.matches
            WHERE source = ? AND delivered_count > 0 ORDER BY load_id DESC LIMIT {DELIVERIES})"""
    share: float | None = one_row(con, asked, [source])[0]
    return share


def enter_matches(
    con: duckdb.DuckDBPyConnection, load_id: int, matches: pl.DataFrame, findings: Mapping[str, str]
) -> None:
    """Enter the match report of a load. `findings`: by source, why it is told to operators."""
    finding = pl.Series("finding", [findings.get(source) for source in matches["source"]], dtype=pl.String)
    insert(con, "load.matches", matches.with_columns(finding, load_id=pl.lit(load_id)))


def withhold_totals(con: duckdb.DuckDBPyConnection, before: int | None = None) -> None:
    """Remove the totals of the match reports so far: compared with later ones they would tell of an erased person.
    `before`: only those of earlier loads than this."""
    if MATCHES.name in existing_tables(con, "load"):
        totals = ", ".join(f"{name} = NULL" for name in _WITHHELD)
        con.execute(f"UPDATE load.matches SET {totals} WHERE load_id < coalesce(?, load_id + 1)", [before])


def sources_of(con: duckdb.DuckDBPyConnection, kind: str) -> set[str]:
    """Return the sources that have current records of a kind."""
    return {source for (source,) in con.sql(f"SELECT DISTINCT source FROM staged.current_{kind}").fetchall()}
