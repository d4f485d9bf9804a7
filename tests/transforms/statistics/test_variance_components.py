"""Variance between therapists, and shrinkage: the literature's own numbers, and the edges."""

import numpy as np
import polars as pl
import pytest

from rapport.transforms.statistics.variance_components import by_therapist, components, shrunken

DYESTUFF = {
    "A": [1545, 1440, 1440, 1520, 1580],
    "B": [1540, 1555, 1490, 1560, 1495],
    "C": [1595, 1550, 1605, 1510, 1560],
    "D": [1445, 1440, 1595, 1465, 1545],
    "E": [1595, 1630, 1515, 1635, 1625],
    "F": [1520, 1455, 1450, 1480, 1445],
}


def values(of: dict[str, list[float]]) -> pl.DataFrame:
    rows = [("m", name, float(value)) for name, each in of.items() for value in each]
    return pl.DataFrame(rows, schema=["measure", "therapist_id", "value"], orient="row")


def parts(of: dict[str, list[float]]) -> dict:
    return components(by_therapist(values(of), ["measure"]), ["measure"]).row(0, named=True)


def effects(of: dict[str, list[float]]) -> dict[str, dict]:
    therapists = by_therapist(values(of), ["measure"])
    made = shrunken(therapists, components(therapists, ["measure"]), ["measure"])
    return {row["therapist_id"]: row for row in made.iter_rows(named=True)}


def test_the_components_are_those_of_dyestuff():
    """Davies & Goldsmith 1972; equal to lme4's REML on this balanced set."""
    found = parts(DYESTUFF)
    assert found["mean_square_between"] == pytest.approx(11271.5)
    assert found["within_variance"] == pytest.approx(2451.25)
    assert found["between_variance"] == pytest.approx(1764.05)
    assert found["variance_share"] == pytest.approx(0.41849, abs=5e-6)


def test_the_components_are_those_of_a_mixed_model_by_restricted_likelihood():
    from statsmodels.regression.mixed_linear_model import MixedLM  # noqa: PLC0415

    rows = values(DYESTUFF)
    groups = rows["therapist_id"].to_numpy()
    fitted = MixedLM(rows["value"].to_numpy(), np.ones((rows.height, 1)), groups=groups).fit(reml=True)
    found = parts(DYESTUFF)
    assert fitted.scale == pytest.approx(found["within_variance"], rel=1e-3)
    assert fitted.cov_re[0, 0] == pytest.approx(found["between_variance"], rel=1e-2)


def test_shrunken_effects_are_those_of_dyestuff():
    found = effects(DYESTUFF)
    assert {round(each["mean_reliability"], 6) for each in found.values()} == {0.782527}
    expected = {"A": -17.607, "B": 0.391, "C": 28.562, "D": -23.085, "E": 56.733, "F": -44.995}
    assert {name: round(each["shrunken_effect"], 3) for name, each in found.items()} == expected


def test_the_error_is_the_root_of_tau2_times_one_minus_the_reliability():
    each = effects(DYESTUFF)["A"]
    assert each["standard_error"] == pytest.approx((1764.05 * (1 - 0.782527)) ** 0.5, rel=1e-4)


def test_where_between_is_below_within_the_share_is_zero_and_no_effect_is_estimated():
    flat = {"A": [1.0, 9.0], "B": [2.0, 8.0], "C": [3.0, 7.0]}
    found = parts(flat)
    assert (found["between_variance"], found["variance_share"]) == (0.0, 0.0)
    told = {
        (each["shrunken_effect"], each["standard_error"], each["why_no_estimate"]) for each in effects(flat).values()
    }
    assert told == {(None, None, "nothing varies")}


def test_where_no_therapist_s_clients_vary_there_is_no_error_and_so_no_share_and_no_effect():
    found = effects({"A": [5, 5], "B": [6, 6]})
    assert parts({"A": [5, 5], "B": [6, 6]})["variance_share"] is None
    assert {(each["shrunken_effect"], each["why_no_estimate"]) for each in found.values()} == {
        (None, "no error can be made")
    }


def test_sizes_that_differ_have_an_effective_size():
    """N 7, n 2, 2 and 3: n0 = (7 - 17/7) / 2."""
    assert parts({"A": [1, 2], "B": [3, 4], "C": [5, 6, 7]})["effective_size"] == pytest.approx(16 / 7)


def test_the_more_clients_the_more_of_the_raw_effect_is_believed():
    found = effects({"A": [1, 2], "B": [9, 8, 9, 8, 9, 8], "C": [5, 6, 4], "D": [2, 1, 3]})
    assert found["B"]["mean_reliability"] > found["C"]["mean_reliability"] > found["A"]["mean_reliability"]
    assert all(abs(each["shrunken_effect"]) <= abs(each["raw_effect"]) for each in found.values())


@pytest.mark.parametrize("of", [{"A": [1, 2, 3]}, {"A": [1], "B": [2]}])
def test_one_therapist_or_one_client_each_says_nothing_of_the_variance(of):
    assert parts(of)["variance_share"] is None
    assert effects(of) == {}


def test_where_nothing_varies_there_is_no_share_and_no_effect():
    assert parts({"A": [5, 5], "B": [5, 5]})["variance_share"] is None
    assert {each["shrunken_effect"] for each in effects({"A": [5, 5], "B": [5, 5]}).values()} == {None}


def test_shrinkage_of_eighteen_batters_is_that_of_efron_and_morris():
    """Efron & Morris 1975, J Am Stat Assoc 70:311-319: hits of 45, factor .212, .400 to .294, .156 to .242. There the
    variance of a batting average is known (p (1 - p) / 45) and the factor is 1 - (k - 3) V / S (positive part)."""
    hits = [18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7]
    means = [hit / 45 for hit in hits]
    grand = sum(means) / len(means)
    known = grand * (1 - grand) / 45
    factor = 1 - (len(means) - 3) * known / sum((mean - grand) ** 2 for mean in means)
    assert (round(grand, 3), round(factor, 3)) == (0.265, 0.212)
    tau2 = factor * known / (1 - factor)
    therapists = pl.DataFrame(
        {"measure": ["m"] * 18, "therapist_id": list(range(18)), "client_count": [45] * 18, "therapist_mean": means}
    ).cast({"client_count": pl.Int32})
    given = pl.DataFrame({"measure": ["m"], "between_variance": [tau2], "within_variance": [45 * known]})
    made = shrunken(therapists, given, ["measure"])
    drawn_in = (made["clinic_mean"] + made["shrunken_effect"]).round(3).to_list()
    assert (drawn_in[0], drawn_in[-1]) == (0.294, 0.242)
    assert made["mean_reliability"].round(3).unique().to_list() == [0.212]
