"""Known records that an export should hold and does not: they vanished from the source's own system.

A source states what its exports cover (`covers` in clinic.toml). A known record that a newer export covers and leaves
out is closed, with the reason. An export with a record that cannot be identified closes nothing.
"""

from __future__ import annotations

import duckdb

from rapport.warehouse.schema.records import KINDS, VANISHED, RecordKind

# A few records may always vanish. An empty export never means that all records are gone.
SUSPICIOUS = "vanished_count > greatest(10, {limit} * known_count) OR (row_count = 0 AND vanished_count > 0)"

# A window of days is shortened by one day: an export may contain only a part of its first day.
_DAYS = "CASE WHEN covers <> 'all' THEN split_part(covers, ' ', 1)::INTEGER - 1 END"


def find_vanished(con: duckdb.DuckDBPyConnection) -> None:
    """Make staged.vanished_<kind>: records that a newer export covers and leaves out, each with that export.

    staged.volumes: per export of tonight that claims a window, its number of records, the number of known records in
    the window, and how many of these it leaves out. staged.covered: per source the newest whole export of earlier
    nights, which showed every current record. staged.last_word: the newest file of each source with whole exports; no
    other export can contradict it, so its records are there.
    """
    con.execute("""
        CREATE OR REPLACE TABLE staged.covered AS
        SELECT source, max(exported_at) AS covered_at FROM load.files WHERE covers = 'all' GROUP BY source""")
    _believe_only_identified(con)
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.covering AS
        SELECT source, file_id, exported_at, {_DAYS} AS days, is_tonight FROM (
            SELECT source, file_id, exported_at, covers, true AS is_tonight FROM staged.files WHERE NOT is_passed_over
            UNION ALL SELECT source, file_id, exported_at, covers, false FROM load.files)
        WHERE covers IS NOT NULL""")
    con.execute("""
        CREATE OR REPLACE TABLE staged.last_word AS
        SELECT file_number FROM staged.files
        JOIN (SELECT source, max(exported_at) AS newest FROM staged.covering
              GROUP BY source HAVING count(days) = 0) USING (source)
        WHERE exported_at >= newest""")
    con.execute("CREATE OR REPLACE TABLE staged.volumes (file_id UUID, row_count BIGINT, known_count BIGINT, "
                "vanished_count BIGINT)")  # fmt: skip
    for kind in KINDS.values():
        _find(con, kind)
    con.execute("CREATE OR REPLACE TABLE staged.volumes AS SELECT file_id, sum(row_count)::BIGINT AS row_count, "
                "sum(known_count)::BIGINT AS known_count, sum(vanished_count)::BIGINT AS vanished_count "
                "FROM staged.volumes GROUP BY file_id")  # fmt: skip


def _believe_only_identified(con: duckdb.DuckDBPyConnection) -> None:
    for kind in KINDS.values():
        unknown = " OR ".join(f"{column} IS NULL" for column in kind.key)
        con.execute(f"""
            UPDATE staged.files SET covers = NULL WHERE covers IS NOT NULL AND file_number IN (
                SELECT file_number FROM staged.{kind.name} WHERE {unknown})""")


def _find(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> None:
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.vanished_{kind.name} AS
        SELECT {", ".join(kind.key)}, client_id, NULL::UUID AS file_id, false AS is_late
        FROM history.{kind.name} LIMIT 0""")
    if not con.sql("SELECT 1 FROM staged.covering LIMIT 1").fetchone():
        return
    _list_shown(con, kind)
    _list_known(con, kind)
    key, its = ", ".join(kind.key), ", ".join(f"k.{column}" for column in kind.key)
    for left_out in _left_out(kind):
        con.execute(f"""
            INSERT INTO staged.vanished_{kind.name} {left_out}
            AND ({its}) NOT IN (SELECT ({key}) FROM staged.vanished_{kind.name})""")
    _count_volumes(con, kind)


