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

    load.retractions keeps the ids, also of records that are not known: an older export may still bring them.
    """
    given = {"load_id": load_id, "file_number": file_number, "source": source}
    con.execute(
        f"""
        INSERT INTO load.retractions BY NAME
        SELECT DISTINCT $source AS source, '{kind}' AS records, id::UUID AS record_id, file_id, $load_id AS load_id
        FROM (SELECT unnest($ids::VARCHAR[]) AS id), staged.files WHERE file_number = $file_number""",
        given | {"ids": list(ids)},
    )
    touched = con.execute(
        f"""
        UPDATE history.{kind} AS t SET known_to = $load_id, closed_because = '{RETRACTED}'
        FROM (SELECT file_id, exported_at, arrived FROM staged.files JOIN staged.arrivals USING (file_id)
              WHERE file_number = $file_number) AS f, staged.arrivals AS a
        WHERE t.known_to IS NULL AND t.source = $source AND a.file_id = t.file_id
          AND row(t.exported_at, a.arrived) <= row(f.exported_at, f.arrived)
          AND {KINDS[kind].key[1]} IN (
              SELECT record_id FROM load.retractions AS r
              WHERE r.source = $source AND records = '{kind}' AND r.file_id = f.file_id)
        RETURNING client_id""",
        given,
    ).fetchall()
    for (client,) in set(touched):
        con.execute("INSERT INTO staged.touched VALUES (?, ?)", [client, GONE])


def forget_reread_retractions(con: duckdb.DuckDBPyConnection) -> None:
    """Delete what files that are read again tonight took back: tonight says it anew."""
    con.execute(
        "DELETE FROM load.retractions WHERE file_id IN (SELECT file_id FROM staged.files WHERE NOT is_passed_over)"
    )


def pass_over_retracted(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> None:
    """Mark rows as unchanged whose record a newer export of an earlier night took back."""
    if not is_so(con, f"SELECT EXISTS (FROM load.retractions WHERE records = '{kind.name}')"):
        return
    record = kind.key[1]
    con.execute(f"""
        UPDATE staged.{kind.name} AS s SET disposition = 'unchanged'
        FROM (SELECT source, record_id, max(row(exported_at, arrived)) AS came
              FROM load.retractions JOIN staged.arrivals USING (file_id)
              JOIN (SELECT file_id, max(exported_at) AS exported_at FROM load.files GROUP BY file_id) USING (file_id)
              WHERE records = '{kind.name}' GROUP BY ALL) AS r,
            (SELECT file_number, row(exported_at, arrived) AS came
             FROM staged.files JOIN staged.arrivals USING (file_id)) AS f
        WHERE s.disposition = 'loaded' AND f.file_number = s.file_number AND f.came <= r.came
            AND s.source = r.source AND s.{record} = r.record_id
            AND (s.source, s.{record}) NOT IN (
                SELECT (source, {record}) FROM history.{kind.name} WHERE known_to IS NULL)""")
