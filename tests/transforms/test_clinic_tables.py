"""Clinic tables: nothing from nothing, the same from the same rows in any order, and what their columns promise."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from rapport import transforms
from rapport.flows.demo.course import PLANTED
from rapport.flows.demo.simulated import AS_OF, declared, simulated
from tests.clinics.drawn import computed

PER_CLINIC = [table for table in transforms.tables() if table.per == "clinic"]
OF_DECLARATIONS = {"instruments", "scales", "thresholds", "reliable_changes", "rupture_rules"}
FIXED_ROWS = {"dropout_agreement", "responsiveness_links"}  # a row per pair that could be compared, empty where unknown
FROM_CLIENTS = [table for table in PER_CLINIC if table.name not in OF_DECLARATIONS]


def all_tables(records: dict[str, pl.LazyFrame]) -> dict[str, pl.DataFrame]:
    known = {**records, "clinic": declared(), "as_of": AS_OF}
    for table in transforms.tables():
        made = table(**{name: known[name] for name in table.reads}).select(table.column_names).collect()
        known[table.name] = made.lazy()
    return {table.name: known[table.name].collect() for table in FROM_CLIENTS}


@pytest.fixture(scope="module")
def some_clinic():
    return simulated(11, PLANTED, 80, 3).records


@pytest.fixture(scope="module")
def its_tables(some_clinic):
    return all_tables(some_clinic)


@pytest.mark.parametrize("table", FROM_CLIENTS, ids=lambda table: table.name)
def test_an_empty_clinic_gives_empty_tables_and_no_zero_for_what_is_not_known(table):
    made = computed()[table.name]
    if table.name not in FIXED_ROWS:
        assert made.height == 0
    estimates = [name for name in ("estimate", "kappa", "agreement_share", "low", "high") if name in made.columns]
    assert all(made[name].null_count() == made.height for name in estimates)


def test_a_simulated_clinic_fills_every_table_of_its_clients(its_tables):
    empty = {name for name, made in its_tables.items() if not made.height}
    assert empty == {"motivation_links"}  # nobody there fills in a motivation scale


@pytest.fixture(scope="module")
def shuffled_tables(some_clinic):
    return all_tables({
        name: frame.collect().sample(fraction=1, shuffle=True, seed=5).lazy() for name, frame in some_clinic.items()
    })  # fmt: skip


@pytest.mark.parametrize("table", FROM_CLIENTS, ids=lambda table: table.name)
def test_the_order_of_the_records_does_not_matter_to_the_last_digit(table, its_tables, shuffled_tables):
    assert_frame_equal(
        its_tables[table.name].sort(table.key), shuffled_tables[table.name].sort(table.key), check_exact=True
    )


@pytest.mark.parametrize("table", FROM_CLIENTS, ids=lambda table: table.name)
def test_what_columns_promise_is_kept(table, its_tables):
    made = its_tables[table.name]
    for column in table.columns:
        values = made[column.name]
        assert not (column.required and values.null_count()), column.name
        assert not column.one_of or set(values.drop_nulls()) <= set(column.one_of), column.name
        low, high = column.between or (None, None)
        assert low is None or not (values.drop_nulls() < low).any(), column.name
        assert high is None or not (values.drop_nulls() > high).any(), column.name
        assert not values.dtype.is_float() or not values.is_nan().any(), column.name
    assert made.select(table.key).is_duplicated().sum() == 0
