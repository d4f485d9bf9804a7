"""The erasure of people's rows from a file: from every table, in every schema.

DELETE leaves the bytes in the file. Erased rows are gone only in the compact copy that is made afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb

from rapport.warehouse.history.erased_days import ErasedDays
from rapport.warehouse.history.person_rows import (
    BESIDE_HISTORY,
    by_client,
    columns,
    goes_condition,
    list_clients,
    list_own,
    tables,
)
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.store.one_row import number

_GROUPS = "load.shared_appointment_ids"
_RETRACTIONS = "load.retractions"
_RECORDS = ("main.risk_answers",)  # in main, and not computed


def known_people(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the pseudonyms (hexadecimal digits) of all clients and raters in a file's records. Main's tables have no
    others."""
    named = [table for table in tables(con) if table in _RECORDS or table.startswith(("history.", "load."))]
    named = [table for table in named if "client_id" in columns(con, table)]
    people = " UNION ".join(f"SELECT client_id FROM {table}" for table in named)
    people += " UNION SELECT rater_id FROM history.responses"
    listed = con.sql(f"SELECT replace(client_id::VARCHAR, '-', '') FROM ({people}) WHERE client_id IS NOT NULL")
    return [person for (person,) in listed.fetchall()]


def people_to_erase(con: duckdb.DuckDBPyConnection, people: Mapping[str, ErasedDays]) -> dict[str, bool]:
    """Return the people with rows to erase, in no order, and whether all their rows go. They are listed in the
    temporary tables own_people, own_rows and own_clients, which `erase_records` and `erase_everywhere` use."""
    list_own(con, people)
    beside = (f"SELECT client_id FROM {each} WHERE rowid IN ({BESIDE_HISTORY[each]})" for each in _beside_history(con))
    going = " UNION ".join(("SELECT client_id FROM own_rows WHERE goes", *beside))
    con.execute(f"DELETE FROM own_people WHERE NOT is_whole AND client_id NOT IN ({going})")
    list_clients(con)
    found = con.sql("SELECT replace(client_id::VARCHAR, '-', ''), is_whole FROM own_people")
    return dict(found.fetchall())


def people_with_records(
    con: duckdb.DuckDBPyConnection, people: Mapping[str, ErasedDays], source: str | None = None
) -> set[str]:
    """Return the people with records to erase in a file. Where `until` is set, only records with a day count. With a
    `source` only its records count."""
    list_own(con, people)
    asked = """
        SELECT DISTINCT replace(client_id::VARCHAR, '-', '') FROM own_rows JOIN own_people USING (client_id)
        WHERE source = coalesce($source, source) AND CASE WHEN until IS NULL THEN goes ELSE last_day <= until END"""
    return {person for (person,) in con.execute(asked, {"source": source}).fetchall()}


def erase_records(con: duckdb.DuckDBPyConnection) -> int:
    """Delete the records and the quarantined rows of the people that `people_to_erase` found. Return the number of
    rows. The clients are entered as touched: the caller computes the tables of main again."""
    _drop_retractions(con)
    count = sum(_erase_versions(con, kind) for kind in KINDS)
    count += sum(_delete(con, table, goes_condition(con, table)) for table in _beside_history(con))
    _drop_ids_of_nobody(con)
    con.execute("INSERT INTO staged.touched SELECT client_id, 'erased' FROM own_clients")
    return count


def erase_everywhere(con: duckdb.DuckDBPyConnection) -> int:
    """Delete the rows of these people from every table of an older file. Return the number of rows.

    Computed rows go also for a person who keeps some records: the older night's results for fewer records are unknown.
    """
    _drop_retractions(con)
    count = sum(_erase_versions(con, kind) for kind in KINDS)
    for table in tables(con):
        if not table.startswith("history."):
            count += _delete(con, table, (goes_condition if table in BESIDE_HISTORY else by_client)(con, table))
    _drop_ids_of_nobody(con)
    return count


def _drop_retractions(con: duckdb.DuckDBPyConnection) -> None:
    """Delete what was taken back of the records that go."""
    if _RETRACTIONS in tables(con):
        for name, kind in KINDS.items():
            going = f"SELECT place FROM own_rows WHERE goes AND kind = '{name}'"
            known = f"SELECT {kind.key[1]} FROM history.{name} WHERE rowid IN ({going})"
            con.execute(f"DELETE FROM {_RETRACTIONS} WHERE records = '{name}' AND record_id IN ({known})")


def _drop_ids_of_nobody(con: duckdb.DuckDBPyConnection) -> None:
    """Delete the ids of group sessions of which no record is left."""
    if _GROUPS in tables(con):
        known = "SELECT (source, appointment_id) FROM history.appointments"
        con.execute(f"DELETE FROM {_GROUPS} WHERE (source, appointment_id) NOT IN ({known})")


def _beside_history(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [table for table in tables(con) if table in BESIDE_HISTORY]


def empty(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Delete all rows of these tables of main, where the file has them."""
    for table in {f"main.{name}" for name in names} & set(tables(con)):
        con.execute(f"DELETE FROM {table}")


def rows_of_person(con: duckdb.DuckDBPyConnection, person: str) -> int:
    """Return the number of rows about a person, in all tables that name a client or a rater."""
    named = [(table, name) for table in tables(con) for name in {"client_id", "rater_id"} & columns(con, table)]
    counts = " UNION ALL ".join(f"SELECT count(*) AS n FROM {table} WHERE {name} = $person" for table, name in named)
    return number(con, f"SELECT coalesce(sum(n), 0)::BIGINT FROM ({counts})", {"person": person})


def _erase_versions(con: duckdb.DuckDBPyConnection, kind: str) -> int:
    return _delete(con, f"history.{kind}", f"rowid IN (SELECT place FROM own_rows WHERE goes AND kind = '{kind}')")


def _delete(con: duckdb.DuckDBPyConnection, table: str, condition: str) -> int:
    return number(con, f"DELETE FROM {table} WHERE {condition}")
