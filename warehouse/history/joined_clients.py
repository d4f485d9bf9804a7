"""Records of one person from two systems: what is known already follows the clinic's links, and the books say so.

A version keeps what it says and changes whose it is: joined numbers are one client in every version of every record. A
link that is withdrawn parts them again, because each source knows the numbers of its own id space alone: load.spaces
says which that is, and up to which load.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import polars as pl

from rapport.warehouse.schema.records import CORRECTED, KINDS
from rapport.warehouse.store.frames import insert
from rapport.warehouse.store.one_row import number

JOINS = {"id_space": pl.String, "own_id": pl.Binary, "client_id": pl.Binary, "is_another_text": pl.Boolean}
"""A record number that is joined: its space by its first name, the pseudonym that it has alone, that of the client it
counts as, and whether it is another text of that client's own number: such a join is never withdrawn."""
THERAPISTS = {"id_space": pl.String, "old_id": pl.Binary, "new_id": pl.Binary}
"""A therapist's number in a space that is the same as another: its pseudonyms before and now."""


def use_joins(con: duckdb.DuckDBPyConnection, load_id: int, joins: pl.DataFrame) -> int:
    """Let what is known follow these joins (rows of JOINS); how many record numbers count as another client's than
    before."""
    con.execute(
        "CREATE OR REPLACE TABLE staged.joins (id_space VARCHAR, own_id UUID, client_id UUID, is_another_text BOOLEAN)"
    )
    insert(con, "staged.joins", joins)
    con.execute("""
        CREATE OR REPLACE TABLE staged.moves AS
        SELECT id_space, own_id, coalesce(b.client_id, own_id) AS old_id, coalesce(n.client_id, own_id) AS new_id,
            coalesce(n.is_another_text, false) AS is_another_text
        FROM (SELECT * FROM load.client_links WHERE withdrawn_by IS NULL) AS b
        FULL JOIN staged.joins AS n USING (id_space, own_id)
        WHERE b.client_id IS DISTINCT FROM n.client_id AND (n.client_id IS NOT NULL OR b.is_another_text IS NOT TRUE)
        """)
    moved = number(con, "SELECT count(*) FROM staged.moves")
    if moved:
        _book(con, load_id)
        _move(con)
        _close_older(con, load_id)
    return moved


def in_use(con: duckdb.DuckDBPyConnection) -> set[bytes]:
    """The numbers that are joined, by the pseudonym that each has alone."""
    found = con.sql("SELECT own_id FROM load.client_links WHERE withdrawn_by IS NULL").fetchall()
    return {own_id.bytes for (own_id,) in found}


def first_loads(con: duckdb.DuckDBPyConnection, kind: str, ids: Iterable[bytes]) -> dict[bytes, int]:
    """The first load of which something is known of each of some people: clients or therapists."""
    con.execute("CREATE OR REPLACE TEMP TABLE people_asked (id UUID)")
    insert(con, "people_asked", pl.DataFrame({"id": list(ids)}, {"id": pl.Binary}))
    kinds = KINDS if kind == "client" else ("appointments", "responses")
    known = " UNION ALL ".join(f"SELECT {kind}_id AS id, known_from FROM history.{each}" for each in kinds)
    found = con.sql(f"SELECT id, min(known_from) FROM ({known}) SEMI JOIN people_asked USING (id) GROUP BY id")
    return {each.bytes: load_id for each, load_id in found.fetchall()}


def sources_of(con: duckdb.DuckDBPyConnection) -> dict[bytes, set[str]]:
    """The sources that have records of each client."""
    known = " UNION ".join(f"SELECT client_id, source FROM history.{each}" for each in KINDS)
    found = con.sql(f"SELECT client_id, list(source) FROM ({known}) GROUP BY client_id").fetchall()
    return {each.bytes: set(sources) for each, sources in found}


