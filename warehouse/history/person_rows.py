"""The rows of a file about given people: rows that name the client, and rows of the client's own records.

For each person these are all rows, or the rows of certain days (warehouse/history/erased_days.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb
import polars as pl

from rapport.warehouse.history.erased_days import EVERYTHING, ErasedDays
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.store.frames import insert

_NAMES_A_CLIENT = ("client_id", "own_id")  # a number's own pseudonym stays in load.client_links when it is joined
_NAMES_A_RECORD = ("session_id", "response_id", "episode_id", "record_id")
_ANSWERED_ON = "coalesce(completed_on, completed_at::DATE)"
DAY = {
    "appointments": "starts_local::DATE",
    "responses": _ANSWERED_ON,
    "episodes": "opened_on",
    "clients": "NULL::DATE",
}
_PEOPLE = {"client_id": pl.Binary, "since": pl.Date, "until": pl.Date, "by_load": pl.Int32, "is_whole": pl.Boolean}


def list_own(con: duckdb.DuckDBPyConnection, people: Mapping[str, ErasedDays]) -> None:
    """Make temporary tables of people (pseudonyms, hexadecimal) in a file: own_people, with is_whole where nothing
    stays; own_rows, their rows of history, with `goes`; own_ids, the ids of what goes; own_clients."""
    _list_people(con, people)
    con.execute("CREATE OR REPLACE TEMP TABLE own_rows (kind VARCHAR, source VARCHAR, place BIGINT, client_id UUID, "
                "id UUID, day DATE, last_day DATE, goes BOOLEAN)")  # fmt: skip
    for kind in KINDS.values():
        con.execute(f"INSERT INTO own_rows {_rows_of(kind.name, kind.key[1])}")
    con.execute(f"INSERT INTO own_rows {_rows_of('responses', 'response_id', 'rater_id')}")
    con.execute(f"""
        UPDATE own_people SET is_whole = true
        WHERE since IS NULL AND until IS NULL OR until IS NOT NULL AND client_id NOT IN ({_LATER})""")
    con.execute("UPDATE own_rows SET goes = true WHERE client_id IN (SELECT client_id FROM own_people WHERE is_whole)")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE own_ids AS
        SELECT DISTINCT id FROM own_rows WHERE goes
        UNION SELECT client_id FROM own_people WHERE is_whole
        UNION SELECT episode_id FROM main.episodes SEMI JOIN (FROM own_people WHERE is_whole) USING (client_id)""")
    list_clients(con)


def list_whole(con: duckdb.DuckDBPyConnection, people: Iterable[str]) -> None:
    """Make the same tables for people whose rows are all meant."""
    list_own(con, dict.fromkeys(people, EVERYTHING))


def _list_people(con: duckdb.DuckDBPyConnection, people: Mapping[str, ErasedDays]) -> None:
    columns = "client_id UUID, since DATE, until DATE, by_load INTEGER, is_whole BOOLEAN"
    con.execute(f"CREATE OR REPLACE TEMP TABLE own_people ({columns})")
    rows = [(bytes.fromhex(each), days.since, days.until, days.by_load, False) for each, days in people.items()]
    insert(con, "own_people", pl.DataFrame(rows, _PEOPLE, orient="row"))


def _rows_of(kind: str, key: str, person: str = "client_id") -> str:
    """Return a query of a kind's rows that name a person in the column `person`. After a withdrawn consent each version
    goes by its own day. When the years of keeping are over, a record goes with all its versions, by the day of its last
    version."""
    last = f"PARTITION BY source, h.{key} ORDER BY known_to IS NULL DESC, known_from DESC, known_to DESC"
    is_later = "false" if kind == "clients" else "since IS NOT NULL AND coalesce(day >= since, true)"
    return f"""
        SELECT '{kind}', source, place, client_id, id, day, last_day, ({is_later}) OR coalesce(last_day <= until, false)
        FROM (SELECT source, h.rowid AS place, p.client_id, h.{key} AS id, {DAY[kind]} AS day,
                  first_value({DAY[kind]}) OVER ({last}) AS last_day, since, until
              FROM history.{kind} AS h JOIN own_people AS p ON h.{person} = p.client_id)"""


# People with a dated record that stays, or with a row in the quarantine that came after the erasure.
_LATER = """
    SELECT client_id FROM own_rows WHERE NOT goes AND last_day IS NOT NULL
    UNION SELECT client_id FROM load.quarantine JOIN own_people USING (client_id) WHERE load_id > by_load"""

_OLD_EXPORTS = "SELECT file_id, max(exported_at)::DATE AS exported_on FROM load.files GROUP BY file_id"
BESIDE_HISTORY = {  # tables of records without versions: a query of the rowids that go by their own day
    "load.quarantine": f"""SELECT q.rowid FROM load.quarantine AS q JOIN own_people USING (client_id)
        JOIN ({_OLD_EXPORTS}) USING (file_id) WHERE exported_on <= until""",
    "load.client_links": """SELECT rowid FROM load.client_links WHERE own_id IN (
        SELECT own_id FROM load.client_links JOIN own_people USING (client_id)
        WHERE is_whole AND withdrawn_by IS NULL)""",
    "main.risk_answers": f"""SELECT r.rowid FROM main.risk_answers AS r JOIN own_people USING (client_id)
        WHERE coalesce({_ANSWERED_ON} >= since, since IS NOT NULL) OR {_ANSWERED_ON} <= until""",
}


def goes_condition(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return the SQL condition under which a row of a table of BESIDE_HISTORY goes."""
    whole = _by_name(con, table, "own_people WHERE is_whole")
    return f"{whole}{_by_record(con, table)} OR rowid IN ({BESIDE_HISTORY[table]})"


def list_clients(con: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table own_clients: the clients of own_people, and those whom a rater of own_people rated."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE own_clients AS
        SELECT client_id FROM own_people
        WHERE client_id NOT IN (SELECT rater_id FROM history.responses WHERE rater_id IS NOT NULL)
        UNION SELECT client_id FROM history.responses WHERE rater_id IN (SELECT client_id FROM own_people)""")


def by_client(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """Return the SQL condition that a row names one of the people, or belongs to a record of own_ids. Of computed
    tables also the rows of clients whom one of the people rated: each may be made of that person's responses."""
    people = "own_clients" if table.startswith("main.") else "own_people"
    return f"{_by_name(con, table, people)}{_by_record(con, table)}"


def _by_name(con: duckdb.DuckDBPyConnection, table: str, people: str) -> str:
    named = [name for name in _NAMES_A_CLIENT if name in columns(con, table)]
    return "".join(f"{name} IN (SELECT client_id FROM {people}) OR " for name in named)


def _by_record(con: duckdb.DuckDBPyConnection, table: str) -> str:
    ids = [name for name in _NAMES_A_RECORD if name in columns(con, table)]
    return " OR ".join(f"{name} IN (SELECT id FROM own_ids)" for name in ids) or "false"


def tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the name of every table of a file, with its schema."""
    listed = "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = current_database() "
    return [name for (name,) in con.sql(f"{listed} AND NOT temporary ORDER BY ALL").fetchall()]


def columns(con: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    """Return the names of a table's columns."""
    return {name for name, *_ in con.sql(f"DESCRIBE {table}").fetchall()}
