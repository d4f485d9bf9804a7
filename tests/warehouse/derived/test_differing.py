"""Computed rows into a table of the file: it then holds tonight's, and only what differs was written."""

from collections.abc import Callable

import polars as pl
import pytest

from rapport.warehouse.derived.row_differences import write
from rapport.warehouse.schema.tables import table
from rapport.warehouse.store.building_file import create_tables, open_building


@table(per="clinic", key="rater", columns=["rater!", "client_count", "share", "opened_on"])
def counts() -> pl.LazyFrame:
    """One row per rater."""


def rows(*told: tuple) -> pl.DataFrame:
    schema = {"rater": pl.String, "client_count": pl.Int32, "share": pl.Float64, "opened_on": pl.Date}
    return pl.DataFrame([(*each, None) for each in told], schema=schema, orient="row")


@pytest.fixture
def rewritten(tmp_path) -> Callable:
    """Rewrites, and says what the table holds, which rows came and the keys of those that went."""
    with open_building(tmp_path / "building.duckdb", tmp_path) as con:
        create_tables(con, [counts])

        def made(computed: pl.DataFrame) -> tuple[list, list, list]:
            come, gone = write(con, counts, computed)
            held, new = (
                con.sql(f"SELECT rater, client_count, share FROM {each} ORDER BY 1").fetchall()
                for each in ("main.counts", come)
            )
            return held, new, [rater for (rater,) in con.sql(f"SELECT rater FROM {gone} ORDER BY 1").fetchall()]

        yield made


CLIENT, THERAPIST = ("client", 3, 0.5), ("therapist", 2, None)


def test_the_first_rows_all_come(rewritten):
    assert rewritten(rows(CLIENT, THERAPIST)) == ([CLIENT, THERAPIST], [CLIENT, THERAPIST], [])


def test_the_same_rows_in_another_order_are_no_change(rewritten):
    rewritten(rows(CLIENT, THERAPIST))
    assert rewritten(rows(THERAPIST, CLIENT)) == ([CLIENT, THERAPIST], [], [])


def test_a_changed_row_goes_and_comes_and_a_vanished_one_goes(rewritten):
    rewritten(rows(CLIENT, THERAPIST, ("observer", 1, 1.0)))
    known = ("therapist", 2, 0.0)  # null is not nought
    assert rewritten(rows(known, CLIENT)) == ([CLIENT, known], [known], ["observer", "therapist"])


def test_a_table_without_rows_any_more_is_empty(rewritten):
    rewritten(rows(CLIENT))
    assert rewritten(rows()) == ([], [], ["client"])


def test_a_column_computed_in_a_wider_type_is_compared_in_the_tables_own(rewritten):
    rewritten(rows(CLIENT))
    assert rewritten(rows(CLIENT).cast({"client_count": pl.UInt32, "opened_on": pl.Null})) == ([CLIENT], [], [])
