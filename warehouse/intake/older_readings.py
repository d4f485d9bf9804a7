"""Records that were read by other code or another clinic file and cannot be read again: their exports are gone."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from rapport.warehouse.schema.records import KINDS, RecordKind
from rapport.warehouse.store.one_row import number

# Each file with its last reading. staged.readings: how each source is read now. staged.present: the files that exist.
_FILES = """
    SELECT source, file_id, reading <> now AS is_older, file_id NOT IN (FROM staged.present) AS is_gone, is_whole,
        exported_at
    FROM (SELECT source, file_id, arg_max(reading, load_id) AS reading, max(exported_at) AS exported_at,
              arg_max(coalesce(covers = 'all', false), load_id) AS is_whole
          FROM (SELECT source, file_id, reading, load_id, exported_at, covers FROM load.files UNION ALL
                SELECT source, file_id, reading, load_id, exported_at, covers FROM staged.files)
          GROUP BY source, file_id)
    JOIN staged.readings USING (source)"""


def read_otherwise(con: duckdb.DuckDBPyConnection, readings: Mapping[str, str]) -> dict[str, int]:
    """Return per source the number of current records that were read by older code or with another clinic file, from a
    file that is gone. Sources without such records are left out.

    `readings`: the fingerprint of each source's reading now. Records that a newer file shows are not counted, nor
    records older than a whole export that was read as now. settle_quarantine has run, and rows are still staged.
    """
    con.execute("CREATE OR REPLACE TABLE staged.readings (source VARCHAR, now VARCHAR)")
    con.executemany("INSERT INTO staged.readings VALUES (?, ?)", list(readings.items()))
    con.execute(f"CREATE OR REPLACE TABLE staged.read_files AS {_FILES}")
    if not number(con, "SELECT count(*) FROM staged.read_files WHERE is_older AND is_gone"):
        return {}
    counts = " UNION ALL ".join(map(_counted, KINDS.values()))
    found = con.sql(f"SELECT source, sum(n)::BIGINT FROM ({counts}) GROUP BY source ORDER BY source")
    return dict(found.fetchall())


def _counted(kind: RecordKind) -> str:
    key = " AND ".join(f"s.{column} = h.{column}" for column in kind.key)
    return f"""
        SELECT h.source, count(*) AS n
        FROM (FROM history.{kind.name} WHERE known_to IS NULL) AS h
        SEMI JOIN (FROM staged.read_files WHERE is_older AND is_gone) AS f USING (source, file_id)
        ANTI JOIN (FROM staged.read_files WHERE is_whole AND NOT is_older) AS w
            ON w.source = h.source AND w.exported_at >= h.exported_at
        ANTI JOIN (SELECT s.*, exported_at FROM staged.{kind.name} AS s JOIN staged.files USING (file_number)
                   WHERE disposition IN ('loaded', 'unchanged')) AS s
            ON {key} AND s.exported_at >= h.exported_at
        GROUP BY h.source"""
