"""The data as known on a day: the last load of a day, and a file taken back to it."""

from __future__ import annotations

from datetime import date, datetime

import duckdb

from rapport.warehouse.history.risk_answers import RISK_ANSWERS
from rapport.warehouse.schema.books import BOOKS
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.store.one_row import one_row

# The last load with as_of on or before a day; null before the first.
LOAD_OF_DAY = """SELECT max(load_id) FROM load.loads, (SELECT time_zone FROM load.current) AS clinic
    WHERE outcome = 'published' AND (as_of AT TIME ZONE time_zone)::DATE <= day"""


def load_of_day(con: duckdb.DuckDBPyConnection, day: date) -> int | None:
    """Return the last load on or before a day (of the clinic's zone); None before the first load."""
    load_id: int | None = one_row(con, LOAD_OF_DAY.replace("<= day", "<= ?"), [day])[0]
    return load_id


def take_back_to(con: duckdb.DuckDBPyConnection, load_id: int) -> datetime:
    """Take an open building file back to a load: later versions, books and results go. Return that load's clock.

    Movements between loads go too: the tables are computed again, by today's rules.
    """
    for kind in KINDS:
        con.execute(f"DELETE FROM history.{kind} WHERE known_from > {load_id}")
        con.execute(
            f"UPDATE history.{kind} SET known_to = NULL, closed_because = NULL "
            f"WHERE known_to > {load_id} AND known_from <= {load_id}"
        )
    con.execute(f"DELETE FROM main.{RISK_ANSWERS.name} WHERE load_id > {load_id}")
    con.execute(f"UPDATE load.quarantine SET state = 'waiting', settled_by = NULL WHERE settled_by > {load_id}")
    for book in (each.name for each in BOOKS.values() if "load_id" in each.column_names and each.name != "current"):
        con.execute(f"DELETE FROM load.{book} WHERE load_id > {load_id}")
    con.execute("DELETE FROM load.movements")
    as_of: datetime = one_row(con, f"SELECT as_of FROM load.loads WHERE load_id = {load_id}")[0]
    con.execute(
        "UPDATE load.current SET load_id = ?, as_of = ?, data_to = (SELECT max(exported_at) FROM load.files)",
        [load_id, as_of],
    )
    return as_of
