"""Known rows that an export of tonight shows again: the newest export becomes their source."""

from __future__ import annotations

import duckdb


def confirm(con: duckdb.DuckDBPyConnection, table: str, shown: str) -> None:
    """Enter the export into the rows that it shows. No newer export has shown them.

    `shown`: a query of place (the rowid), and of the columns to enter: file_id, record_number, exported_at, and sent_at
    where the table has it. It is sorted first: in the order of the rows, DuckDB updates them at a thirtieth of the
    cost.
    """
    con.execute(f"CREATE OR REPLACE TABLE staged.confirmed AS SELECT * FROM ({shown}) ORDER BY place")
    con.execute(f"""
        UPDATE {table} AS t
        SET {", ".join(f"{column} = c.{column}" for column in _entered(con))}
        FROM staged.confirmed AS c WHERE t.rowid = c.place""")


def _entered(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [column for column in con.sql("FROM staged.confirmed LIMIT 0").columns if column != "place"]
