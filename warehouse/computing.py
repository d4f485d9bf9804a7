"""The touched clients' records out of the building file in buckets, and the rows that differ back into it."""

from __future__ import annotations

import duckdb
import polars as pl

from warehouse.frames import fetch, insert
from warehouse.records import KINDS
from warehouse.tables import Table

ROWS_PER_BUCKET = 400_000  # records; their tables are the night's peak of memory


def touch_everyone(con: duckdb.DuckDBPyConnection) -> None:
    """A definition changed: every client is computed again."""
    for kind in KINDS:
        con.execute(f"INSERT INTO staged.touched SELECT DISTINCT client_id FROM history.{kind}")


def deal_buckets(con: duckdb.DuckDBPyConnection, bucket_count: int | None = None) -> int:
    """Deal the touched clients into buckets, by default of some hundred thousand records; how many there are."""
    con.execute("CREATE OR REPLACE TABLE staged.clients_touched AS SELECT DISTINCT client_id FROM staged.touched")
    if bucket_count is None:
        bucket_count = 1 + _touched_records(con) // ROWS_PER_BUCKET
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.buckets AS
        SELECT client_id, (hash(client_id) % {bucket_count})::INTEGER AS bucket FROM staged.clients_touched""")
    return bucket_count


def _touched_records(con: duckdb.DuckDBPyConnection) -> int:
    counts = " UNION ALL ".join(
        f"SELECT count(*) AS n FROM history.{kind} SEMI JOIN staged.clients_touched USING (client_id)" for kind in KINDS
    )
    return con.sql(f"SELECT sum(n)::BIGINT FROM ({counts})").fetchone()[0]


def touched_count(con: duckdb.DuckDBPyConnection) -> int:
    """Clients whose tables are computed again tonight."""
    return con.sql("SELECT count(*) FROM staged.clients_touched").fetchone()[0]


def records_of(con: duckdb.DuckDBPyConnection, bucket: int) -> dict[str, pl.LazyFrame]:
    """What is known now about a bucket's clients: `<kind>_records` for each kind, and `client_ids`."""
    frames = {f"{kind}_records": _current(con, kind, bucket) for kind in KINDS}
    known = pl.concat([frame.select("client_id") for frame in frames.values()]).unique()
    singular = {"clients_records": "client_records", "episodes_records": "episode_records"}
    singular |= {"appointments_records": "appointment_records", "responses_records": "response_records"}
    named = {singular[name]: frame.lazy() for name, frame in frames.items()}
    return {**named, "client_ids": known.lazy()}


def _current(con: duckdb.DuckDBPyConnection, kind: str, bucket: int) -> pl.DataFrame:
    columns = ", ".join((*(column.name for column in KINDS[kind].columns), "exported_at"))
    return fetch(
        con,
        f"""SELECT {columns} FROM history.{kind} WHERE known_to IS NULL AND client_id IN (
            SELECT client_id FROM staged.buckets WHERE bucket = {bucket})""",
    )


def write_differences(con: duckdb.DuckDBPyConnection, table: Table, computed: pl.DataFrame, bucket: int | None) -> None:
    """Write the rows of a bucket's clients (None: of everybody) that differ from what the table holds."""
    if not _hold(con, table, bucket):
        insert(con, f"main.{table.name}", computed)
        return
    con.execute("CREATE OR REPLACE TEMP TABLE fresh AS FROM held LIMIT 0")
    insert(con, "fresh", computed)
    con.execute("CREATE OR REPLACE TEMP TABLE gone AS FROM held EXCEPT ALL FROM fresh")
    con.execute("CREATE OR REPLACE TEMP TABLE come AS FROM fresh EXCEPT ALL FROM held")
    same = " AND ".join(f"t.{column} IS NOT DISTINCT FROM gone.{column}" for column in table.key)
    con.execute(f"DELETE FROM main.{table.name} AS t USING gone WHERE {same}")
    con.execute(f"INSERT INTO main.{table.name} FROM come")


def _hold(con: duckdb.DuckDBPyConnection, table: Table, bucket: int | None) -> int:
    """Put what the table holds of a bucket's clients into `held`; how many rows that is."""
    its_clients = f"SELECT client_id FROM staged.buckets WHERE bucket = {bucket}"
    mine = "" if bucket is None else f" WHERE client_id IN ({its_clients})"
    con.execute(f"CREATE OR REPLACE TEMP TABLE held AS FROM main.{table.name}{mine}")
    return con.sql("SELECT count(*) FROM held").fetchone()[0]


def touched_rows(con: duckdb.DuckDBPyConnection, table: Table) -> str:
    """A relation in `staged` with the finished rows to check: those of the clients touched; a clinic table whole."""
    mine = " SEMI JOIN staged.clients_touched USING (client_id)" if table.per == "client" else ""
    return _as_staged_view(con, f"finished_{table.name}", f"main.{table.name}{mine}")


def book_rows(con: duckdb.DuckDBPyConnection, book: str) -> str:
    """A relation in `staged` with a book."""
    return _as_staged_view(con, f"book_{book}", f"load.{book}")


def _as_staged_view(con: duckdb.DuckDBPyConnection, name: str, relation: str) -> str:
    here = con.sql("SELECT current_database()").fetchone()[0]
    con.execute(f'CREATE OR REPLACE VIEW staged.{name} AS SELECT * FROM "{here}".{relation}')
    return name
