"""Every version of every record, current and former.

A changed record becomes a new version. An unchanged record adds nothing. An older export that arrives late neither
overwrites nor closes a newer version. Records are compared by content; what came last is current (delivery_order).
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from rapport.warehouse.history.confirm import confirm
from rapport.warehouse.history.loaded_numbers import first_number, number_before
from rapport.warehouse.history.retract import forget_reread_retractions, pass_over_retracted
from rapport.warehouse.history.vanished_records import close_vanished, pass_over_late
from rapport.warehouse.intake.delivery_order import Came, comes_before, has_messages
from rapport.warehouse.schema.records import CORRECTED, KINDS, UNREAD, RecordKind
from rapport.warehouse.store.one_row import number


def keep_history(con: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Enter the accepted staged rows as versions, and list the touched clients with the cause in staged.touched.

    vanished_records.find_vanished has run.
    """
    con.execute(_COVERED)
    forget_reread_retractions(con)
    for kind in KINDS.values():
        pass_over_late(con, kind)
        pass_over_retracted(con, kind)
        _take_turns(con, kind)
        turns = range(1, _last_turn(con, kind) + 1)
        if turns and not con.sql(f"SELECT 1 FROM history.{kind.name} LIMIT 1").fetchone():
            _insert_first(con, kind, load_id)
            turns = turns[1:]
        for turn in turns:
            _compare(con, kind, turn)
            _replace_changed(con, kind, load_id)
            _confirm_same(con, kind)
            _insert(con, kind, load_id)
        _close_unread(con, kind, load_id)
        close_vanished(con, kind, load_id)


# The newest whole export of each source in earlier nights, which showed every current record.
_COVERED = """
    CREATE OR REPLACE TABLE staged.covered_last AS
    SELECT source, came.exported_at, came.arrived FROM (
        SELECT source, max({exported_at: exported_at, arrived: arrived}) AS came
        FROM load.files JOIN staged.arrivals USING (file_id) WHERE covers = 'all' GROUP BY source)"""


def _insert_first(con: duckdb.DuckDBPyConnection, kind: RecordKind, load_id: int) -> None:
    """Insert the first turn's rows where history is empty: there is nothing to compare them with."""
    content = ", ".join(column.name for column in kind.columns)
    first = f"disposition = 'loaded' AND ({_its_turn(1)})"
    con.execute(f"""
        INSERT INTO history.{kind.name} BY NAME
        SELECT {content}, file_id, record_number, exported_at, sent_at,
            {first_number(load_id)} + row_id AS loaded_number, {load_id} AS known_from
        FROM staged.{kind.name} JOIN (SELECT file_number, file_id, exported_at FROM staged.files) USING (file_number)
        WHERE {first} ORDER BY client_id""")
    con.execute(f"INSERT INTO staged.touched SELECT DISTINCT client_id, 'new' FROM staged.{kind.name} WHERE {first}")


