"""Tables of a warehouse as lazy frames: what a query reads many times at once is still read in turn."""

import duckdb
import polars as pl

from warehouse.frames import lazy_table


def test_a_query_that_reads_a_table_in_many_places_at_once_gets_all_of_it():
    con = duckdb.connect()
    con.execute("CREATE TABLE numbers AS SELECT range AS n FROM range(50_000)")
    parts = [lazy_table(con, "numbers").filter(pl.col("n") % 16 == rest) for rest in range(16)]
    for _ in range(20):
        assert pl.concat(parts).select(pl.col("n").sum()).collect().item() == 50_000 * 49_999 // 2
