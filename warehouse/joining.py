"""Records of one person from two systems: what is known already follows the clinic's links, and the books say so.

A version keeps what it says and changes whose it is: joined numbers are one client in every version of every record. A
link that is withdrawn parts them again, because each source knows the numbers of its own id space alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from warehouse.records import CORRECTED, KINDS
from warehouse.staging import enter


@dataclass(frozen=True)
class Join:
    """A record number: its space, the pseudonym that it has alone, and that of the client it counts as."""

    id_space: str
    own_id: str
    client_id: str


def joins_in_use(con: duckdb.DuckDBPyConnection) -> set[Join]:
    """The joins of the last load."""
    rows = con.sql("""
        SELECT id_space, replace(own_id::VARCHAR, '-', ''), replace(client_id::VARCHAR, '-', '')
        FROM load.client_links WHERE withdrawn_by IS NULL""").fetchall()
    return {Join(*row) for row in rows}


def use_joins(
    con: duckdb.DuckDBPyConnection, load_id: int, joins: Iterable[Join], sources: Mapping[str, Iterable[str]]
) -> int:
    """Let what is known follow these joins; `sources` are those of each id space. How many are new or withdrawn."""
    before, now = joins_in_use(con), set(joins)
    counts_as = {(join.id_space, join.own_id): join.client_id for join in now}
    for join in sorted(before - now, key=repr):
        then = counts_as.get((join.id_space, join.own_id), join.own_id)
        _move(con, join.client_id, then, sources.get(join.id_space, ()))
        con.execute(
            "UPDATE load.client_links SET withdrawn_by = ? WHERE withdrawn_by IS NULL AND id_space = ? AND own_id = ?",
            [load_id, join.id_space, join.own_id],
        )
    for join in sorted(now - before, key=repr):
        _move(con, join.own_id, join.client_id, sources.get(join.id_space, ()))
        enter(con, "load.client_links", {"load_id": load_id, **vars(join)})
    return len(before ^ now)


def _move(con: duckdb.DuckDBPyConnection, old: str, new: str, sources: Iterable[str]) -> None:
    """Everything that these sources know of a client becomes another's."""
    which = f"client_id = '{old}'::UUID AND source IN (SELECT unnest(?::VARCHAR[]))"
    half = f"'{new}'[1:16]"
    session = f"(replace(session_id::VARCHAR, '-', '')[1:16] || {half})::UUID"
    named = f"(replace(appointment_session_id::VARCHAR, '-', '')[1:16] || {half})::UUID"
    also = {"appointments": f", session_id = {session}", "responses": f", appointment_session_id = {named}"}
    of_kind = {"appointments": session.replace("session_id", "record_id"), "clients": f"'{new}'::UUID"}
    moved = 0
    for kind in KINDS:
        sets = f"client_id = '{new}'::UUID{also.get(kind, '')}"
        moved += con.execute(f"UPDATE history.{kind} SET {sets} WHERE {which}", [list(sources)]).fetchone()[0]
        if kind in of_kind:
            con.execute(
                f"UPDATE load.quarantine SET record_id = {of_kind[kind]} WHERE records = '{kind}' AND {which}",
                [list(sources)],
            )
    for table in ("load.quarantine", "main.risk_answers"):
        con.execute(f"UPDATE {table} SET client_id = '{new}'::UUID WHERE {which}", [list(sources)])
    if moved:
        con.execute("INSERT INTO staged.touched VALUES (?, ?), (?, ?)", [old, CORRECTED, new, CORRECTED])
