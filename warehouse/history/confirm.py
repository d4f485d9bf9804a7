"""Rows of the file that an export of tonight shows again: from now on they are known from that export."""

from __future__ import annotations

import duckdb


def confirm(con: duckdb.DuckDBPyConnection, table: str, shown: str) -> None:
    """Enter the export into the rows that it shows, but for those that a newer one has shown.

    `shown` is a query of place (the rowid), file_id, record_number and exported_at. It is sorted first: DuckDB writes
    to rows in their order at a thirtieth of the cost.
    """
    con.execute(f"CREATE OR REPLACE TABLE staged.confirmed AS SELECT * FROM ({shown}) ORDER BY place")
    con.execute(f"""
        UPDATE {table} AS t
        SET file_id = c.file_id, record_number = c.record_number, exported_at = c.exported_at
        FROM staged.confirmed AS c WHERE t.rowid = c.place AND c.exported_at >= t.exported_at""")
