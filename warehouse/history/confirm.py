"""Known rows that an export of tonight shows again: the newest export becomes their source."""

from __future__ import annotations

import duckdb


def confirm(con: duckdb.DuckDBPyConnection, table: str, shown: str) -> None:
    """Enter the export into the rows that it shows, except rows that a newer export has shown.

    `shown`: a query of place (the rowid), file_id, record_number and exported_at. It is sorted first: in the order of
    the rows, DuckDB updates them at a thirtieth of the cost.
    """
    con.execute(f"CREATE OR REPLACE TABLE staged.confirmed AS SELECT * FROM ({shown}) ORDER BY place")
    con.execute(f"""
        UPDATE {table} AS t
        SET file_id = c.file_id, record_number = c.record_number, exported_at = c.exported_at
        FROM staged.confirmed AS c WHERE t.rowid = c.place AND c.exported_at >= t.exported_at""")
