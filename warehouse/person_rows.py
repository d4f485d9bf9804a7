"""Which rows of a file are one person's: those that name the client, and those of the client's own records."""

from __future__ import annotations

from datetime import date

import duckdb

from warehouse.records import KINDS

_NAMES_A_CLIENT = ("client_id", "own_id")  # a number's own pseudonym stays in load.client_links when it is joined
_NAMES_A_RECORD = ("session_id", "response_id", "episode_id", "record_id")
SINCE = {  # of each kind of record: what is dated on a day or later; what has no day counts as later
    "appointments": "starts_local::DATE >= $since",
    "responses": "coalesce(coalesce(completed_on, completed_at::DATE) >= $since, true)",
    "episodes": "opened_on >= $since",
    "clients": "false",
}


def list_ids(con: duckdb.DuckDBPyConnection, client: str, since: date | None = None) -> None:
    """Make the temporary table own_ids: the client's sessions, responses and episodes, and the client. With a day only
    the records that are dated then or later."""
    con.execute("CREATE OR REPLACE TEMP TABLE own_ids (id UUID)")
    for kind in KINDS.values():
        which = "client_id = $client" + (f" AND {SINCE[kind.name]}" if since else "")
        listed = f"SELECT DISTINCT {kind.key[1]} FROM history.{kind.name} WHERE {which}"
        run(con, f"INSERT INTO own_ids {listed}", client=client, since=since)
    if not since:
        run(con, "INSERT INTO own_ids SELECT $client::UUID", client=client)
        run(con, "INSERT INTO own_ids SELECT episode_id FROM main.episodes WHERE client_id = $client", client=client)


def by_record(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """The condition on a table's rows that they are of a record of own_ids."""
    ids = [name for name in _NAMES_A_RECORD if name in columns(con, table)]
    return " OR ".join(f"{name} IN (SELECT id FROM own_ids)" for name in ids) or "false"


def by_client(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """The condition that rows name the client, or are of a record of own_ids."""
    named = [f"{name} = $client OR " for name in _NAMES_A_CLIENT if name in columns(con, table)]
    return f"{''.join(named)}{by_record(con, table)}"


def run(con: duckdb.DuckDBPyConnection, sql: str, **named: object) -> int:
    """Run a statement with the parameters that it names; how many rows it touched."""
    used = {name: value for name, value in named.items() if f"${name}" in sql}
    return con.execute(sql, used).fetchone()[0]


def tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Every table of a file, with its schema."""
    listed = "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = current_database() "
    return [name for (name,) in con.sql(f"{listed} AND NOT temporary ORDER BY ALL").fetchall()]


def columns(con: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    """The names of a table's columns."""
    return {name for name, *_ in con.sql(f"DESCRIBE {table}").fetchall()}