def _take_turns(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> None:
    """Give a record that several of tonight's files hold one turn per file, oldest export first."""
    con.execute("CREATE OR REPLACE TABLE staged.turns (row_id BIGINT, turn BIGINT)")
    if number(con, f"SELECT count(DISTINCT file_number) FROM staged.{kind.name}") < 2:
        return
    key = ", ".join(kind.key)
    con.execute(f"""
        INSERT INTO staged.turns
        WITH several AS (
            SELECT {key} FROM staged.{kind.name} WHERE disposition = 'loaded' GROUP BY ALL HAVING count(*) > 1)
        SELECT row_id, row_number() OVER (PARTITION BY {key}
            ORDER BY coalesce(sent_at, exported_at), exported_at, arrived, file_number) AS turn
        FROM staged.{kind.name} SEMI JOIN several USING ({key})
        JOIN (SELECT file_number, exported_at, arrived FROM staged.files JOIN staged.arrivals USING (file_id))
            USING (file_number)
        WHERE disposition = 'loaded'""")


def _last_turn(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> int:
    any_rows = f"EXISTS (SELECT 1 FROM staged.{kind.name} WHERE disposition = 'loaded')"
    return number(con, f"SELECT greatest(coalesce(max(turn), 0), {any_rows}::INTEGER) FROM staged.turns")


def _compare(con: duckdb.DuckDBPyConnection, kind: RecordKind, turn: int) -> None:
    """Make staged.compared: the turn's rows, each new, changed, same or older than the current version.

    The current version was last shown by the export that it names, or by the source's newest whole export since.
    """
    tonight, before = Came("f.exported_at", "f.arrived"), Came("v.exported_at", "a.arrived")
    if has_messages(con, kind):
        tonight, before = tonight.sent("s.sent_at"), before.sent("v.sent_at")
    is_older = comes_before(tonight, before)
    is_answered = comes_before(tonight, Came("c.exported_at", "c.arrived"))
    same = " AND ".join(f"s.{column} IS NOT DISTINCT FROM v.{column}" for column in kind.content)
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.compared AS
        SELECT s.row_id, f.file_id, f.exported_at, v.client_id AS client_before, v.place,
            v.loaded_number, f.covers = 'all' AS is_whole, NOT {is_older} AS is_newest,
            CASE WHEN v.source IS NULL THEN 'new' WHEN {same} THEN 'same'
                 WHEN {is_older} OR {is_answered} THEN 'older' ELSE 'changed' END AS verdict
        FROM staged.{kind.name} AS s
        JOIN (SELECT * FROM staged.files JOIN staged.arrivals USING (file_id)) AS f USING (file_number)
        LEFT JOIN (SELECT rowid AS place, * FROM history.{kind.name} WHERE known_to IS NULL) AS v
            ON {_same_key(kind, "v")}
        LEFT JOIN staged.arrivals AS a ON a.file_id = v.file_id
        LEFT JOIN staged.covered_last AS c ON c.source = s.source
        WHERE s.disposition = 'loaded' AND ({_its_turn(turn)})""")
    con.execute(f"""
        INSERT INTO staged.touched
        SELECT client_id, CASE verdict WHEN 'new' THEN 'new' ELSE '{CORRECTED}' END
        FROM (SELECT row_id, client_id FROM staged.{kind.name})
        JOIN (FROM staged.compared WHERE verdict IN ('new', 'changed')) USING (row_id)
        UNION SELECT client_before, '{CORRECTED}' FROM staged.compared WHERE verdict = 'changed'""")


def _its_turn(turn: int) -> str:
    """Return the SQL condition that a staged row belongs to this turn. Rows without a later turn belong to the
    first."""
    later = "row_id NOT IN (SELECT row_id FROM staged.turns WHERE turn > 1)"
    return later if turn == 1 else f"row_id IN (SELECT row_id FROM staged.turns WHERE turn = {turn})"


def _same_key(kind: RecordKind, known: str = "h") -> str:
    return " AND ".join(f"s.{column} = {known}.{column}" for column in kind.key)


def _replace_changed(con: duckdb.DuckDBPyConnection, kind: RecordKind, load_id: int) -> None:
    con.execute(f"""
        UPDATE history.{kind.name} SET known_to = {load_id}, closed_because = '{CORRECTED}'
        WHERE rowid IN (SELECT place FROM staged.compared WHERE verdict = 'changed')""")


def _confirm_same(con: duckdb.DuckDBPyConnection, kind: RecordKind) -> None:
    """Confirm versions that a newer export shows unchanged: an older export that comes late must not replace them.

    A whole export confirms all its records at once (staged.covered), so its rows are not updated.
    """
    shown = f"""
        SELECT place, c.file_id, record_number, c.exported_at, sent_at
        FROM staged.compared AS c JOIN (SELECT row_id, record_number, sent_at FROM staged.{kind.name}) USING (row_id)
        WHERE verdict = 'same' AND is_newest AND is_whole IS NOT TRUE"""
    confirm(con, f"history.{kind.name}", shown)
    con.execute(f"""
        UPDATE staged.{kind.name} SET disposition = 'unchanged'
        WHERE row_id IN (SELECT row_id FROM staged.compared WHERE verdict IN ('same', 'older'))""")


def _insert(con: duckdb.DuckDBPyConnection, kind: RecordKind, load_id: int) -> None:
    content = ", ".join(column.name for column in kind.columns)
    con.execute(f"""
        INSERT INTO history.{kind.name} BY NAME
        SELECT {content}, c.file_id, record_number, c.exported_at, sent_at, {load_id} AS known_from,
            coalesce(c.loaded_number, before, {first_number(load_id)} + row_id) AS loaded_number
        FROM staged.{kind.name} JOIN staged.compared AS c USING (row_id)
        LEFT JOIN ({number_before(kind)}) USING ({", ".join(kind.key)})
        WHERE verdict IN ('new', 'changed') ORDER BY client_id""")


def _close_unread(con: duckdb.DuckDBPyConnection, kind: RecordKind, load_id: int) -> None:
    """Close versions that their own file no longer gives, because it was read again by other rules."""
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.unread AS
        SELECT {", ".join(f"h.{column}" for column in kind.key)}, h.client_id AS client
        FROM history.{kind.name} AS h SEMI JOIN (FROM staged.files WHERE NOT is_passed_over) USING (file_id)
        WHERE h.known_to IS NULL AND h.known_from < {load_id} AND NOT EXISTS (
            FROM staged.{kind.name} AS s WHERE {_same_key(kind)} AND s.disposition IN ('loaded', 'unchanged'))""")
    key = ", ".join(kind.key)
    con.execute(f"""
        UPDATE history.{kind.name} SET known_to = {load_id}, closed_because = '{UNREAD}'
        WHERE known_to IS NULL AND ({key}) IN (SELECT ({key}) FROM staged.unread)""")
    con.execute(f"INSERT INTO staged.touched SELECT client, '{CORRECTED}' FROM staged.unread")


def confirm_file(con: duckdb.DuckDBPyConnection, before: str, now: str, exported_at: datetime) -> None:
    """Enter the new export for a file that came again byte for byte: its records were still true."""
    for kind in KINDS:
        con.execute(
            f"UPDATE history.{kind} SET file_id = ?, exported_at = ? WHERE file_id = ? AND known_to IS NULL",
            [now, exported_at, before],
        )
