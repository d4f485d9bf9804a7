"""The touched clients' records, read from the building file in buckets; rows that differ are written back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Literal

import duckdb
import polars as pl

from rapport.warehouse.derived.row_differences import write
from rapport.warehouse.schema.records import CORRECTED, KINDS
from rapport.warehouse.schema.tables import Table
from rapport.warehouse.store.building_file import table_names
from rapport.warehouse.store.frames import fetch, insert
from rapport.warehouse.store.one_row import is_so, number, one_row
from rapport.warehouse.store.quoting import quoted_names

ROWS_PER_BUCKET = 300_000  # records; the tables of one bucket are the night's largest use of memory


def choose_touched(con: duckdb.DuckDBPyConnection) -> int:
    """Choose tonight's touched clients for the computation. Return their number."""
    con.execute("CREATE OR REPLACE TABLE staged.chosen AS SELECT DISTINCT client_id FROM staged.touched")
    return _chosen_count(con)


def choose_known_before(con: duckdb.DuckDBPyConnection, load_id: int) -> int:
    """Choose every client known before this load for the computation. Return their number."""
    known = " UNION ".join(f"SELECT client_id FROM history.{kind} WHERE known_from < {load_id}" for kind in KINDS)
    con.execute(f"CREATE OR REPLACE TABLE staged.chosen AS {known}")
    return _chosen_count(con)


def choose_everybody(con: duckdb.DuckDBPyConnection, tables: Iterable[Table]) -> int:
    """Choose every client in the records or in a table for the computation. Return their number."""
    places = [*(f"history.{kind}" for kind in KINDS), *(f"main.{each.name}" for each in tables if each.per == "client")]
    everybody = " UNION ".join(f"SELECT client_id FROM {place}" for place in places)
    con.execute(f"CREATE OR REPLACE TABLE staged.chosen AS FROM ({everybody}) WHERE client_id IS NOT NULL")
    return _chosen_count(con)


def touch(con: duckdb.DuckDBPyConnection, clients: pl.DataFrame) -> None:
    """List clients (`client_id`) as touched by a correction outside the records."""
    insert(con, "staged.touched", clients.select("client_id", cause=pl.lit(CORRECTED)))


def _chosen_count(con: duckdb.DuckDBPyConnection) -> int:
    """Return the number of chosen clients, and list them for the checks."""
    con.execute("CREATE TABLE IF NOT EXISTS staged.clients_touched (client_id UUID)")
    con.execute("""
        INSERT INTO staged.clients_touched
        SELECT client_id FROM staged.chosen ANTI JOIN staged.clients_touched USING (client_id)""")
    return number(con, "SELECT count(*) FROM staged.chosen")


def note_ends(con: duckdb.DuckDBPyConnection, name: str = "before_tonight") -> None:
    """Make `staged.<name>`: the last row of each table of main, -1 for an empty table. Rows after it are new."""
    ends = (
        f"SELECT '{table}' AS table_name, coalesce(max(rowid), -1) AS last_row FROM main.{table}"
        for table in table_names(con)
    )
    con.execute(f"CREATE OR REPLACE TABLE staged.{name} AS {' UNION ALL '.join(ends)}")