def move_therapists(con: duckdb.DuckDBPyConnection, therapists: pl.DataFrame) -> int:
    """Let the records of sources that had a space which is the same as another (rows of THERAPISTS) name therapists as
    that one's sources do; how many records that are."""
    con.execute("CREATE OR REPLACE TABLE staged.therapists (id_space VARCHAR, old_id UUID, new_id UUID)")
    insert(con, "staged.therapists", therapists)
    con.execute("""
        CREATE OR REPLACE TABLE staged.therapists AS
        SELECT s.source, old_id, new_id FROM staged.therapists AS t JOIN load.spaces AS s ON first_name = t.id_space""")
    moved = 0
    for kind in ("appointments", "responses"):
        named = f"FROM history.{kind} JOIN staged.therapists AS m USING (source) WHERE therapist_id = old_id"
        con.execute(f"INSERT INTO staged.touched SELECT DISTINCT client_id, '{CORRECTED}' {named}")
        moved += number(
            con,
            f"""
            UPDATE history.{kind} AS t SET therapist_id = new_id FROM staged.therapists AS m
            WHERE t.therapist_id = m.old_id AND t.source = m.source""",
        )
    return moved


def _book(con: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Withdraw the joins that are no longer in use, and enter those that are new."""
    con.execute(f"""
        UPDATE load.client_links AS l SET withdrawn_by = {load_id} FROM staged.moves AS m
        WHERE withdrawn_by IS NULL AND l.id_space = m.id_space AND l.own_id = m.own_id""")
    con.execute(f"""
        INSERT INTO load.client_links BY NAME
        SELECT {load_id} AS load_id, id_space, own_id, new_id AS client_id, is_another_text FROM staged.moves
        WHERE new_id <> own_id ORDER BY ALL""")


def _move(con: duckdb.DuckDBPyConnection) -> None:
    """Everything that a number's sources know of a client becomes another's: of all numbers at once, so that none is
    moved twice where one takes another's place. Of a source that has another space since, what came before."""
    con.execute("""
        CREATE OR REPLACE TABLE staged.moves AS
        SELECT s.source, old_id, new_id, left_by
        FROM staged.moves AS m JOIN load.spaces AS s ON first_name = m.id_space""")
    known = " UNION ALL ".join(f"SELECT source, client_id AS old_id FROM history.{kind}" for kind in KINDS)
    con.execute(f"""
        INSERT INTO staged.touched
        SELECT DISTINCT unnest([old_id, new_id]), '{CORRECTED}' FROM staged.moves SEMI JOIN ({known})
            USING (source, old_id)""")
    also = {"appointments": ("session_id",), "responses": ("appointment_session_id",)}
    for kind in KINDS:
        _update(con, f"history.{kind}", [f"{column} = {_of_new(column)}" for column in also.get(kind, ())])
    named = (
        f"CASE records WHEN 'appointments' THEN {_of_new('record_id')} WHEN 'clients' THEN new_id ELSE record_id END"
    )
    _update(con, "load.quarantine", [f"record_id = {named}"])
    _update(con, "main.risk_answers", [])


def _of_new(column: str) -> str:
    """A client's place in an appointment, as the new client's: half of each pseudonym, as when it was read."""
    return f"(replace({column}::VARCHAR, '-', '')[1:16] || replace(new_id::VARCHAR, '-', '')[1:16])::UUID"


def _update(con: duckdb.DuckDBPyConnection, table: str, also: list[str]) -> None:
    since = "known_from" if table.startswith("history.") else "load_id"
    con.execute(f"""
        UPDATE {table} AS t SET {", ".join(["client_id = new_id", *also])} FROM staged.moves AS m
        WHERE t.client_id = m.old_id AND t.source = m.source AND coalesce(t.{since} < m.left_by, true)""")


def _close_older(con: duckdb.DuckDBPyConnection, load_id: int) -> None:
    """Of a client whom one source described under both numbers, or a slot that it gave to both, the older is no longer
    current."""
    for kind in (KINDS["clients"], KINDS["appointments"]):
        con.execute(f"""
            UPDATE history.{kind.name} SET known_to = {load_id}, closed_because = '{CORRECTED}' WHERE rowid IN (
                SELECT rowid FROM history.{kind.name} WHERE known_to IS NULL
                QUALIFY row_number() OVER (
                    PARTITION BY {", ".join(kind.key)} ORDER BY exported_at DESC, loaded_number DESC) > 1)
            """)
