"""Tables of a warehouse as lazy frames: what a query reads many times at once is still read in turn."""

import duckdb
import polars as pl

from rapport.warehouse.store.frames import lazy_table


def test_a_query_that_reads_a_table_in_many_places_at_once_gets_all_of_it():
    con = duckdb.connect()
    con.execute("CREATE TABLE numbers AS SELECT range AS n FROM range(50_000)")
    parts = [lazy_table(con, "numbers").filter(pl.col("n") % 16 == rest) for rest in range(16)]
    for _ in range(20):
        assert pl.concat(parts).select(pl.col("n").sum()).collect().item() == 50_000 * 49_999 // 2


def test_columns_that_are_asked_for_one_after_the_other_belong_together():
    con = duckdb.connect(config={"preserve_insertion_order": False})
    con.execute("CREATE TABLE numbers AS SELECT range AS n, -range AS negative FROM range(1_000_000)")
    numbers = lazy_table(con, "numbers")
    assert numbers.select(pl.col("n").sum()).collect().item() == 1_000_000 * 999_999 // 2
    assert numbers.filter(pl.col("n") != -pl.col("negative")).collect().is_empty()


def test_a_column_leaves_the_file_once_for_several_queries():
    con = duckdb.connect()
    con.execute("CREATE TABLE numbers AS SELECT range AS n FROM range(10)")
    numbers = lazy_table(con, "numbers")
    first = numbers.collect()
    con.execute("DROP TABLE numbers")
    assert numbers.select("n").collect().equals(first)
