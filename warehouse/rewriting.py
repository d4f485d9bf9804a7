"""A clinic table as it was computed tonight into the file: only the rows that differ are written.

They are told apart in frames: most rows are yesterday's, and what is only compared need not be written first.
"""

from __future__ import annotations

import duckdb
import polars as pl

from warehouse.frames import fetch, insert
from warehouse.tables import Table

_MARKS = ["mark", "also"]


def rewrite(con: duckdb.DuckDBPyConnection, table: Table, computed: pl.DataFrame) -> tuple[str, str]:
    """Make a clinic table hold just these rows. Returns the relations of the rows that came and of those that went."""
    main, columns = f"main.{table.name}", list(table.column_names)
    held = fetch(con, f"SELECT {', '.join(columns)}, rowid AS place FROM {main}")
    fresh = computed.select(columns).cast(dict(held.select(columns).schema)).with_row_index("place")
    before, now = _marked(held), _marked(fresh)
    gone, come = before.join(now, on=_MARKS, how="anti"), now.join(before, on=_MARKS, how="anti")
    nothing = f"(FROM {main} LIMIT 0)"
    went = _remove(con, main, gone.select("place")) if gone.height else nothing
    return _add(con, main, fresh[come["place"]].drop("place")) if come.height else nothing, went


def _marked(rows: pl.DataFrame) -> pl.DataFrame:
    """Each place with its row in 128 bits: two hashes. A key makes rows distinct."""
    told = rows.drop("place")
    return rows.select("place", *(told.hash_rows(seed).alias(name) for seed, name in enumerate(_MARKS)))


def _add(con: duckdb.DuckDBPyConnection, main: str, rows: pl.DataFrame) -> str:
    con.execute(f"CREATE OR REPLACE TEMP TABLE come AS FROM {main} LIMIT 0")
    insert(con, "come", rows)
    con.execute(f"INSERT INTO {main} FROM come")
    return "come"


def _remove(con: duckdb.DuckDBPyConnection, main: str, places: pl.DataFrame) -> str:
    con.execute("CREATE OR REPLACE TEMP TABLE gone_places (place BIGINT)")
    insert(con, "gone_places", places)
    con.execute(f"CREATE OR REPLACE TEMP TABLE gone AS FROM {main} WHERE rowid IN (FROM gone_places)")
    con.execute(f"DELETE FROM {main} WHERE rowid IN (FROM gone_places)")
    return "gone"
