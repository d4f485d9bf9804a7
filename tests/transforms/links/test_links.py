"""Links within and between persons: estimates are those that the data were made with, and null where there are none."""

import numpy as np
import polars as pl
import pytest

from rapport.transforms.links.alliance_outcome_links import adjacent, contributing, lag
from rapport.transforms.sessions.session_places import Places
from rapport.transforms.statistics.log_odds import log_odds
from rapport.transforms.statistics.students_t import critical_t_at
from rapport.transforms.statistics.within_person import centred, within


def scored(*rows: tuple) -> pl.DataFrame:
    schema = {"episode_id": pl.String, "session_number": pl.Int32, "value": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(client_id="episode_id")


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


def pairs(*rows: tuple) -> pl.DataFrame:
    """Adjacent sessions: client, episode, alliance, next outcome; the rest does not matter."""
    names = ["client", "episode", "alliance", "next_outcome"]
    drawn = pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col(names[2:]).cast(pl.Float64))
    return drawn.with_columns(outcome=pl.lit(0.0), next_alliance=pl.lit(None, dtype=pl.Float64))


EXAMPLE = pairs(*[("A", 1, 1, 2), ("A", 1, 3, 4)], *[("B", 2, 2, 1), ("B", 2, 4, 5)], ("C", 3, 5, 9))


def test_an_episode_with_one_pair_carries_no_information_and_the_rest_is_computed_by_hand():
    """Centred x -1 1 -1 1, y -1 1 -2 2: 6 / 4; residuals .5 -.5 -.5 .5; scores -1, +1; V = 2/16 x 2/1 x 3/3."""
    kept = contributing(EXAMPLE, "alliance_to_outcome")
    assert kept["client"].unique().sort().to_list() == ["A", "B"]
    found = within(centred(kept, ["alliance", "next_outcome"]), "next_outcome", "alliance")
    assert (found.estimate, found.standard_error, found.largest_share) == (1.5, 0.5, 0.5)
    spread = critical_t_at(1) * found.standard_error
    assert [round(found.estimate + side * spread, 3) for side in (-1, 1)] == [-4.853, 7.853]
    assert kept.height == 4


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        pytest.param([("A", 1, 1, 2), ("A", 1, 3, 4)], 2, id="two pairs"),
        pytest.param([("A", 1, 1, 2), ("A", 1, 3, None)], 0, id="one has no value of the effect"),
        pytest.param([("A", 1, 9, 2), ("A", 1, 9, 4)], 0, id="the cause is always the same"),
        pytest.param([("A", 1, 1, 2), ("A", 2, 3, 4)], 0, id="two episodes of a client with one each"),
    ],
)
def test_which_episodes_carry_information(rows, kept):
    assert contributing(pairs(*rows), "alliance_to_outcome").height == kept


def test_errors_are_clustered_by_client_and_not_by_episode():
    """By hand: x y are 2, 4, 4 over x x 6; B's two episodes are one cluster, scores -4/3 and 4/3."""
    rows = pairs(("A", 1, 1, 2), ("A", 1, 3, 4), ("B", 2, 2, 1), ("B", 2, 4, 5), ("B", 3, 2, 1), ("B", 3, 4, 5))
    found = within(centred(rows, ["alliance", "next_outcome"]), "next_outcome", "alliance")
    assert found.estimate == pytest.approx(10 / 6)
    assert found.standard_error == pytest.approx((2 * (4 / 3) ** 2 / 36 * 2) ** 0.5)


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
    names = ["client", "session", "alliance", "outcome", "next_alliance", "next_outcome"]
    drawn = pl.DataFrame(rows, schema=names, orient="row")
    return drawn.with_columns(log_session=pl.col("session").log(), episode="client")


VALUES = ["session", "alliance", "outcome", "next_alliance", "next_outcome", "log_session"]


def noisy(persons: int = 40, sessions: int = 12) -> pl.DataFrame:
    rows = made(0.3, 0.5, persons, sessions)
    errors = np.random.default_rng(1).normal(0, 5, rows.height)
    return rows.with_columns(pl.col("next_outcome") + pl.Series(errors))


def lagged(rows: pl.DataFrame, model: str = "lagged") -> dict:
    return lag(centred(rows, VALUES), "alliance_to_outcome", model)


def effect(rows: pl.DataFrame, cause: str = "alliance", *others: str) -> tuple[float, float]:
    found = within(centred(rows, VALUES), "next_outcome", cause, others)
    return found.estimate, found.standard_error


@pytest.mark.parametrize("others", [("outcome",), ("outcome", "session", "log_session")])
def test_an_effect_without_error_is_found_exactly_whatever_the_persons_levels(others):
    assert effect(made(0.3, 0.5), "alliance", *others) == (pytest.approx(0.3), pytest.approx(0, abs=1e-9))


def test_an_effect_without_error_is_not_published():
    assert lagged(made(0.3, 0.5))["why_no_estimate"] == "no error can be made"


def test_the_change_model_is_nearly_exact_where_the_outcome_carries_over_whole():
    rows = made(0.3, 1.0)
    errors = np.random.default_rng(1).normal(0, 0.1, rows.height)
    found = lagged(rows.with_columns(pl.col("next_outcome") + pl.Series(errors)), "change_detrended")
    assert found["estimate"] == pytest.approx(0.3, abs=0.01)
    assert found["low"] < found["estimate"] < found["high"]


def test_differences_between_persons_alone_are_no_effect_within():
    """Every person's alliance is the same at all sessions: nothing can be said."""
    flat = made(0.3, 0.5).with_columns(alliance=pl.col("alliance").mean().over("episode"))
    assert lagged(flat)["why_no_estimate"] == "nothing varies"