def _last_before_tonight(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    table = relation.removeprefix("main.")
    return number(con, f"SELECT last_row FROM staged.before_tonight WHERE table_name = '{table}'")


def deal_buckets(con: duckdb.DuckDBPyConnection, bucket_count: int | None = None) -> int:
    """Deal the chosen clients into buckets, by default of a few hundred thousand records. Return the number of buckets.

    A bucket is a range of pseudonyms. History is nearly in the order of pseudonyms, so a bucket reads little of it."""
    if bucket_count is None:
        bucket_count = 1 + _chosen_records(con) // ROWS_PER_BUCKET
    con.execute(f"""
        CREATE OR REPLACE TABLE staged.buckets AS
        SELECT client_id, ntile({bucket_count}) OVER (ORDER BY client_id)::INTEGER - 1 AS bucket
        FROM staged.chosen""")
    note_ends(con, "before_deal")
    return bucket_count


@contextmanager
def filled_at_once(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Where no client has rows yet, write all buckets in one transaction: DuckDB then writes them straight to the file
    and not first to the log. Otherwise open none: compared rows would be kept until its end."""
    if is_so(con, "SELECT EXISTS (FROM main.clients)"):
        yield
        return
    con.begin()
    yield
    con.commit()


def _chosen_records(con: duckdb.DuckDBPyConnection) -> int:
    counts = " UNION ALL ".join(
        f"SELECT count(*) AS n FROM history.{kind} SEMI JOIN staged.chosen USING (client_id)" for kind in KINDS
    )
    return number(con, f"SELECT sum(n)::BIGINT FROM ({counts})")


def touched_count(con: duckdb.DuckDBPyConnection) -> int:
    """Return the number of clients whose tables were computed again tonight."""
    return number(con, "SELECT count(*) FROM staged.clients_touched")


def records_of(
    con: duckdb.DuckDBPyConnection, bucket: int, before: int | None = None, visit_sources: Collection[str] = ()
) -> dict[str, pl.DataFrame]:
    """Return a bucket's records, current or as before a load: `<kind>_records` of each kind, and `client_ids`. Return
    also `former_lines`: the last versions of appointments of the visit sources that were known and are no longer."""
    frames = {f"{kind}_records": _known(con, kind, bucket, before) for kind in KINDS}
    known = pl.concat([frame.select("client_id") for frame in frames.values()]).unique()
    singular = {"clients_records": "client_records", "episodes_records": "episode_records"}
    singular |= {"appointments_records": "appointment_records", "responses_records": "response_records"}
    former = _former_lines(con, bucket, before, visit_sources)
    return {**{singular[name]: frame for name, frame in frames.items()}, "client_ids": known, "former_lines": former}


def rows_of(con: duckdb.DuckDBPyConnection, table: str, bucket: int) -> pl.DataFrame:
    """Return the rows of a finished table about a bucket's clients."""
    return fetch(con, f"SELECT * FROM main.{table} WHERE {_in_bucket(bucket)}")


def everybody_by_bucket(con: duckdb.DuckDBPyConnection, bucket_count: int | None = None) -> list[str]:
    """Return SQL conditions on rows of finished tables, one per bucket of clients. A bucket is a range of pseudonyms,
    the same in every table."""
    if bucket_count is None:
        counts = " UNION ALL ".join(f"SELECT count(*) AS n FROM history.{kind}" for kind in KINDS)
        bucket_count = 1 + number(con, f"SELECT sum(n)::BIGINT FROM ({counts})") // ROWS_PER_BUCKET
    starts = [f"{-(-(number << 32) // bucket_count):08x}-0000-0000-0000-000000000000" for number in range(bucket_count)]
    lows = ["true", *(f"client_id >= '{start}'::UUID" for start in starts[1:])]
    highs = [*(f"client_id < '{start}'::UUID" for start in starts[1:]), "true"]
    return [f"{low} AND {high}" for low, high in zip(lows, highs, strict=True)]


def _known(con: duckdb.DuckDBPyConnection, kind: str, bucket: int, before: int | None) -> pl.DataFrame:
    then = "known_to IS NULL"
    if before is not None:
        then = f"known_from < {before} AND coalesce(known_to >= {before}, true)"
    return fetch(
        con,
        f"SELECT {_columns(kind)} FROM history.{kind} WHERE {then} AND {_in_bucket(bucket)}",
    )


def _former_lines(
    con: duckdb.DuckDBPyConnection, bucket: int, before: int | None, sources: Collection[str]
) -> pl.DataFrame:
    then, is_current = "true", "known_to IS NULL"
    if before is not None:
        then, is_current = f"known_from < {before}", f"coalesce(known_to >= {before}, true)"
    return fetch(
        con,
        f"""
        SELECT {_columns("appointments")} FROM history.appointments
        WHERE source IN ({quoted_names(sources)}) AND {then} AND {_in_bucket(bucket)}
        QUALIFY NOT bool_or({is_current}) OVER (PARTITION BY source, session_id)
            AND row_number() OVER (
                PARTITION BY source, session_id ORDER BY known_from DESC, known_to DESC, exported_at DESC) = 1""",
    )


def _columns(kind: str) -> str:
    return ", ".join((*(column.name for column in KINDS[kind].columns), "exported_at", "loaded_number"))


def _in_bucket(bucket: int) -> str:
    return f"client_id IN (SELECT client_id FROM staged.buckets WHERE bucket = {bucket})"


def write_differences(
    con: duckdb.DuckDBPyConnection, table: Table, computed: pl.DataFrame, bucket: int
) -> tuple[str, str]:
    """Write the rows of a bucket's clients that differ from what the table holds.

    Returns relations of the added rows and of the removed rows.
    """
    return write(con, table, computed, _in_bucket(bucket))


def began_empty(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the tables that were empty when the buckets were dealt: there is nothing to compare with."""
    return {name for (name,) in con.sql("SELECT table_name FROM staged.before_deal WHERE last_row < 0").fetchall()}


def all_touched(con: duckdb.DuckDBPyConnection) -> bool:
    """Return whether the tables of all clients were computed again tonight."""
    return is_so(con, "SELECT NOT EXISTS (FROM main.clients ANTI JOIN staged.clients_touched USING (client_id))")


def rows_to_check(con: duckdb.DuckDBPyConnection, relation: str, which: Literal["all", "new", "of touched"]) -> str:
    """Make a view in `staged` of a table: all its rows, tonight's new rows, or the rows of the touched clients. Return
    its name. A check reads only the columns that it needs; to copy the rows would cost more than all checks."""
    name = f"{which}_{relation}".replace(" ", "_").replace(".", "_")
    whose = {"all": "", "of touched": " SEMI JOIN staged.clients_touched USING (client_id)"}
    condition = whose[which] if which in whose else f" WHERE rowid > {_last_before_tonight(con, relation)}"
    here = one_row(con, "SELECT current_database()")[0]
    con.execute(f'CREATE OR REPLACE VIEW staged.{name} AS SELECT * FROM "{here}".{relation}{condition}')
    return name


def row_count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    """Return the number of rows of a relation in `staged`."""
    return number(con, f"SELECT count(*) FROM staged.{relation}")
