"""Mean progress is over those who have a first and a latest score, and above 0 where it is better."""

import polars as pl
import pytest

from rapport.transforms.outcomes.mean_progress import mean_progress
from tests.clinics.drawn import NOBODY_ELSE

LINE = {
    "instrument": "core_10",
    "rater": "client",
    "rater_number": 1,
    "scale": "total",
    "compared": "score",
    "basis": "computed",
}


def of(pairs: list[tuple[float, float | None]], clients: str = "abcdefgh") -> dict:
    """The row of episodes of these clients with these first and latest scores, of a scale on which lower is better."""
    rows = [
        LINE
        | {"client_id": clients[at], "episode_id": f"e{at}", "first_score": float(first), "last_score": last}
        | {"improvement": None if last is None else first - last}
        for at, (first, last) in enumerate(pairs)
    ]
    kinds = dict.fromkeys(("first_score", "last_score", "improvement"), pl.Float64)
    episodes = pl.LazyFrame({"episode_id": [f"e{at}" for at in range(len(pairs))], "episode_number": range(len(pairs))})
    return mean_progress(pl.LazyFrame(rows, schema_overrides=kinds), NOBODY_ELSE, episodes).collect().row(0, named=True)


def test_the_first_and_latest_report_of_the_domain_notes():
    """domain.md 5.7: CORE-10, (8, 2), (6, 3), (4, 4)."""
    made = of([(8, 2), (6, 3), (4, 4)])
    assert (made["first_count"], made["paired_count"]) == (3, 3)
    assert (made["first_mean"], made["last_mean"], made["mean_progress"]) == (6.0, 3.0, 3.0)


def test_who_has_no_latest_score_is_counted_and_in_no_mean():
    made = of([(8, 2), (6, 3), (4, 4), (40, None)])
    assert (made["first_count"], made["paired_count"], made["client_count"]) == (4, 3, 3)
    assert (made["first_mean"], made["mean_progress"]) == (6.0, 3.0)


def test_the_interval_is_students():
    """Gains 6, 3, 0: sd 3, t(2) = 4.302653."""
    made = of([(8, 2), (6, 3), (4, 4)])
    assert made["progress_sd"] == 3.0
    assert made["low"] == pytest.approx(3 - 4.302653 * 3 / 3**0.5)
    assert made["high"] == pytest.approx(3 + 4.302653 * 3 / 3**0.5)


def test_a_client_counts_once_with_the_first_episode_that_has_both():
    made = of([(40, None), (8, 2), (6, 3), (20, 0)], clients="aaba")
    assert (made["first_count"], made["paired_count"], made["client_count"]) == (4, 3, 2)
    assert (made["first_mean"], made["mean_progress"]) == (7.0, 4.5)


def test_who_all_gain_the_same_have_a_mean_and_no_interval():
    made = of([(8, 2), (9, 3), (10, 4)])
    assert (made["mean_progress"], made["progress_sd"], made["low"], made["high"]) == (6.0, 0.0, None, None)


@pytest.mark.parametrize(
    ("pairs", "known"),
    [
        pytest.param([(8, None)], {"first_mean": None, "mean_progress": None, "low": None}, id="no pair, no mean"),
        pytest.param([(8, 2)], {"mean_progress": 6.0, "progress_sd": None, "low": None}, id="one pair, no interval"),
    ],
)
def test_what_cannot_be_said_is_null(pairs, known):
    made = of(pairs)
    assert {name: made[name] for name in known} == known