def test_a_cause_that_says_what_the_session_number_says_is_no_cause():
    same = noisy().with_columns(alliance=100 - 2 * pl.col("session"))
    assert lagged(same, "lagged_detrended")["why_no_estimate"] == "nothing varies"


def test_the_error_is_clustered_by_person():
    """Every row twice: the estimate stays, and so, nearly, does its error; it would not if rows counted singly."""
    once = noisy()
    (one, error), (same, twice) = (effect(rows) for rows in (once, pl.concat([once, once])))
    assert (same, twice) == (pytest.approx(one), pytest.approx(error, rel=0.01))


def test_the_order_of_the_rows_does_not_matter():
    rows = noisy()
    shuffled = rows.sample(fraction=1, shuffle=True, seed=3)
    found = [effect(each, "alliance", "outcome") for each in (rows, shuffled)]
    assert found[0] == pytest.approx(found[1], abs=1e-9)


@pytest.mark.parametrize("trend", [["session"], ["session", "log_session"]])
def test_coefficients_and_errors_are_those_of_another_implementation(trend):
    """statsmodels' least squares with persons as clusters, on columns of very unlike units."""
    from statsmodels.regression.linear_model import OLS  # noqa: PLC0415  costly to import

    rows = noisy().with_columns(pl.col("outcome") * 1e6)
    told, effects = centred(rows, VALUES), ["alliance", "outcome", *trend]
    other = OLS(told["next_outcome"].to_numpy(), told.select(effects).to_numpy()).fit(
        cov_type="cluster", cov_kwds={"groups": told["client"].to_numpy(), "use_correction": True}
    )
    for name, one, error in zip(effects, other.params, other.bse, strict=True):
        found = within(told, "next_outcome", name, [each for each in effects if each != name])
        assert (found.estimate, found.standard_error) == (pytest.approx(one, rel=1e-7), pytest.approx(error, rel=1e-7))


@pytest.mark.parametrize(("persons", "is_told"), [(29, False), (30, True)])
def test_below_thirty_clients_there_is_no_estimate_and_from_thirty_on_students_interval(persons, is_told):
    found = lagged(noisy(persons))
    assert found.get("why_no_estimate") == (None if is_told else "fewer than 30 clients")
    if is_told:
        assert found["degrees_of_freedom"] == 29
        assert found["high"] - found["estimate"] == pytest.approx(2.04523 * found["standard_error"], abs=1e-4)


def test_where_one_client_makes_more_than_half_of_what_varies_there_is_no_estimate():
    loud = noisy().with_columns(alliance=pl.col("alliance") * pl.when(pl.col("client") == "p0").then(40).otherwise(1))
    found = lagged(loud)
    assert found["largest_share"] > 0.5
    assert (found["why_no_estimate"], found.get("estimate")) == ("one client dominates", None)


def test_under_no_effect_at_thirty_clients_at_most_seven_of_a_hundred_intervals_miss_it():
    """2 to 8 pairs each; Student's t gives 5.6 %, z 6.5 (2,000 runs a size in the specification; 400 here)."""
    rng, missed = np.random.default_rng(7), 0
    for _ in range(400):
        counts = rng.integers(2, 9, 30)
        client = np.repeat(np.arange(30), counts)
        drawn = {
            "client": client,
            "episode": client,
            "x": rng.normal(size=len(client)),
            "y": rng.normal(size=len(client)),
        }
        found = within(centred(pl.DataFrame(drawn), ["x", "y"]), "y", "x")
        missed += abs(found.estimate) > critical_t_at(29) * found.standard_error
    assert missed <= 0.085 * 400  # 7 %, and one and a half standard errors


def stays(pairs: list[tuple[float, bool, int]]) -> dict:
    rows = [(x, y) for x, y, count in pairs for _ in range(count)]
    return log_odds(pl.Series([x for x, _ in rows]), pl.Series([y for _, y in rows]))


def test_the_log_odds_of_a_two_by_two_table_are_those_of_its_cells():
    """30 of 40 against 15 of 40 stay: ln((30 / 10) / (15 / 25)) = ln 5; error sqrt(1/30 + 1/10 + 1/15 + 1/25)."""
    found = stays([(1.0, True, 30), (1.0, False, 10), (0.0, True, 15), (0.0, False, 25)])
    assert found["odds_ratio"] == pytest.approx(5)
    assert found["standard_error"] == pytest.approx((1 / 30 + 1 / 10 + 1 / 15 + 1 / 25) ** 0.5)
    assert found["low"] == pytest.approx(found["estimate"] - 1.959964 * found["standard_error"])


@pytest.mark.parametrize(
    ("counted", "why"),
    [
        ([(1.0, True, 14), (0.0, False, 15)], "fewer than 30 clients"),
        ([(1.0, True, 30), (0.0, True, 20), (0.0, False, 9)], "fewer than 10 with or without the event"),
        ([(1.0, True, 30), (0.0, True, 4), (1.0, False, 20), (0.0, False, 20)], "a cell below 5"),
        ([(1.0, True, 30), (0.0, False, 30)], "a cell below 5"),
        ([(1.0, True, 30), (0.0, False, 15), (-1.0, False, 15)], "the predictor tells the two apart"),
        ([(1.0, True, 30), (1.0, False, 30)], "nothing varies"),
        ([(1.0, True, 30), (2.0, False, 30), (99.0, True, 1)], "one client dominates"),
    ],
)
def test_where_a_logistic_estimate_would_mislead_there_is_none(counted, why):
    found = stays(counted)
    assert (found["why_no_estimate"], found.get("estimate")) == (why, None)
