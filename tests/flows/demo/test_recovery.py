"""The metrics find what is planted in simulated clinics. Twenty seeds are `make truth`; here are a few."""

import pytest

from rapport.flows.demo.course import NOTHING, PLANTED
from rapport.flows.demo.recovery import found, holds, lines, rupture_rates
from rapport.flows.demo.simulated import simulated, tables_of

SEEDS = range(6)


@pytest.fixture(scope="module")
def planted():
    return [found(seed, PLANTED) for seed in SEEDS]


@pytest.fixture(scope="module")
def nothing():
    return [found(seed, NOTHING) for seed in SEEDS]


def test_the_planted_effects_are_found_and_nothing_is_where_nothing_is(planted, nothing):
    missed = [line.what for line in lines(planted, nothing) if line.is_required and line.kept < len(SEEDS) - 2]
    assert missed == []


def test_a_clinic_with_effects_is_told_from_one_without(planted, nothing):
    """The claims can fail: an estimate of the one kind does not hold the truth of the other."""
    one, other = (
        [each.link("alliance_to_outcome", "lagged_detrended")[0] for each in kind] for kind in (planted, nothing)
    )
    assert min(one) > max(other)
    assert not any(holds(each.link("alliance_to_outcome", "change_detrended"), 0.0) for each in planted)
    assert sum(holds(each.staying, 0.0) for each in planted) <= 1


def test_stricter_rules_of_possible_ruptures_find_fewer_and_are_wrong_less_often(planted):
    rates = {row["rupture_rule"]: row for row in rupture_rates(planted).iter_rows(named=True)}
    assert rates["drop_2_sd"]["recall_share"] < rates["drop_1_sd"]["recall_share"]
    assert rates["drop_1_sd"]["false_alarm_share"] < 0.1 < rates["srs_drop_1"]["false_alarm_share"]
    assert rates["srs_drop_1"]["recall_share"] > 0.8


def test_the_same_seed_is_the_same_clinic():
    one, other = (tables_of(simulated(3, PLANTED, 20, 2), ("scores",))["scores"] for _ in range(2))
    assert one.sort("response_id", "scale").equals(other.sort("response_id", "scale"))
