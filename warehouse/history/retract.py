"""Records that their source has taken back: entered in error."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from rapport.warehouse.schema.records import GONE, KINDS, RETRACTED, RecordKind
from rapport.warehouse.store.one_row import is_so


def retract(
    con: duckdb.DuckDBPyConnection, load_id: int, kind: str, source: str, ids: Iterable[str], file_number: int
) -> None:
    """Close the current versions of these records, unless a newer export shows them. keep_history has run.

    The version keeps the time of the export that took it back: no older export brings it again.
    """
    touched = con.execute(
        f"""
        UPDATE history.{kind} AS t SET known_to = $load_id, closed_because = '{RETRACTED}', exported_at = f.exported_at
        FROM (SELECT exported_at, arrived FROM staged.files JOIN staged.arrivals USING (file_id)
              WHERE file_number = $file_number) AS f, staged.arrivals AS a
        WHERE t.known_to IS NULL AND t.source = $source AND a.file_id = t.file_id
          AND row(t.exported_at, a.arrived) <= row(f.exported_at, f.arrived)
          AND {KINDS[kind].key[1]} IN (SELECT unnest($ids::VARCHAR[])::UUID)
        RETURNING client_id""",
        {"load_id": load_id, "file_number": file_number, "source": source, "ids": list(ids)},
    ).fetchall()
    for (client,) in set(touched):
        con.execute("INSERT INTO staged.touched VALUES (?, ?)", [client, GONE])


def pass_over_retracted(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> None:
    """Mark rows as unchanged whose record a newer export of an earlier night took back.

    Where all files of that night are read again, tonight decides again what was taken back.
    """
    if not is_so(con, f"SELECT EXISTS (FROM history.{kind.name} WHERE closed_because = '{RETRACTED}')"):
        return
    key = ", ".join(kind.key)
    con.execute(f"""
        UPDATE staged.{kind.name} AS s SET disposition = 'unchanged'
        FROM (SELECT {key}, max(row(exported_at, arrived)) AS came
              FROM history.{kind.name} AS h JOIN staged.arrivals USING (file_id)
              WHERE closed_because = '{RETRACTED}' AND EXISTS (
                  FROM load.files AS b WHERE b.source = h.source AND b.load_id = h.known_to
                      AND b.file_id NOT IN (SELECT file_id FROM staged.files))
              GROUP BY ALL) AS r,
            (SELECT file_number, row(exported_at, arrived) AS came
             FROM staged.files JOIN staged.arrivals USING (file_id)) AS f
        WHERE s.disposition = 'loaded' AND f.file_number = s.file_number AND f.came <= r.came
            AND {" AND ".join(f"s.{column} = r.{column}" for column in kind.key)}
            AND ({", ".join(f"s.{column}" for column in kind.key)}) NOT IN (
                SELECT ({key}) FROM history.{kind.name} WHERE known_to IS NULL)""")
