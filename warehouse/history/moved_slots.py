"""Appointments whose id stands under another client than before: the same slot moved, or two clients' own.

Practice systems move slots when two client records are merged. A group session has one id for several clients. So a
slot moves only where its source shows that the old record is gone, and start and therapist agree; an id that two
clients held at one time is never moved. What may be a move is told, and is left as it is.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import duckdb

from rapport.warehouse.schema.records import CORRECTED, VANISHED
from rapport.warehouse.store.building_file import table_names
from rapport.warehouse.store.quoting import quoted_names

# Versions of one appointment id under two clients; o was known before n. Of a visit on several lines, of the same line:
# the first half of a session_id is of the appointment, or of its line.
_PAIRS = """
    FROM history.appointments AS o JOIN history.appointments AS n USING (source, appointment_id)
    WHERE o.client_id <> n.client_id AND n.known_to IS NULL
        AND left(o.session_id::VARCHAR, 18) = left(n.session_id::VARCHAR, 18)"""
_ALIKE = "o.starts_at = n.starts_at AND o.therapist_id IS NOT DISTINCT FROM n.therapist_id"
_BOOK = "shared_appointment_ids"


class ProbableMove(NamedTuple):
    """Slots of a source that are known under two clients, of whom the second came later."""

    source: str
    old_id: str  # pseudonyms, hexadecimal
    new_id: str
    slot_count: int


def move_slots(con: duckdb.DuckDBPyConnection, load_id: int, one_client: Collection[str] = ()) -> int:
    """Let the versions of tonight's moved slots be their new clients'; how many slots. `one_client`: sources that say
    that an appointment id is one client's. note_shared has run."""
    sources = quoted_names(one_client)
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.moved AS
        SELECT DISTINCT source, o.session_id AS old_session, n.session_id AS new_session, o.client_id AS old_id,
            n.client_id AS new_id {_PAIRS} AND n.known_from = {load_id} AND {_is_one_clients(con)} AND (
            (o.known_to = {load_id} AND o.closed_because = '{VANISHED}' AND {_ALIKE}
                AND NOT {_held_at_once("n.known_from")})
            OR (source IN ({sources}) AND coalesce(o.known_to, {load_id}) = {load_id} AND o.known_from < {load_id}
                AND o.exported_at < n.exported_at))""")
    con.execute(f"INSERT INTO staged.touched SELECT unnest([old_id, new_id]), '{CORRECTED}' FROM staged.moved")
    con.execute(f"""
        UPDATE history.appointments AS t SET client_id = new_id, session_id = new_session,
            known_to = coalesce(known_to, {load_id}),
            closed_because = if(coalesce(known_to, {load_id}) = {load_id}, '{CORRECTED}', closed_because)
        FROM staged.moved AS m WHERE t.source = m.source AND t.session_id = old_session""")
    con.execute("""
        UPDATE load.quarantine AS q SET client_id = new_id, record_id = new_session FROM staged.moved AS m
        WHERE q.source = m.source AND q.records = 'appointments' AND q.record_id = old_session""")
    return len(con.sql("FROM staged.moved").fetchall())


def note_shared(con: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Enter the appointment ids that two clients hold in one of tonight's files: group sessions. Rows are staged."""
    con.execute(f"""
        INSERT INTO load.{_BOOK}
        SELECT DISTINCT source, appointment_id, {load_id} FROM ({_SHOWN})
        GROUP BY source, appointment_id, file_number HAVING min(client_id) < max(client_id)
        EXCEPT SELECT source, appointment_id, {load_id} FROM load.{_BOOK}""")


# The ids in tonight's files: those that were read, and of the lines that were not read those with an id that was.
_SHOWN = """
    SELECT source, appointment_id, client_id, file_number FROM staged.appointments WHERE appointment_id IS NOT NULL
    UNION ALL SELECT source, appointment_id, client_id, file_number
    FROM (FROM history.appointments SEMI JOIN staged.appointments USING (source, appointment_id)) AS h
    JOIN staged.known_lines AS k ON k.id = h.session_id AND k.records = 'appointments' WHERE known_to IS NULL"""


def _is_one_clients(con: duckdb.DuckDBPyConnection) -> str:
    """Whether the two clients of a pair never held the id in one delivery. A file of an earlier version of Rapport has
    no book of such ids; there, versions that one export showed last tell of it."""
    shared = f"(source, appointment_id) NOT IN (SELECT (source, appointment_id) FROM load.{_BOOK}) AND "
    return f"""{shared if _BOOK in table_names(con, "load") else ""}NOT EXISTS (
        FROM history.appointments AS a JOIN history.appointments AS b USING (source, appointment_id, exported_at)
        WHERE a.source = o.source AND a.appointment_id = o.appointment_id
            AND a.client_id = o.client_id AND b.client_id = n.client_id)"""


def _held_at_once(until: str) -> str:
    """Whether the two clients of a pair ever held the id at one time."""
    return f"""EXISTS (
        FROM history.appointments AS a JOIN history.appointments AS b USING (source, appointment_id)
        WHERE a.source = o.source AND a.appointment_id = o.appointment_id
            AND a.client_id = o.client_id AND b.client_id = n.client_id
            AND a.known_from < coalesce(b.known_to, {until} + 1)
            AND b.known_from < coalesce(a.known_to, {until} + 1))"""


def probable_moves(con: duckdb.DuckDBPyConnection, load_id: int | None = None) -> list[ProbableMove]:
    """Slots that are current under two clients and came under the second later, in another export, with their start and
    therapist. With a load, those that it brought."""
    brought = f"AND n.known_from = {load_id}" if load_id else ""
    found = con.sql(f"""
        SELECT source, replace(o.client_id::VARCHAR, '-', ''), replace(n.client_id::VARCHAR, '-', ''), count(*)
        {_PAIRS} AND {_ALIKE} AND o.known_to IS NULL {brought} AND o.known_from < n.known_from
            AND o.exported_at < n.exported_at AND {_is_one_clients(con)}
        GROUP BY ALL ORDER BY ALL""")
    return [ProbableMove(*row) for row in found.fetchall()]


def coming_moves(con: duckdb.DuckDBPyConnection, one_client: Collection[str] = ()) -> list[tuple[str, int]]:
    """Source and number of the slots that tonight's files have under another client, in addition to the known one. For
    a check, whose rows do not enter the history. Sources whose slots follow by themselves have none."""
    moving = quoted_names(one_client)
    found = con.sql(f"""
        SELECT n.source, count(DISTINCT (n.appointment_id, n.client_id))
        FROM staged.appointments AS n JOIN staged.files AS f USING (file_number)
        JOIN history.appointments AS o ON o.source = n.source AND o.appointment_id = n.appointment_id
        WHERE o.client_id <> n.client_id AND {_ALIKE} AND o.known_to IS NULL AND n.disposition = 'loaded'
            AND f.covers IS NULL AND f.exported_at > o.exported_at AND n.source NOT IN ({moving})
            AND (n.source, n.appointment_id) NOT IN (SELECT (source, appointment_id) FROM load.{_BOOK})
            AND NOT EXISTS (FROM history.appointments AS k WHERE k.source = n.source
                AND k.appointment_id = n.appointment_id AND k.client_id = n.client_id)
        GROUP BY ALL ORDER BY ALL""")
    return found.fetchall()
