"""One person's rows out of a file: out of every table, in every schema.

DELETE leaves the bytes in the file: what is erased is gone only from the compact copy that is made afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import duckdb

from warehouse.records import KINDS

_NAMES_A_RECORD = ("session_id", "response_id", "episode_id", "record_id")
_RECORDS = ("main.risk_answers",)  # in main, and not computed
_SINCE = {
    "appointments": "starts_local::DATE >= $since",
    "responses": "coalesce(coalesce(completed_on, completed_at::DATE) >= $since, true)",
    "episodes": "opened_on >= $since",
    "clients": "false",
}


def known_people(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Everybody whose records a file holds, as hexadecimal digits: the tables of main are made of records."""
    named = [table for table in _tables(con) if table in _RECORDS or table.startswith(("history.", "load."))]
    named = [table for table in named if "client_id" in _columns(con, table)]
    people = " UNION ".join(f"SELECT client_id FROM {table}" for table in named)
    listed = con.sql(f"SELECT replace(client_id::VARCHAR, '-', '') FROM ({people}) WHERE client_id IS NOT NULL")
    return [person for (person,) in listed.fetchall()]


def has_since(con: duckdb.DuckDBPyConnection, client: str, since: date) -> bool:
    """Whether a file holds records of a person that are dated on a day or later, or have no day."""
    found = " OR ".join(f"EXISTS (FROM history.{kind} WHERE client_id = $client AND {_SINCE[kind]})" for kind in KINDS)
    return con.execute(f"SELECT {found}", {"client": client, "since": since}).fetchone()[0]


def erase_records(con: duckdb.DuckDBPyConnection, client: str, since: date | None) -> int:
    """Delete a person's records, in every version, and all of them that waits in quarantine; how many rows.

    With a day, only those dated then or later, and those without a day. The tables of main are computed again by the
    caller, for the person is entered as touched.
    """
    _list_gone(con, client, since)
    count = sum(_erase_versions(con, kind, client, since) for kind in KINDS)
    for table in ("load.quarantine", "load.client_links", *_RECORDS):
        whole = "" if since else "client_id = $client OR "
        count += _run(con, f"DELETE FROM {table} WHERE {whole}{_by_record(con, table)}", client=client)
    con.execute("INSERT INTO staged.touched VALUES (?, 'erased')", [client])
    return count


def erase_everywhere(con: duckdb.DuckDBPyConnection, client: str, since: date | None) -> int:
    """Delete a person's rows from every table of an older file; how many.

    With a day the records before it stay, and every table made of them goes: what an older night would have made of
    the shorter record is not known.
    """
    _list_gone(con, client, since)
    kinds = {f"history.{kind}": kind for kind in KINDS}
    count = 0
    for table in _tables(con):
        if table in kinds:
            count += _erase_versions(con, kinds[table], client, since)
            continue
        named = "client_id = $client OR " if "client_id" in _columns(con, table) else ""
        count += _run(con, f"DELETE FROM {table} WHERE {named}{_by_record(con, table)}", client=client)
    return count


def empty(con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
    """Delete all rows of main's tables of these names, where the file has them."""
    for table in {f"main.{name}" for name in tables} & set(_tables(con)):
        con.execute(f"DELETE FROM {table}")


def rows_of_person(con: duckdb.DuckDBPyConnection, client: str) -> int:
    """Rows of a person in any table that names its client."""
    named = [table for table in _tables(con) if "client_id" in _columns(con, table)]
    counts = " UNION ALL ".join(f"SELECT count(*) AS n FROM {table} WHERE client_id = $client" for table in named)
    return con.execute(f"SELECT coalesce(sum(n), 0)::BIGINT FROM ({counts})", {"client": client}).fetchone()[0]


def _list_gone(con: duckdb.DuckDBPyConnection, client: str, since: date | None) -> None:
    """gone_ids: the sessions, responses and episodes that go; and the client, unless only some of the records do."""
    con.execute("CREATE OR REPLACE TEMP TABLE gone_ids (id UUID)")
    for kind in KINDS.values():
        which = "client_id = $client" + (f" AND {_SINCE[kind.name]}" if since else "")
        listed = f"SELECT DISTINCT {kind.key[1]} FROM history.{kind.name} WHERE {which}"
        _run(con, f"INSERT INTO gone_ids {listed}", client=client, since=since)
    if not since:
        _run(con, "INSERT INTO gone_ids SELECT $client::UUID", client=client)
        _run(con, "INSERT INTO gone_ids SELECT episode_id FROM main.episodes WHERE client_id = $client", client=client)


def _erase_versions(con: duckdb.DuckDBPyConnection, kind: str, client: str, since: date | None) -> int:
    which = "client_id = $client" + (f" AND {_SINCE[kind]}" if since else "")
    return _run(con, f"DELETE FROM history.{kind} WHERE {which}", client=client, since=since)


def _by_record(con: duckdb.DuckDBPyConnection, table: str) -> str:
    ids = [name for name in _NAMES_A_RECORD if name in _columns(con, table)]
    return " OR ".join(f"{name} IN (SELECT id FROM gone_ids)" for name in ids) or "false"


def _run(con: duckdb.DuckDBPyConnection, sql: str, **named: object) -> int:
    """Run a statement with the parameters that it names; how many rows it touched."""
    used = {name: value for name, value in named.items() if f"${name}" in sql}
    return con.execute(sql, used).fetchone()[0]


def _tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    listed = "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = current_database() "
    return [name for (name,) in con.sql(f"{listed} AND NOT temporary ORDER BY ALL").fetchall()]


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    return {name for name, *_ in con.sql(f"DESCRIBE {table}").fetchall()}
