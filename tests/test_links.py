"""Links within and between persons: estimates are those that the data were made with, and null where there are none."""

import numpy as np
import polars as pl
import pytest

from transforms.alliance_outcome_links import adjacent, lag
from transforms.responsiveness_links import log_odds
from transforms.session_places import Places
from transforms.within_person import centred, within


def scored(*rows: tuple) -> pl.DataFrame:
    schema = {"episode_id": pl.String, "session_number": pl.Int32, "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_only_the_next_session_is_adjacent():
    rated = scored(("b", 1, 10), ("a", 1, 50), ("a", 2, 60), ("a", 4, 70))
    outcome = scored(("a", 5, 9), ("a", 1, 5), ("a", 2, 6), ("a", 4, 8), ("b", 1, 1), ("b", 3, 2), ("c", 1, 7))
    places = Places(rated)
    placed = (places.placed(each) for each in (rated, outcome))
    met = adjacent(places, *(places.at(each["place"], each["value"]) for each in placed))
    assert met.select("episode", "session", "next_alliance", "next_outcome").rows() == [
        (0, 1.0, 60.0, 6.0),
        (0, 4.0, None, 9.0),
    ]


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


def lagged(rows: pl.DataFrame, model: str) -> dict:
    return lag(centred(rows, rows.columns[1:], "episode_id"), "alliance_to_outcome", model)


@pytest.mark.parametrize("model", ["lagged", "lagged_detrended"])
def test_an_effect_without_error_is_found_exactly_whatever_the_persons_levels(model):
    found = lagged(made(0.3, 0.5), model)
    assert found["estimate"] == pytest.approx(0.3, abs=1e-6)
    assert found["low"] <= found["estimate"] <= found["high"]


def test_the_change_model_is_exact_where_the_outcome_carries_over_whole():
    assert lagged(made(0.3, 1.0), "change_detrended")["estimate"] == pytest.approx(0.3, abs=1e-6)


def test_differences_between_persons_alone_are_no_effect_within():
    """Every person's alliance is the same at all sessions: nothing can be said."""
    flat = made(0.3, 0.5).with_columns(alliance=pl.col("alliance").mean().over("episode_id"))
    assert lagged(flat, "lagged") == {}


def effect(rows: pl.DataFrame, *effects: str) -> tuple[float, float]:
    return within(centred(rows, ["next_outcome", *effects], "episode_id"), "next_outcome", effects)["alliance"]


def test_the_error_is_clustered_by_person():
    """Every row twice: the estimate stays, and so, nearly, does its error; it would not if rows counted singly."""
    rng = np.random.default_rng(1)
    once = made(0.3, 0.5).with_columns(pl.col("next_outcome") + pl.Series(rng.normal(0, 5, 440)))
    (one, error), (same, twice) = (effect(rows, "alliance") for rows in (once, pl.concat([once, once])))
    assert (same, twice) == (pytest.approx(one), pytest.approx(error, rel=0.01))


def test_the_order_of_the_rows_does_not_matter():
    rows = made(0.3, 0.5)
    shuffled = rows.sample(fraction=1, shuffle=True, seed=3)
    found = [effect(each, "alliance", "outcome") for each in (rows, shuffled)]
    assert found[0] == pytest.approx(found[1], abs=1e-9)


@pytest.mark.parametrize("trend", [["session"], ["session", "log_session"]])
def test_coefficients_and_errors_are_those_of_another_implementation(trend):
    """statsmodels' least squares with persons as clusters, on columns of very unlike units."""
    from statsmodels.regression.linear_model import OLS  # noqa: PLC0415  costly to import

    rng = np.random.default_rng(2)
    rows = made(0.3, 0.5).with_columns(
        pl.col("next_outcome") + pl.Series(rng.normal(0, 5, 440)), pl.col("outcome") * 1e6
    )
    told, effects = centred(rows, rows.columns[1:], "episode_id"), ["alliance", "outcome", *trend]
    other = OLS(told["next_outcome"].to_numpy(), told.select(effects).to_numpy()).fit(
        cov_type="cluster", cov_kwds={"groups": told["person"].to_numpy(), "use_correction": True}
    )
    found = within(told, "next_outcome", effects)
    assert [found[name] for name in effects] == [
        (pytest.approx(one, rel=1e-9), pytest.approx(error, rel=1e-9))
        for one, error in zip(other.params, other.bse, strict=True)
    ]


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
