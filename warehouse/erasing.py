"""One person's rows out of a file: out of every table, in every schema.

DELETE leaves the bytes in the file: what is erased is gone only from the compact copy that is made afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import duckdb

from warehouse.person_rows import SINCE, by_client, by_record, columns, list_ids, run, tables
from warehouse.records import KINDS

_RECORDS = ("main.risk_answers",)  # in main, and not computed


def known_people(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Everybody whose records a file holds, as hexadecimal digits: the tables of main are made of records."""
    named = [table for table in tables(con) if table in _RECORDS or table.startswith(("history.", "load."))]
    named = [table for table in named if "client_id" in columns(con, table)]
    people = " UNION ".join(f"SELECT client_id FROM {table}" for table in named)
    listed = con.sql(f"SELECT replace(client_id::VARCHAR, '-', '') FROM ({people}) WHERE client_id IS NOT NULL")
    return [person for (person,) in listed.fetchall()]


def has_since(con: duckdb.DuckDBPyConnection, client: str, since: date | None, source: str | None = None) -> bool:
    """Whether a file holds records of a person that are dated on a day or later, or have no day; without a day, any
    record. With a source only that one's count."""
    which = "client_id = $client" + (" AND source = $source" if source else "")
    found = " OR ".join(
        f"EXISTS (FROM history.{kind} WHERE {which} AND {SINCE[kind] if since else 'true'})" for kind in KINDS
    )
    given = {"client": client, "since": since, "source": source}
    return con.execute(f"SELECT {found}", {name: value for name, value in given.items() if value}).fetchone()[0]


def erase_records(con: duckdb.DuckDBPyConnection, client: str, since: date | None) -> int:
    """Delete a person's records, in every version, and all of them that waits in quarantine; how many rows.

    With a day, only those dated then or later, and those without a day. The tables of main are computed again by the
    caller, for the person is entered as touched.
    """
    list_ids(con, client, since)
    count = sum(_erase_versions(con, kind, client, since) for kind in KINDS)
    for table in ("load.quarantine", "load.client_links", *_RECORDS):
        which = by_record(con, table) if since else by_client(con, table)
        count += run(con, f"DELETE FROM {table} WHERE {which}", client=client)
    con.execute("INSERT INTO staged.touched VALUES (?, 'erased')", [client])
    return count


def erase_everywhere(con: duckdb.DuckDBPyConnection, client: str, since: date | None) -> int:
    """Delete a person's rows from every table of an older file; how many.

    With a day the records before it stay, and every table made of them goes: what an older night would have made of
    the shorter record is not known.
    """
    list_ids(con, client, since)
    kinds = {f"history.{kind}": kind for kind in KINDS}
    count = 0
    for table in tables(con):
        if table in kinds:
            count += _erase_versions(con, kinds[table], client, since)
        else:
            count += run(con, f"DELETE FROM {table} WHERE {by_client(con, table)}", client=client)
    return count


def empty(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Delete all rows of main's tables of these names, where the file has them."""
    for table in {f"main.{name}" for name in names} & set(tables(con)):
        con.execute(f"DELETE FROM {table}")


def rows_of_person(con: duckdb.DuckDBPyConnection, client: str) -> int:
    """Rows of a person in any table that names its client."""
    named = [table for table in tables(con) if "client_id" in columns(con, table)]
    counts = " UNION ALL ".join(f"SELECT count(*) AS n FROM {table} WHERE client_id = $client" for table in named)
    return con.execute(f"SELECT coalesce(sum(n), 0)::BIGINT FROM ({counts})", {"client": client}).fetchone()[0]


def _erase_versions(con: duckdb.DuckDBPyConnection, kind: str, client: str, since: date | None) -> int:
    which = "client_id = $client" + (f" AND {SINCE[kind]}" if since else "")
    return run(con, f"DELETE FROM history.{kind} WHERE {which}", client=client, since=since)
