"""The suites of clinic tables: kept on what the tables make, broken by each kind of spoiled row."""

import sys

import duckdb
import polars as pl
import pytest

from rapport import transforms
from rapport.expectations import suites
from rapport.expectations.table_suites import table_rules
from rapport.flows.demo.course import PLANTED
from rapport.flows.demo.simulated import simulated, tables_of
from rapport.warehouse.store.frames import Stream
from tests.clinics.drawn import computed

TABLES = {table.name: table for table in transforms.tables() if table.per == "clinic"}
SPOILED = {
    "retention": [("is_dropout_below_dose", "NOT is_dropout_below_dose"), ("has_more_than_four", "NULL")],
    "retention_curves": [("at_risk_count", "at_risk_count + 1"), ("staying_share", "1 - staying_share / 2")],
    "dropout_agreement": [("both_count", "both_count + 1")],
    "completion": [("received_count", "due_count + 1"), ("complete_count", "received_count + 1")],
    "ceilings": [("ceiling_count", "near_ceiling_count + 1"), ("near_ceiling_count", "rated_count + 1")],
    "mean_progress": [("paired_count", "first_count + 1"), ("mean_progress", "NULL"), ("low", "high + 1")],
    "proportions": [("low", "share + 0.001"), ("numerator_count", "denominator_count + 1")],
    "therapist_effects": [("shrunken_effect", "raw_effect * 2 + 1"), ("low", "high + 1")],
    "funnel_limits": [("approximate_low_95", "0.0 - 1"), ("exact_high_998", "0.0")],
    "progress": [("expected_at_latest", "NULL"), ("zone", "'blue'"), ("intake_band", "6"), ("intake_score", "NULL")],
}


ESTIMATED = {
    "alliance_outcome_links": [("low", "high"), ("estimate", "NULL"), ("standard_error", "0.0")],
    "responsiveness_links": [("why_no_estimate", "NULL::VARCHAR"), ("estimate", "NULL")],
    "therapist_variances": [("high_share", "low_share")],
    "therapist_effects": [("low", "high"), ("shrunken_effect", "NULL")],
}


@pytest.fixture(scope="module")
def made():
    return tables_of(simulated(2, PLANTED, 120, 3), tuple(SPOILED | ESTIMATED))


def broken(name: str, frame: pl.DataFrame, change: tuple[str, str] | None = None) -> list[str]:
    """The rules in SQL that a table's rows break, after a column of all of them was changed."""
    with duckdb.connect() as con:
        rows = Stream(frame)  # noqa: F841  DuckDB finds it by its name
        replaced = f"REPLACE ({change[1]} AS {change[0]})" if change else ""
        con.execute(f"CREATE TABLE batch AS SELECT * {replaced} FROM rows")
        rules = table_rules(TABLES[name])
        return [rule.name for rule in rules if con.sql(rule.query.replace("{batch}", "batch")).fetchall()]


@pytest.mark.parametrize("name", SPOILED | ESTIMATED)
def test_what_the_tables_make_keeps_every_rule(made, name):
    assert made[name].height > 0
    assert broken(name, made[name]) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [(name, change) for tables in (SPOILED, ESTIMATED) for name, changes in tables.items() for change in changes],
)
def test_a_spoiled_table_breaks_a_rule(made, name, change):
    assert broken(name, made[name], change) != []


def test_a_repeated_row_breaks_the_key(made):
    twice = pl.concat([made["ceilings"], made["ceilings"]])
    assert broken("ceilings", twice) == ["one row per instrument, rater, scale, therapist_id, quarter_on"]


def test_every_table_with_a_rule_of_its_own_is_spoiled_here():
    having = suites.names() & TABLES.keys()
    assert having == SPOILED.keys(), f"write into SPOILED how each rule of these is broken: {having - SPOILED.keys()}"


def test_every_suite_is_of_a_table_and_holds_rules():
    tables = {table.name for table in transforms.tables()}
    suites.refuse_strange(tables)
    assert all(suites.suite_of(name) for name in suites.names())


@pytest.mark.parametrize("held", ["", "SUITE = []", "SUITE = ['a word']"])
def test_a_suite_without_rules_and_one_of_no_table_are_refused_with_what_to_write(tmp_path, monkeypatch, held):
    (tmp_path / "celings.py").write_text(held, encoding="utf-8")
    monkeypatch.setattr(suites, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(suites, "__path__", [str(tmp_path)])
    with pytest.raises(
        ValueError, match=r"expectations/suites/celings\.py has no rules; write SUITE = \[\.\.\.\] in it"
    ):
        suites.suite_of("celings")
    with pytest.raises(ValueError, match=r"expectations/suites/celings\.py is named after no table; name it after the"):
        suites.refuse_strange(TABLES)
    del sys.modules["rapport.expectations.suites.celings"]


def test_the_rules_hold_on_an_empty_clinic():
    none = computed()
    assert {name: broken(name, none[name]) for name in SPOILED} == {name: [] for name in SPOILED}
