"""The definitions with which the tables were computed: a fingerprint per table, instrument and clinic file, and the
first load that used it."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from rapport.warehouse.intake.staged_rows import enter_all
from rapport.warehouse.store.one_row import is_so

Fingerprints = Mapping[tuple[str, str], str]  # (kind, name) -> fingerprint


def is_first(con: duckdb.DuckDBPyConnection) -> bool:
    """Return whether no load has entered a definition yet."""
    return not is_so(con, "SELECT EXISTS (FROM load.definitions)")


def changed(con: duckdb.DuckDBPyConnection, now: Fingerprints, kind: str) -> set[str]:
    """Return the names of a kind whose definition differs from the one last used."""
    before = dict(
        con.execute(
            "SELECT name, arg_max(fingerprint, load_id) FROM load.definitions WHERE kind = ? GROUP BY name", [kind]
        ).fetchall()
    )
    return {
        name for (its_kind, name), fingerprint in now.items() if its_kind == kind and before.get(name) != fingerprint
    }


def used_since(con: duckdb.DuckDBPyConnection, kind: str, name: str, fingerprint: str, load_id: int) -> int:
    """The load that was the first to use a definition as it is; this one, where none did."""
    asked = """
        SELECT load_id FROM load.definitions WHERE kind = ? AND name = ?
        QUALIFY row_number() OVER (ORDER BY load_id DESC) = 1 AND fingerprint = ?"""
    found = con.execute(asked, [kind, name, fingerprint]).fetchone()
    return found[0] if found else load_id


def note_changed(con: duckdb.DuckDBPyConnection, now: Fingerprints, load_id: int) -> None:
    """Enter the definitions that this load uses first."""
    rows = [
        {"load_id": load_id, "kind": kind, "name": name, "fingerprint": now[kind, name]}
        for kind in sorted({kind for kind, _ in now})
        for name in sorted(changed(con, now, kind))
    ]
    enter_all(con, "load.definitions", rows)
