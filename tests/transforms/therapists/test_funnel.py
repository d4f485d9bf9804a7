"""Funnel plots: approximate and exact limits, over-dispersion, and who is shown."""

import numpy as np
import pytest

from rapport.transforms.therapists.funnel import exact_limit, overdispersion
from tests.clinics.drawn import clinic, computed


def seen_by(therapist: str, count: int, stay: int, first: int = 0) -> str:
    """Clients of a therapist, each in an episode that is over: the first `stay` came five times, the others once."""
    rows = []
    for at in range(count):
        for visit in range(5 if at < stay else 1):
            name = f"{therapist}{first + at}"
            rows.append(f"{name}-{visit} | {name} | 2026-03-{2 + 7 * visit:02d} 15:00 | {therapist}" if visit < 4
                        else f"{name}-{visit} | {name} | 2026-04-02 15:00 | {therapist}")  # fmt: skip
    return "\n".join(rows)


def tables(*therapists: str, minimum: int = 2) -> dict:
    drawn = "\n".join(["session_id | client_id | starts_at | therapist_id", *therapists])
    return computed(clinic(minimum_caseload=minimum), appointments=drawn)


def test_points_compare_each_therapist_with_the_clinic():
    made = tables(seen_by("tom", 10, 8), seen_by("uma", 10, 2))["funnel_points"].filter(measure="more_than_four")
    rows = {row["therapist_id"]: row for row in made.iter_rows(named=True)}
    assert {name: (row["share"], row["target_share"]) for name, row in rows.items()} == {
        "tom": (0.8, 0.5),
        "uma": (0.2, 0.5),
    }
    assert rows["tom"]["z"] == pytest.approx(0.3 / (0.25 / 10) ** 0.5)
    assert {name: row["position"] for name, row in rows.items()} == {"tom": "within", "uma": "within"}


def test_nobody_below_the_minimum_caseload_is_shown_but_all_make_the_clinic_s_share():
    made = tables(seen_by("tom", 15, 15), seen_by("uma", 14, 0), minimum=15)["funnel_points"]
    shown = made.filter(measure="more_than_four")
    assert shown["therapist_id"].to_list() == ["tom"]
    assert shown["target_share"].item() == pytest.approx(15 / 29)


def test_a_client_counts_once_per_therapist_with_the_first_episode():
    again = "tom0-late | tom0 | 2026-08-03 15:00 | tom"  # a second, derived episode of one session
    made = tables(seen_by("tom", 3, 3), again)["funnel_points"].filter(measure="more_than_four")
    assert made.select("numerator_count", "denominator_count").rows() == [(3, 3)]


def test_where_the_clinic_s_share_is_0_or_1_there_is_no_z():
    made = tables(seen_by("tom", 3, 3))["funnel_points"].filter(measure="more_than_four")
    assert made.select("share", "z", "position").rows() == [(1.0, None, None)]


def test_approximate_limits_are_the_target_and_two_or_three_errors():
    """Spiegelhalter 2005: theta +/- 1.959964 and 3.09 sqrt(theta (1 - theta) / n), cut at 0 and 1."""
    made = tables(seen_by("tom", 40, 20), minimum=10)["funnel_limits"].filter(measure="more_than_four")
    assert made["denominator_count"].to_list() == list(range(10, 41))
    last = made.row(-1, named=True)
    error = (0.25 / 40) ** 0.5
    found = [last[f"approximate_{name}"] for name in ("low_998", "low_95", "high_95", "high_998")]
    assert found == pytest.approx(
        [0.5 - 3.09 * error, 0.5 - 1.959964 * error, 0.5 + 1.959964 * error, 0.5 + 3.09 * error]
    )
    assert made.row(0, named=True)["approximate_low_998"] == pytest.approx(0.5 - 3.09 * (0.25 / 10) ** 0.5)


def test_an_exact_limit_interpolates_the_binomial_quantile():
    """By hand: n 4, theta .5, p .025: F(0) = .0625 is at least p, so r = 0, a = (.0625 - .025) / .0625 = .6, and the
    limit is below 0, cut. p .975: F(3) = .9375, F(4) = 1, r = 4, a = (1 - .975) / .0625 = .4, limit 3.6 / 4."""
    n = np.array([4])
    assert exact_limit(n, 0.5, 0.025)[0] == 0.0
    assert exact_limit(n, 0.5, 0.975)[0] == pytest.approx(0.9)


def test_exact_limits_close_in_on_the_approximate_ones():
    n = np.array([5000])
    assert exact_limit(n, 0.3, 0.975)[0] == pytest.approx(0.3 + 1.96 * (0.21 / 5000) ** 0.5, abs=2e-4)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_a_share_of_0_or_1_has_no_width(target):
    assert exact_limit(np.array([5, 50]), target, 0.975).tolist() == [target, target]


def test_where_chance_has_no_width_there_are_no_limits():
    made = tables(seen_by("tom", 3, 3))["funnel_limits"].filter(measure="more_than_four")
    limits = [name for name in made.columns if name.startswith(("exact", "approximate"))]
    assert len(limits) == 8
    assert made.select(limits).null_count().sum_horizontal().item() == 8 * made.height


def test_overdispersion_is_the_mean_of_squared_z_with_the_extreme_tenths_drawn_in():
    """Ten z: -9 is drawn in to -2 and 9 to 2; then (5 x 4 + 5 x 4) / 10 = 4, above 1 + 2 sqrt(2 / 10) = 1.894."""
    z = np.array([-9, -2, -2, -2, -2, 2, 2, 2, 2, 9], dtype=float)
    assert overdispersion(z) == (4.0, True)


@pytest.mark.parametrize(("z", "expected"), [([1.0, -1.0], (1.0, False)), ([], (None, False))])
def test_what_chance_explains_widens_nothing(z, expected):
    assert overdispersion(np.array(z)) == expected
