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
_OF_RESPONSES = (
    "source, client_id, response_id, therapist_id, instrument, appointment_session_id, completed_at, completed_on"
)
_OF_APPOINTMENTS = "session_id, client_id, therapist_id, starts_at, session_date, duration_minutes, status"
_COUNTS = tuple(column.name for column in MATCHES.columns if column.name.endswith("_count"))
_OF_DELIVERY = tuple(name for name in _COUNTS if name.startswith("delivery_"))
_TOTALS = tuple(name for name in _COUNTS if name not in _OF_DELIVERY)


def list_current(con: duckdb.DuckDBPyConnection, load_id: int, *, with_staged: bool) -> None:
    """Make staged.current_<kind>: the current records; and staged.deliveries: per source, the load of its newest
    delivery of responses.

    `with_staged`: for a check, which enters nothing in the history. The staged rows that were accepted then stand in
    place of the known versions.
    """
    here = one_row(con, "SELECT current_database()")[0]
    for kind in KINDS.values():
        key, columns = ", ".join(kind.key), ", ".join(column.name for column in kind.columns)
        told = f"{columns}, exported_at, loaded_number"
        known = f'SELECT {told}, known_from FROM "{here}".history.{kind.name} WHERE known_to IS NULL'
        if with_staged:
            anew = f"""
                SELECT {columns}, exported_at, (1::BIGINT << 60) + row_id AS loaded_number, {load_id} AS known_from
                FROM staged.{kind.name} JOIN (SELECT file_number, exported_at FROM staged.files) USING (file_number)
                WHERE disposition = 'loaded'
                QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY exported_at DESC, row_id DESC) = 1"""
            known = f"FROM ({known}) ANTI JOIN ({anew}) USING ({key}) UNION ALL BY NAME {anew}"
        con.execute(f"CREATE OR REPLACE VIEW staged.current_{kind.name} AS {known}")
    con.execute("""
        CREATE OR REPLACE TABLE staged.deliveries AS
        SELECT source, max(known_from) AS known_from FROM staged.current_responses GROUP BY source""")


def current_records(con: duckdb.DuckDBPyConnection, whose: str) -> dict[str, pl.DataFrame]:
    """Return the current records of some clients: `client_records`, `episode_records`, `appointment_records` and
    `response_records`, these with is_new."""
    return {
        f"{kind.removesuffix('s')}_records": fetch(con, f"SELECT * EXCLUDE (known_from) FROM ({_current(kind, whose)})")
        for kind in KINDS
    }


def _current(kind: str, whose: str) -> str:
    is_new = ", (source, known_from) IN (FROM staged.deliveries) AS is_new" if kind == "responses" else ""
    return f"SELECT *{is_new} FROM staged.current_{kind} WHERE {whose}"


def people(con: duckdb.DuckDBPyConnection, whose: str) -> pl.DataFrame:
    """Return the sources' clients, of some clients: source, client_id, record_count, appointment_count."""
    counts = (
        f"SELECT source, client_id, count(*) AS n, {'n' if kind == 'appointments' else '0'} AS booked "
        f"FROM staged.current_{kind} WHERE {whose} GROUP BY ALL"
        for kind in KINDS
    )
    return fetch(
        con,
        "SELECT source, client_id, sum(n)::BIGINT AS record_count, sum(booked)::BIGINT AS appointment_count "
        f"FROM ({' UNION ALL '.join(counts)}) GROUP BY ALL",
    )


def matched(con: duckdb.DuckDBPyConnection, whose: str) -> pl.DataFrame:
    """Return the number of responses with a session, of some clients: source, matched_by, is_new, response_count."""
    new = f"SELECT response_id, true AS is_new FROM ({_current('responses', whose)}) WHERE is_new"
    return fetch(
        con,
        "SELECT source, matched_by, coalesce(is_new, false) AS is_new, count(*) AS response_count "
        f"FROM main.responses LEFT JOIN ({new}) USING (response_id) "
        f"WHERE matched_by IS NOT NULL AND {whose} GROUP BY ALL",
    )


def unmatched(con: duckdb.DuckDBPyConnection, whose: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the response records without a session, of some clients, and the appointments of their clients."""
    alone = f"SELECT response_id FROM main.responses WHERE matched_by IS NULL AND {whose}"
    found = fetch(
        con,
        f"SELECT {_OF_RESPONSES}, is_new FROM ({_current('responses', whose)}) SEMI JOIN ({alone}) USING (response_id)",
    )
    clients = f"SELECT client_id FROM main.responses WHERE matched_by IS NULL AND {whose}"
    booked = f"SELECT {_OF_APPOINTMENTS} FROM main.appointments WHERE {whose} AND client_id IN ({clients})"
    return found, fetch(con, booked)


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


def deliveries(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return per source the load of its newest delivery of responses."""
    return dict(con.sql("SELECT source, known_from FROM staged.deliveries").fetchall())


def usual_shares(con: duckdb.DuckDBPyConnection) -> dict[str, float]:
    """Return per source the median share of matched responses in its last DELIVERIES deliveries before the newest. A
    source without an earlier delivery has none. A delivery counts once, as it was counted last."""
    return dict(
        con.sql(
            """
            WITH deliveries AS (
                SELECT source, delivery_load_id, arg_max(delivery_matched_count / delivery_count, load_id) AS share
                FROM load.matches WHERE delivery_count > 0 GROUP BY source, delivery_load_id),
            earlier AS (
                SELECT source, share FROM deliveries LEFT JOIN staged.deliveries AS newest USING (source)
                WHERE coalesce(delivery_load_id < newest.known_from, true)
                QUALIFY row_number() OVER (PARTITION BY source ORDER BY delivery_load_id DESC) <= $most)
            SELECT source, median(share) FROM earlier GROUP BY source""",
            params={"most": DELIVERIES},
        ).fetchall()
    )


def enter_matches(
    con: duckdb.DuckDBPyConnection, load_id: int, matches: pl.DataFrame, findings: Mapping[str, str]
) -> None:
    """Enter the match report of a load. `findings`: by source, why it is told to operators."""
    finding = pl.Series("finding", [findings.get(source) for source in matches["source"]], dtype=pl.String)
    delivered_by = deliveries(con)
    load = pl.Series("delivery_load_id", [delivered_by.get(source) for source in matches["source"]], dtype=pl.Int64)
    insert(con, "load.matches", matches.with_columns(finding, load, load_id=pl.lit(load_id)))


def withhold_totals(con: duckdb.DuckDBPyConnection, before: int | None = None) -> None:
    """Remove the totals of the match reports so far: compared with later ones they would tell of an erased person.
    `before`: only those of earlier loads than this.

    The counts of a delivery stay as those of load.rows do, but for the newest: later nights count it again."""
    if MATCHES.name not in existing_tables(con, "load"):
        return
    earlier = f"load_id < {before}" if before is not None else "true"
    con.execute(f"UPDATE load.matches SET {', '.join(f'{name} = NULL' for name in _TOTALS)} WHERE {earlier}")
    con.execute(f"""
        UPDATE load.matches SET {", ".join(f"{name} = NULL" for name in _OF_DELIVERY)}
        WHERE {earlier} AND (source, delivery_load_id) IN (
            SELECT source, max(delivery_load_id) FROM load.matches GROUP BY source)""")


def sources_of(con: duckdb.DuckDBPyConnection, kind: str) -> set[str]:
    """Return the sources that have current records of a kind."""
    return {source for (source,) in con.sql(f"SELECT DISTINCT source FROM staged.current_{kind}").fetchall()}