def _list_shown(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> None:
    """Make staged.shown: every record in tonight's files, also if held back, and the newest export that shows it.
    staged.there: the records of the files in staged.last_word; nothing else about them is needed.

    staged.held_before: the records that exports of earlier nights showed in held rows.
    """
    key, known = ", ".join(kind.key), " AND ".join(f"{column} IS NOT NULL" for column in kind.key)
    dated = kind.dated_by or "NULL::TIMESTAMPTZ"
    shown = f"""
        (SELECT {key}, client_id, {dated} AS dated_at, disposition, file_number FROM staged.{kind.name} WHERE {known}
         UNION ALL SELECT source, id, NULL, NULL, 'unchanged', file_number
         FROM staged.known_lines JOIN staged.files USING (file_number) WHERE records = '{kind.name}')"""
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.there AS
        SELECT {key} FROM {shown} SEMI JOIN staged.last_word USING (file_number)""")
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.shown AS
        SELECT {key}, max(client_id) AS client_id, max(exported_at) AS shown_at,
            arg_max(dated_at, exported_at) FILTER (disposition = 'loaded') AS dated_at,
            max(exported_at) FILTER (disposition = 'loaded') AS said_at
        FROM (FROM {shown} ANTI JOIN staged.last_word USING (file_number)) ANTI JOIN staged.there USING ({key})
        JOIN (SELECT file_number, exported_at FROM staged.files) USING (file_number)
        WHERE source IN (SELECT source FROM staged.covering)
        GROUP BY {key}""")
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.held_before AS
        SELECT q.source, q.record_id AS {kind.key[1]}, max(exported_at) AS held_at
        FROM load.quarantine AS q JOIN (SELECT DISTINCT file_id, exported_at FROM load.files) USING (file_id)
        WHERE records = '{kind.name}' AND record_id IS NOT NULL GROUP BY ALL""")


def _list_known(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> None:
    """Make staged.known: current records of sources that claim a window tonight, without those in staged.there. Rows
    with is_late come from an old export, after a newer export that covers them was read."""
    key, dated = ", ".join(kind.key), kind.dated_by or "NULL::TIMESTAMPTZ"
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.known AS
        SELECT {key}, h.client_id,
            CASE WHEN said_at >= greatest(h.exported_at, covered_at) THEN s.dated_at ELSE h.dated_at END AS dated_at,
            false AS is_late, greatest(h.exported_at, covered_at, shown_at, held_at) AS shown_at
        FROM (SELECT {key}, client_id, exported_at, {dated} AS dated_at
              FROM history.{kind.name} ANTI JOIN staged.there USING ({key})
              WHERE known_to IS NULL AND source IN (SELECT source FROM staged.covering WHERE is_tonight)) AS h
        LEFT JOIN staged.covered USING (source)
        LEFT JOIN (SELECT {key}, shown_at, said_at, dated_at FROM staged.shown) AS s USING ({key})
        LEFT JOIN staged.held_before USING ({key})""")
    con.execute(f"""
        INSERT INTO staged.known
        SELECT {key}, client_id, dated_at, true, greatest(shown_at, held_at) FROM staged.shown
        LEFT JOIN staged.held_before USING ({key})
        ANTI JOIN (SELECT {key} FROM history.{kind.name} WHERE known_to IS NULL) USING ({key})
        JOIN (SELECT source, max(exported_at) AS newest FROM staged.covering GROUP BY source) USING (source)
        WHERE newest > greatest(shown_at, held_at)""")


