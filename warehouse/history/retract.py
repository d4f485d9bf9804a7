"""Records that their source has taken back: entered in error."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import duckdb

from rapport.warehouse.schema.records import GONE, KINDS, RETRACTED


def retract(
    con: duckdb.DuckDBPyConnection, load_id: int, kind: str, source: str, ids: Iterable[str], exported_at: datetime
) -> None:
    """Close the current versions of these records, unless a newer export shows them. keep_history has run."""
    touched = con.execute(
        f"""
        UPDATE history.{kind} SET known_to = ?, closed_because = '{RETRACTED}'
        WHERE known_to IS NULL AND source = ? AND exported_at <= ?
          AND {KINDS[kind].key[1]} IN (SELECT unnest(?::VARCHAR[])::UUID)
        RETURNING client_id""",
        [load_id, source, exported_at, list(ids)],
    ).fetchall()
    for (client,) in set(touched):
        con.execute("INSERT INTO staged.touched VALUES (?, ?)", [client, GONE])
