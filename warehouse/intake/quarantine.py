"""The quarantine of rows that a rule holds back. A row waits until it is accepted, discarded, or its file is gone.

    waiting       held back by a rule; read again when its file, the rules or the clinic file change
    released      a later reading of its file, or a newer export of the record, was accepted
    discarded     an operator decided that it will not be corrected; so it stays in every later export
    source_gone   its file is gone, or a newer export has replaced it

No values are kept: a row names its file, its record number and, where they could be read, pseudonyms.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import duckdb

from rapport.warehouse.intake.delivery_order import Came
from rapport.warehouse.schema.records import HELD_BY_READERS, KINDS, RecordKind
from rapport.warehouse.store.one_row import number

_PLACE = "file_id, records, record_number, rule, column_name"
_RECORD = "source, records, record_id"


def settle_quarantine(con: duckdb.DuckDBPyConnection, load_id: int, present: Collection[str]) -> None:
    """Mark the held rows, enter them into load.quarantine, and settle the rows that tonight's files replace.

    `present`: the ids of the files in the exports folder. An unreadable value does not count as missing too.
    """
    con.execute(f"""
        DELETE FROM staged.held AS h WHERE rule = column_name || '_missing' AND EXISTS (
            FROM staged.held AS u WHERE u.rule IN {("unreadable", *HELD_BY_READERS)} AND u.records = h.records
                AND u.row_id = h.row_id AND u.column_name = h.column_name)""")
    for kind in KINDS:
        con.execute(f"""
            UPDATE staged.{kind} SET disposition = 'quarantined'
            WHERE row_id IN (SELECT row_id FROM staged.held WHERE records = '{kind}')""")
    _list_held(con)
    if number(con, "SELECT count(*) FROM load.quarantine WHERE state = 'waiting'"):
        _release_reread(con, load_id)
    _wait_again(con)
    _enter_held(con, load_id)
    _settle_shown_anew(con, load_id)
    _settle_gone(con, load_id, present)
    con.execute("UPDATE load.quarantine SET settled_by = NULL WHERE state = 'waiting' AND settled_by IS NOT NULL")


def _list_held(con: duckdb.DuckDBPyConnection) -> None:
    rows = " UNION ALL ".join(
        f"SELECT '{name}' AS records, row_id, record_number, sent_at, record_count, file_number, "
        f"{kind.key[1]} AS record_id, client_id FROM staged.{name} WHERE disposition = 'quarantined'"
        for name, kind in KINDS.items()
    )
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.held_records AS
        SELECT file_id, file_number, f.source, records, record_number, rule, column_name, max(sent_at) AS sent_at,
            max(r.record_count) AS record_count, max(record_id) AS record_id, max(client_id) AS client_id
        FROM staged.held JOIN ({rows}) AS r USING (records, row_id) JOIN staged.files AS f USING (file_number)
        GROUP BY ALL""")


