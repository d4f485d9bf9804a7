"""Links within and between persons: estimates are those that the data were made with, and null where there are none."""

import numpy as np
import polars as pl
import pytest

from transforms.alliance_outcome_links import adjacent, lag
from transforms.responsiveness_links import log_odds
from transforms.within_person import within


def series(rows: list[tuple], name: str) -> pl.DataFrame:
    schema = {"episode_id": pl.String, "session": pl.Int32, name: pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_only_the_next_session_is_adjacent():
    rated = series([("a", 1, 50), ("a", 2, 60), ("a", 4, 70), ("b", 1, 10)], "alliance")
    outcome = series([("a", 1, 5), ("a", 2, 6), ("a", 4, 8), ("a", 5, 9), ("b", 1, 1)], "outcome")
    met = adjacent(rated, outcome).select("episode_id", "session", "next_alliance", "next_outcome")
    assert met.rows() == [("a", 1.0, 60.0, 6.0), ("a", 4.0, None, 9.0)]


def made(effect: float, carried: float, persons: int = 40, sessions: int = 12) -> pl.DataFrame:
    """Without error: next outcome = own level + carried x outcome + effect x alliance."""
    rng = np.random.default_rng(5)
    rows = []
    for person in range(persons):
        level, outcome = rng.normal(0, 20), 0.0
        for session in range(1, sessions):
            alliance = rng.normal(level, 5)
            later = level + carried * outcome + effect * alliance
            rows.append((f"p{person}", float(session), alliance, outcome, alliance, later))
            outcome = later
    names = ["episode_id", "session", "alliance", "outcome", "next_alliance", "next_outcome"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(log_session=pl.col("session").log())


@pytest.mark.parametrize("model", ["lagged", "lagged_detrended"])
def test_an_effect_without_error_is_found_exactly_whatever_the_persons_levels(model):
    found = lag(made(0.3, 0.5), "alliance_to_outcome", model)
    assert found["estimate"] == pytest.approx(0.3, abs=1e-6)
    assert found["low"] <= found["estimate"] <= found["high"]


def test_the_change_model_is_exact_where_the_outcome_carries_over_whole():
    assert lag(made(0.3, 1.0), "alliance_to_outcome", "change_detrended")["estimate"] == pytest.approx(0.3, abs=1e-6)


def test_differences_between_persons_alone_are_no_effect_within():
    """Every person's alliance is the same at all sessions: nothing can be said."""
    flat = made(0.3, 0.5).with_columns(alliance=pl.col("alliance").mean().over("episode_id"))
    assert lag(flat, "alliance_to_outcome", "lagged") == {}


def test_the_error_is_clustered_by_person():
    """Every row twice: the estimate stays, and so, nearly, does its error; it would not if rows counted singly."""
    rng = np.random.default_rng(1)
    once = made(0.3, 0.5).with_columns(pl.col("next_outcome") + pl.Series(rng.normal(0, 5, 440)))
    (one, error), (same, twice) = (
        within(rows, "next_outcome", ["alliance"], "episode_id")["alliance"] for rows in (once, pl.concat([once, once]))
    )
    assert (same, twice) == (pytest.approx(one), pytest.approx(error, rel=0.01))


def test_the_order_of_the_rows_does_not_matter():
    rows = made(0.3, 0.5)
    shuffled = rows.sample(fraction=1, shuffle=True, seed=3)
    found = [
        within(each, "next_outcome", ["alliance", "outcome"], "episode_id")["alliance"] for each in (rows, shuffled)
    ]
    assert found[0] == pytest.approx(found[1], abs=1e-9)


def stays(pairs: list[tuple[float, bool, int]]) -> dict:
    rows = [(x, y) for x, y, count in pairs for _ in range(count)]
    return log_odds(pl.Series([x for x, _ in rows]), pl.Series([y for _, y in rows]))


def test_the_log_odds_of_a_two_by_two_table_are_those_of_its_cells():
    """30 of 40 against 15 of 40 stay: ln((30 / 10) / (15 / 25)) = ln 5; error sqrt(1/30 + 1/10 + 1/15 + 1/25)."""
    found = stays([(1.0, True, 30), (1.0, False, 10), (0.0, True, 15), (0.0, False, 25)])
    assert found["odds_ratio"] == pytest.approx(5)
    assert found["standard_error"] == pytest.approx((1 / 30 + 1 / 10 + 1 / 15 + 1 / 25) ** 0.5)
    assert found["low"] == pytest.approx(found["estimate"] - 1.96 * found["standard_error"])


@pytest.mark.parametrize(
    "pairs",
    [
        [(1.0, True, 14), (0.0, False, 15)],  # below 30
        [(1.0, True, 30), (0.0, True, 20), (0.0, False, 9)],  # below 10 without the event
        [(1.0, True, 30), (0.0, False, 30)],  # told apart without error
        [(1.0, True, 30), (1.0, False, 30)],  # nothing varies
    ],
)
def test_where_a_logistic_estimate_would_mislead_there_is_none(pairs):
    assert stays(pairs) == {}