def _left_out(kind: RecordKind) -> tuple[str, str]:
    """Return queries of the records that the first export since they were last shown covers and leaves out."""
    columns = f"SELECT {', '.join(f'k.{column}' for column in kind.key)}, k.client_id, c.file_id, k.is_late"
    whole = f"""{columns} FROM (
            SELECT known.* FROM staged.known JOIN (
                SELECT source, max(exported_at) AS newest FROM staged.covering WHERE days IS NULL GROUP BY source)
            USING (source) WHERE shown_at < newest) AS k
        ASOF JOIN (FROM staged.covering WHERE days IS NULL) AS c
            ON k.source = c.source AND k.shown_at < c.exported_at WHERE true"""
    days = f"""{columns} FROM (SELECT *, greatest(shown_at, dated_at) AS after FROM staged.known
            WHERE dated_at IS NOT NULL) AS k
        ASOF JOIN (FROM staged.covering WHERE days IS NOT NULL) AS c
            ON k.source = c.source AND k.after < c.exported_at WHERE k.dated_at >= c.exported_at - to_days(c.days)"""
    return whole, days


def _count_volumes(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> None:
    con.execute(f"""
        INSERT INTO staged.volumes
        SELECT c.file_id,
            (SELECT count(*) FROM (SELECT file_number FROM staged.{kind.name} UNION ALL
                SELECT file_number FROM staged.known_lines WHERE records = '{kind.name}')
             JOIN staged.files AS f USING (file_number) WHERE f.file_id = c.file_id),
            CASE WHEN c.days IS NULL THEN
                (SELECT count(*) FROM history.{kind.name} AS h WHERE known_to IS NULL AND h.source = c.source)
            ELSE
                (SELECT count(*) FROM staged.known AS k WHERE NOT k.is_late AND k.source = c.source
                 AND k.dated_at BETWEEN c.exported_at - to_days(c.days) AND c.exported_at)
            END,
            (SELECT count(*) FROM staged.vanished_{kind.name} AS v WHERE v.file_id = c.file_id AND NOT v.is_late)
        FROM staged.covering AS c WHERE is_tonight""")


def pass_over_late(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> None:
    """Mark rows of an old export as unchanged where a newer export has shown that the record vanished."""
    key = ", ".join(kind.key)
    con.execute(f"""
        UPDATE staged.{kind.name} AS s SET disposition = 'unchanged'
        FROM history.{kind.name} AS h, staged.files AS f
        WHERE s.disposition = 'loaded' AND f.file_number = s.file_number AND h.exported_at >= f.exported_at
            AND {" AND ".join(f"s.{column} = h.{column}" for column in kind.key)}
            AND ({", ".join(f"s.{column}" for column in kind.key)}) IN (
                SELECT ({key}) FROM staged.vanished_{kind.name} WHERE is_late)""")


def close_vanished(con: duckdb.DuckDBPyConnection, kind: RecordKind, load_id: int) -> None:
    """Close the vanished records, list their clients as touched, and enter each export's count of vanished records."""
    key = ", ".join(kind.key)
    con.execute(f"""
        UPDATE history.{kind.name} SET known_to = {load_id}, closed_because = '{VANISHED}'
        WHERE known_to IS NULL AND ({key}) IN (SELECT ({key}) FROM staged.vanished_{kind.name})""")
    con.execute(f"""
        INSERT INTO staged.touched
        SELECT client_id, 'vanished' FROM staged.vanished_{kind.name} WHERE NOT is_late""")
    con.execute(f"""
        UPDATE staged.files AS f SET vanished_count = vanished_count + v.n
        FROM (SELECT file_id, count(*) AS n FROM staged.vanished_{kind.name} WHERE NOT is_late GROUP BY file_id) AS v
        WHERE f.file_id = v.file_id""")


def suspicious_exports(con: duckdb.DuckDBPyConnection, limit: float) -> list[tuple[str, int, int, int]]:
    """Return the exports that leave out more than the share `limit` of the records that they cover: file_id, rows in
    the export, rows known, rows left out."""
    return con.execute(
        f"SELECT file_id::VARCHAR, row_count, known_count, vanished_count FROM staged.volumes "
        f"WHERE {SUSPICIOUS.format(limit=limit)}"
    ).fetchall()
