"""Reliable change, computed as in the literature's own examples."""

import pytest

from rapport.warehouse.instruments import load_instruments
from rapport.warehouse.instruments.reliable_change import (
    Z_90,
    Z_95,
    computed_changes,
    cut_off_c,
    error_of_difference,
    reliable_change,
    standard_error,
)

ALL = load_instruments()


def test_jacobson_and_truax_s_own_example():
    """1991: clinical mean 40, normal mean 60, SD 7.5, r .80, from 32.5 to 47.5."""
    assert round(standard_error(7.5, 0.80), 3) == 3.354
    assert round(error_of_difference(7.5, 0.80), 2) == 4.74
    assert round((47.5 - 32.5) / error_of_difference(7.5, 0.80), 2) == 3.16
    assert cut_off_c((60, 7.5), (40, 7.5)) == 50
    assert round(reliable_change(7.5, 0.80, Z_95), 3) == 9.297


def test_other_constants():
    """SD 10.5, r .961."""
    assert round(standard_error(10.5, 0.961), 6) == 2.073584
    assert round(error_of_difference(10.5, 0.961), 5) == 2.93249
    assert round(reliable_change(10.5, 0.961, Z_95), 6) == 5.747681


def test_the_error_is_that_of_a_difference_not_of_one_measurement():
    """A calculator in circulation divides by the standard error of measurement, the formula of 1984."""
    assert error_of_difference(7.5, 0.80) == pytest.approx(standard_error(7.5, 0.80) * 2**0.5)


def test_core_10_s_published_change_of_6_is_a_90_percent_value():
    """Barkham et al. 2013: SD 7.7, alpha .90; at 95 % it would be 6.75."""
    published = {each.name: each for each in ALL["core_10"].changes}["barkham_2013"]
    assert (published.amount, published.z, published.criterion) == (6, Z_90, ">=")
    (found,) = computed_changes(ALL["core_10"])
    assert (round(found.at_90, 2), round(found.at_95, 2)) == (5.66, 6.75)


def test_core_10_s_cut_off_of_11_computes_as_10_46():
    well, ill = ((norm.mean, norm.sd) for norm in ALL["core_10"].norms)
    assert round(cut_off_c(well, ill), 2) == 10.46


@pytest.mark.parametrize(("name", "published", "computed"), [("phq9", 6, 6.34), ("gad7", 4, 4.39)])
def test_the_nhs_s_thresholds_are_not_what_their_sd_and_alpha_compute_to(name, published, computed):
    """Never recompute and call it the NHS's."""
    (found,) = computed_changes(ALL[name])
    assert round(found.at_95, 2) == computed
    assert ALL[name].changes[0].amount == published


def test_k10_s_change_is_computed_and_local():
    (found,) = computed_changes(ALL["k10_1_to_5"])
    change = ALL["k10_1_to_5"].changes[0]
    assert (round(found.at_95, 2), change.amount, change.origin.status) == (7.65, 7.65, "local")


def test_alliance_instruments_have_no_reliable_change():
    """Ceiling skew violates its model, and there is no consensus SD: none is published."""
    assert not any(each.changes for each in ALL.values() if each.construct == "alliance")
