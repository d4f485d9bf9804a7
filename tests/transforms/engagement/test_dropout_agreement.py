"""How far definitions of dropout agree, over clients: Cohen's kappa."""

import polars as pl
import pytest

from rapport.transforms.engagement.dropout_agreement import dropout_agreement
from rapport.transforms.engagement.retention import DEFINITIONS

SCHEMA = {"client_id": pl.String, "episode_number": pl.Int32} | {
    f"is_dropout_{name}": pl.Boolean for name in DEFINITIONS
}


def pair(calls: list[tuple], clients: list[str] | None = None) -> dict:
    """The row of judged and unilateral, from what both call the episodes of these clients (one each by default)."""
    whose = clients or [str(at) for at in range(len(calls))]
    rows = [
        {"client_id": client, "episode_number": at, "is_dropout_judged": one, "is_dropout_unilateral": other}
        for at, (client, (one, other)) in enumerate(zip(whose, calls, strict=True), start=1)
    ]
    made = dropout_agreement(pl.LazyFrame(rows, schema=SCHEMA)).collect()
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


def test_who_agree_in_all_have_no_interval():
    """Its standard error is 0."""
    found = pair([(True, True)] * 20 + [(False, False)] * 10)
    assert (found["kappa"], found["low"], found["high"]) == (1.0, None, None)


def test_a_client_counts_once_with_the_first_episode_that_both_can_assess():
    found = pair([(None, True), (True, True), (True, False), (False, False)], ["ann", "ann", "ann", "bob"])
    assert (found["both_count"], found["first_only_count"], found["neither_count"]) == (1, 0, 1)


@pytest.mark.parametrize("calls", [[], [(True, True)] * 3, [(True, False), (True, True)]])
def test_where_one_calls_all_the_same_there_is_no_kappa(calls):
    assert pair(calls)["kappa"] is None


def test_every_pair_of_the_six_has_one_row():
    none = pl.LazyFrame(schema=SCHEMA)
    made = dropout_agreement(none).collect()
    assert made.height == 15
    assert made["kappa"].null_count() == 15
