"""Files of a source that say different things about one record: what came last counts; of one time, none does."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import duckdb

from rapport.warehouse.intake.delivery_order import Came
from rapport.warehouse.schema.records import KINDS, RecordKind
from rapport.warehouse.store.one_row import is_so

_CAME = Came("exported_at", "arrived", "sent_at")


class Contradiction(NamedTuple):
    """Two files of a source, and the number of records about which they say different things."""

    source: str
    file_id: str  # of the later file; hexadecimal digits
    other_id: str
    record_count: int


def mark_contradictions(con: duckdb.DuckDBPyConnection) -> None:
    """Add to staged.<kind>_repeats the records of which files that came at one time say different things, as conflicts.

    Make staged.contradictions, a row per staged row, with both files, and staged.contradicted: their physical records
    by file. mark_repeats has run.
    """
    con.execute("CREATE OR REPLACE TABLE staged.contradictions (source VARCHAR, records VARCHAR, row_id BIGINT, "
                "file_id UUID, other_id UUID)")  # fmt: skip
    con.execute("CREATE OR REPLACE TABLE staged.contradicted (file_id UUID, contradicted_count INTEGER)")
    con.execute("""
        CREATE OR REPLACE TABLE staged.at_one_time AS
        SELECT f.source, file_number, f.file_id, f.exported_at, arrived
        FROM staged.files AS f JOIN staged.arrivals USING (file_id)
        WHERE (f.source, f.exported_at, arrived) IN (
            SELECT (source, exported_at, arrived)
            FROM (SELECT DISTINCT source, file_id, exported_at FROM
                      (SELECT source, file_id, exported_at FROM load.files UNION ALL
                       SELECT source, file_id, exported_at FROM staged.files))
            JOIN staged.arrivals USING (file_id) GROUP BY ALL HAVING count(DISTINCT file_id) > 1)""")
    if not is_so(con, "SELECT EXISTS (FROM staged.at_one_time)"):
        return
    for kind in KINDS.values():
        _mark(con, kind)
        con.execute(f"""
            INSERT INTO staged.contradicted
            SELECT file_id, sum(t.record_count)::INTEGER
            FROM staged.{kind.name} AS t JOIN staged.files USING (file_number)
            SEMI JOIN (FROM staged.contradictions WHERE records = '{kind.name}') USING (row_id) GROUP BY file_id""")


def _mark(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> None:
    key = ", ".join(kind.key)
    known = " AND ".join(f"{column} IS NOT NULL" for column in kind.key)
    con.execute(f"""
        INSERT INTO staged.contradictions
        WITH told AS (
            SELECT {key}, row_id, file_id, {_CAME.order} AS came,
                {_said(kind)} AS said
            FROM staged.{kind.name} JOIN (SELECT * EXCLUDE (source) FROM staged.at_one_time) USING (file_number)
            WHERE disposition <> 'duplicate' AND {known})
        SELECT t.source, '{kind.name}', t.row_id, t.file_id, min(o.file_id) AS other_id
        FROM told AS t JOIN told AS o USING ({key}, came)
        WHERE t.file_id <> o.file_id AND t.said IS DISTINCT FROM o.said GROUP BY ALL""")
    con.execute(f"INSERT INTO staged.contradictions {_still_contradicted(kind)}")
    con.execute(f"""
        INSERT INTO staged.{kind.name}_repeats
        SELECT DISTINCT row_id, true, false FROM staged.contradictions
        WHERE records = '{kind.name}'
            AND row_id NOT IN (SELECT row_id FROM staged.{kind.name}_repeats WHERE is_conflict)""")


def _said(kind: RecordKind) -> str:
    return f"row({', '.join((*kind.content, 'unreadable', *(column.name for column in kind.staged_only)))})"


def _still_contradicted(kind: RecordKind) -> str:
    """Return a query of rows whose record waits as a conflict in another file of one time that is not read tonight."""
    return f"""
        SELECT s.source, '{kind.name}', s.row_id, f.file_id, min(q.file_id) AS other_id
        FROM staged.{kind.name} AS s JOIN staged.at_one_time AS f USING (file_number)
        JOIN load.quarantine AS q ON q.source = s.source AND q.records = '{kind.name}'
            AND q.record_id = s.{kind.key[1]} AND q.file_id <> f.file_id
        JOIN (SELECT DISTINCT file_id, exported_at FROM load.files) AS e
            ON e.file_id = q.file_id AND e.exported_at = f.exported_at
        JOIN staged.arrivals AS a ON a.file_id = q.file_id AND a.arrived = f.arrived
        WHERE q.state = 'waiting' AND q.rule = 'conflicting_duplicate' AND s.disposition <> 'duplicate'
            AND q.file_id NOT IN (SELECT file_id FROM staged.files) GROUP BY ALL"""


def contradictions(con: duckdb.DuckDBPyConnection) -> list[Contradiction]:
    """Return the pairs of files of which neither came last. mark_contradictions has run."""
    pairs: dict[frozenset[str], Contradiction] = {}
    for each in _counted(con, "staged.contradictions"):
        pairs.setdefault(frozenset((each.file_id, each.other_id)), each)
    return list(pairs.values())


def of_one_export_time(con: duckdb.DuckDBPyConnection, sources: Collection[str]) -> list[Contradiction]:
    """Return the pairs of files of one time of export, of which tonight's new one says other things than an earlier
    one. `sources`: those whose files say when they were exported."""
    con.execute("CREATE OR REPLACE TABLE staged.of_one_export_time AS FROM staged.contradictions LIMIT 0")
    con.execute("CREATE OR REPLACE TABLE staged.told_by_time AS SELECT unnest(?::VARCHAR[]) AS source", [list(sources)])
    con.execute("""
        CREATE OR REPLACE TABLE staged.beside AS
        SELECT file_number, file_id, exported_at, arrived
        FROM staged.files AS f JOIN staged.arrivals USING (file_id) SEMI JOIN staged.told_by_time USING (source)
        WHERE NOT is_passed_over AND EXISTS (
            FROM (SELECT source, file_id, exported_at FROM load.files UNION ALL
                  SELECT source, file_id, exported_at FROM staged.files) AS o
            WHERE o.source = f.source AND o.exported_at = f.exported_at AND o.file_id <> f.file_id)""")
    if is_so(con, "SELECT EXISTS (FROM staged.beside)"):
        for kind in KINDS.values():
            con.execute(f"INSERT INTO staged.of_one_export_time {_later_of_two(kind)}")
    return _counted(con, "staged.of_one_export_time")


def _later_of_two(kind: RecordKind) -> str:
    key = ", ".join(kind.key)
    content = ", ".join(kind.content)
    return f"""
        WITH tonight AS (
            SELECT {key}, row_id, file_id, exported_at, arrived, {_CAME.said} AS said_at, row({content}) AS said
            FROM staged.{kind.name} JOIN staged.beside USING (file_number) WHERE disposition <> 'duplicate'),
        known AS (
            SELECT {key}, file_id, exported_at, arrived, {_CAME.said} AS said_at, row({content}) AS said
            FROM (FROM history.{kind.name} WHERE known_to IS NULL) JOIN staged.arrivals USING (file_id)
            WHERE file_id NOT IN (SELECT file_id FROM staged.files)),
        others AS (SELECT * EXCLUDE (row_id) FROM tonight UNION ALL FROM known)
        SELECT t.source, '{kind.name}', row_id, t.file_id, max(o.file_id)
        FROM tonight AS t JOIN others AS o USING ({key}, exported_at, said_at)
        WHERE t.arrived > o.arrived AND t.said IS DISTINCT FROM o.said
            AND t.file_id NOT IN (SELECT file_id FROM load.files) GROUP BY ALL"""


def _counted(con: duckdb.DuckDBPyConnection, pairs: str) -> list[Contradiction]:
    found = con.sql(f"""
        SELECT source, replace(file_id::VARCHAR, '-', ''), replace(other_id::VARCHAR, '-', ''),
            count(DISTINCT (records, row_id))
        FROM {pairs} GROUP BY ALL ORDER BY ALL""").fetchall()
    return [Contradiction(*row) for row in found]