def _release_reread(con: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Release rows whose file was read again and no longer breaks the rule."""
    con.execute(f"""
        UPDATE load.quarantine SET state = 'released', settled_by = {load_id}
        WHERE state = 'waiting' AND file_id IN (SELECT file_id FROM staged.files WHERE NOT is_passed_over)
          AND ({_PLACE}) NOT IN (SELECT ({_PLACE}) FROM staged.held_records)""")


def _wait_again(con: duckdb.DuckDBPyConnection) -> None:
    """Let rows wait again whose file was gone or replaced, and now was read again."""
    con.execute(f"""
        UPDATE load.quarantine SET state = 'waiting'
        WHERE state = 'source_gone' AND ({_PLACE}) IN (SELECT ({_PLACE}) FROM staged.held_records)""")


def _enter_held(con: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Enter the rows that are held tonight for the first time. A record that was discarded before stays discarded."""
    con.execute(f"""
        INSERT INTO load.quarantine BY NAME
        SELECT {load_id} AS load_id, h.* EXCLUDE (file_number),
            CASE WHEN d.rule IS NULL THEN 'waiting' ELSE 'discarded' END AS state,
            CASE WHEN d.rule IS NOT NULL THEN {load_id} END AS settled_by,
            (SELECT coalesce(max(quarantine_id), 0) FROM load.quarantine)
                + row_number() OVER (
                    ORDER BY h.source, h.file_number, h.records, h.record_number, h.rule, h.column_name)
                AS quarantine_id
        FROM staged.held_records AS h
        LEFT JOIN (SELECT DISTINCT {_RECORD}, rule, column_name FROM load.quarantine
                   WHERE state = 'discarded' AND record_id IS NOT NULL) AS d
            USING ({_RECORD}, rule, column_name)
        WHERE ({", ".join(f"h.{column}" for column in _PLACE.split(", "))}) NOT IN (
            SELECT ({_PLACE}) FROM load.quarantine WHERE state <> 'released')""")


def _settle_shown_anew(con: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Settle rows whose record a newer export shows, whichever export came first.

    Released where the newer export's row was accepted, source_gone where it is held too. Of exports that came at the
    same time an accepted one counts.
    """
    if not number(con, "SELECT count(*) FROM load.quarantine WHERE state = 'waiting'"):
        return
    shown = " UNION ALL ".join(_showings(name, kind) for name, kind in KINDS.items())
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.shown_anew AS
        SELECT {_RECORD}, max({_CAME.order}) AS came, arg_max(is_held, ({_CAME.order}, NOT is_held)) AS is_held
        FROM ({shown} UNION ALL
            SELECT {_RECORD}, file_id, sent_at, exported_at, true
            FROM load.quarantine JOIN ({_EXPORTS}) USING (file_id) WHERE load_id < {load_id})
        JOIN staged.arrivals USING (file_id)
        GROUP BY {_RECORD}""")
    con.execute(f"""
        UPDATE load.quarantine AS q SET settled_by = coalesce(settled_by, {load_id}),
            state = CASE WHEN s.is_held THEN 'source_gone' ELSE 'released' END
        FROM staged.shown_anew AS s, ({_EXPORTS}) AS e, staged.arrivals AS a
        WHERE q.state = 'waiting' AND q.source = s.source AND q.records = s.records AND q.record_id = s.record_id
            AND e.file_id = q.file_id AND a.file_id = q.file_id
            AND {Came("e.exported_at", "a.arrived", "q.sent_at").order} < s.came""")


def _showings(name: str, kind: RecordKind) -> str:
    """Return a query of exports with a waiting record: tonight's, and those that added or confirmed its versions."""
    waits = f"{kind.key[1]} IN (SELECT record_id FROM load.quarantine WHERE state = 'waiting')"
    return f"""
        SELECT source, '{name}' AS records, {kind.key[1]} AS record_id, file_id, sent_at, exported_at,
            disposition = 'quarantined' AS is_held
        FROM staged.{name} JOIN (SELECT file_number, file_id, exported_at FROM staged.files) USING (file_number)
        WHERE disposition <> 'duplicate' AND {waits}
        UNION ALL SELECT source, '{name}', {kind.key[1]}, file_id, sent_at, exported_at, false
        FROM history.{name} WHERE {waits}"""


_CAME = Came("exported_at", "arrived", "sent_at")
_EXPORTS = """SELECT file_id, max(exported_at) AS exported_at
    FROM (SELECT file_id, exported_at FROM load.files UNION ALL SELECT file_id, exported_at FROM staged.files)
    GROUP BY file_id"""


def _settle_gone(con: duckdb.DuckDBPyConnection, load_id: int, present: Collection[str]) -> None:
    """Settle rows of a file that is gone, or that a newer whole export of its source has replaced."""
    con.execute("CREATE OR REPLACE TABLE staged.present AS SELECT unnest(?::UUID[]) AS file_id", [list(present)])
    con.execute(f"""
        UPDATE load.quarantine AS q SET state = 'source_gone', settled_by = coalesce(settled_by, {load_id})
        FROM ({_EXPORTS}) AS e
        LEFT JOIN (SELECT file_id, source AS its_source FROM load.files UNION
                   SELECT file_id, source FROM staged.files) USING (file_id)
        LEFT JOIN (SELECT source AS its_source, max(exported_at) AS replaced_at
                   FROM (SELECT source, exported_at, covers FROM load.files UNION ALL
                         SELECT source, exported_at, covers FROM staged.files)
                   GROUP BY source HAVING bool_or(covers = 'all')) USING (its_source)
        WHERE q.state = 'waiting' AND q.file_id = e.file_id
            AND (e.exported_at < replaced_at OR q.file_id NOT IN (FROM staged.present))""")


def has_waiting(con: duckdb.DuckDBPyConnection, file_id: str) -> bool:
    """Return whether rows of a file wait."""
    asked = "SELECT 1 FROM load.quarantine WHERE state = 'waiting' AND file_id = ? LIMIT 1"
    return con.execute(asked, [file_id]).fetchone() is not None


def confirm_file(con: duckdb.DuckDBPyConnection, before: str, now: str, _: datetime) -> None:
    """Let the rows of a file that came again byte for byte wait in the new file."""
    con.execute("UPDATE load.quarantine SET file_id = ? WHERE file_id = ? AND state = 'waiting'", [now, before])


class Held(NamedTuple):
    """A row of load.quarantine for a list; it holds no value."""

    quarantine_id: int
    load_id: int
    source: str
    records: str
    record_number: int
    record_count: int
    rule: str
    column_name: str


def held_rows(con: duckdb.DuckDBPyConnection, state: str) -> list[Held]:
    """Return the rows of a state, oldest first."""
    asked = f"SELECT {', '.join(Held._fields)} FROM load.quarantine WHERE state = ? ORDER BY quarantine_id"
    return [Held(*row) for row in con.execute(asked, [state]).fetchall()]


def place_of(con: duckdb.DuckDBPyConnection, quarantine_id: int) -> tuple[str, str, int] | None:
    """Return where a row's values are: source, digest of the file, record number; None where there is no such row."""
    return con.execute(
        "SELECT q.source, any_value(f.content), any_value(q.record_number) FROM load.quarantine AS q "
        "JOIN load.files AS f USING (file_id) WHERE quarantine_id = ? GROUP BY q.source",
        [quarantine_id],
    ).fetchone()


def discard(con: duckdb.DuckDBPyConnection, load_id: int, ids: Collection[int]) -> int:
    """Discard waiting rows for good. Return their number."""
    return number(
        con,
        "UPDATE load.quarantine SET state = 'discarded', settled_by = ? WHERE state = 'waiting' "
        "AND list_contains(?, quarantine_id)",
        [load_id, list(ids)],
    )
