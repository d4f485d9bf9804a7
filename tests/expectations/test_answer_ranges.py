"""Answers that an instrument cannot have are held back: the rule `value_out_of_range`, as SQL. Nothing is clamped."""

import duckdb
import pytest

from rapport.expectations.responses import added
from rapport.warehouse.instruments import load_instruments


def held_back(instrument: str, answers: str = "NULL", given: str = "NULL") -> bool:
    query = next(rule.query for rule in added(load_instruments()) if rule.name == "value_out_of_range")
    with duckdb.connect() as con:
        con.execute(f"""
            CREATE TABLE staged AS SELECT 1 AS row_id, '{instrument}' AS instrument, {answers}::FLOAT[] AS answers,
                {given}::STRUCT(scale VARCHAR, score DOUBLE)[] AS given_scores""")
        return bool(con.sql(query.replace("{batch}", "staged")).fetchall())


@pytest.mark.parametrize(
    ("instrument", "answers", "is_held"),
    [
        ("srs", "[10, 9.95, 0, NULL]", False),
        ("srs", "[10.4, 9, 9, 9]", True),
        ("srs", "[83, 90, 91, 77]", True),  # millimetres
        ("phq9", "[4, 1, 1, 1, 1, 1, 1, 1, 1]", True),  # exported as 1-4
        ("phq9", "[1.5, 1, 1, 1, 1, 1, 1, 1, 1]", True),
        ("psq", "[1, 5, 5]", False),
        ("psq", "[2, 5, 5]", True),  # rupture is no or yes
        ("psq", "[0, 0, 5]", True),  # intensity begins at 1
        ("psq", "[0, NULL, NULL]", False),
        ("blri", "[-3, 3, 1]", False),
        ("blri", "[-3, 0, 1]", True),  # the form has no zero
        ("k10_0_to_4", "[5]", True),
        ("k10_1_to_5", "[0]", True),
    ],
)
def test_an_answer_outside_its_item_s_range(instrument, answers, is_held):
    assert held_back(instrument, answers) is is_held


@pytest.mark.parametrize(
    ("instrument", "scale", "score", "is_held"),
    [
        ("srs", "total", 40, False),
        ("srs", "total", 40.1, True),
        ("sdq_teacher", "impact", 7, True),
        ("urica", "readiness", -2, False),
        ("urica", "readiness", -2.1, True),
        ("pear", "total", 1000, False),  # nobody says its range
    ],
)
def test_a_given_score_outside_its_scale_s_range(instrument, scale, score, is_held):
    assert held_back(instrument, given=f"[{{'scale': '{scale}', 'score': {score}}}]") is is_held
