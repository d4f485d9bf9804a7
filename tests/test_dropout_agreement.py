"""How far definitions of dropout agree: Cohen's kappa."""

import polars as pl
import pytest

from transforms.dropout_agreement import dropout_agreement
from transforms.retention import DEFINITIONS


def pair(calls: list[tuple]) -> dict:
    """The row of judged and unilateral, from what both call the same episodes."""
    schema = {f"is_dropout_{name}": pl.Boolean for name in DEFINITIONS}
    one, other = [each[0] for each in calls], [each[1] for each in calls]
    frame = pl.DataFrame({"is_dropout_judged": one, "is_dropout_unilateral": other}, strict=False)
    absent = {name: pl.lit(None, dtype=pl.Boolean) for name in schema if name not in frame.columns}
    made = dropout_agreement(frame.cast(pl.Boolean).with_columns(**absent).lazy()).collect()
    return made.row(by_predicate=(pl.col("definition") == "judged") & (pl.col("other_definition") == "unilateral"),
                    named=True)  # fmt: skip


def test_kappa_is_cohen_s_example():
    """Two raters, 50 cases, 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: p .7, e .5, kappa .4 (Cohen 1960, by hand)."""
    calls = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    found = pair(calls)
    assert (found["agreement_share"], found["kappa"]) == (0.7, pytest.approx(0.4))
    assert found["low"] < 0.4 < found["high"]


def test_episodes_that_either_cannot_assess_are_left_out():
    found = pair([(True, True), (False, False), (None, True), (False, None)])
    assert (found["compared_count"], found["kappa"]) == (2, 1.0)


@pytest.mark.parametrize("calls", [[], [(True, True)] * 3, [(True, False), (True, True)]])
def test_where_one_calls_all_the_same_there_is_no_kappa(calls):
    assert pair(calls)["kappa"] is None


def test_every_pair_of_the_six_has_one_row():
    none = pl.LazyFrame(schema={f"is_dropout_{name}": pl.Boolean for name in DEFINITIONS})
    made = dropout_agreement(none).collect()
    assert made.height == 15
    assert made["kappa"].null_count() == 15
