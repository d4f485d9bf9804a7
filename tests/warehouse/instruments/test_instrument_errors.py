"""Worked examples of the literature, and errors that circulate in public sources: each is a test by name."""

import pytest

from rapport.warehouse.instruments import load_instruments
from tests.clinics.answers import bands_of, row, score, scores_of
from tests.clinics.drawn import clinic

ALL = load_instruments()

# what it is: (instrument, answers, scale, score)
SCORES = {
    "URICA: all 1 is readiness 3 - 1 = 2": ("urica", row(32, 1), "readiness", 2.0),
    "URICA: precontemplation 5, the others 1, is the lowest, -2":
        ("urica", row(32, 1, i1=5, i5=5, i11=5, i13=5, i23=5, i26=5, i29=5), "readiness", -2.0),
    "URICA: precontemplation 1, the others 5, is the highest, 14":
        ("urica", row(32, 5, i1=1, i5=1, i11=1, i13=1, i23=1, i26=1, i29=1), "readiness", 14.0),
    "RCADS-25: item 22 is anxiety, which one page leaves out": ("rcads_25", row(25, 0, i22=3), "anxiety", 3.0),
    "CORE-10: items 2 and 3 are reversed, not 3 and 4": ("core_10", row(10, 0, i2=4, i3=4), "total", 0.0),
    "CORE-10: item 4 is not reversed": ("core_10", row(10, 0, i2=4, i3=4, i4=4), "total", 4.0),
    "SMFQ: true is 2, not 0": ("smfq", row(13, 2), "total", 26.0),
    "WAI-36: item 29 is reversed": ("wai_36", row(36, 1, i29=7), "bond", 24.0),
    "WAI-36: item 28 is not": ("wai_36", row(36, 1, i28=7), "bond", 36.0),
    "OQ-45: all-zero answers are 36, not 96": ("oq_45_2", row(45, 0), "total", 36.0),
    "YP-CORE: three positive items, 3, 5 and 10, not two": ("yp_core", row(10, 0, i3=4, i5=4, i10=4), "total", 0.0),
    "K10: the lowest of the coding 1-5 is 10": ("k10_1_to_5", row(10, 1), "total", 10.0),
    "K10: the lowest of the coding 0-4 is 0": ("k10_0_to_4", row(10, 0), "total", 0.0),
    "K10: items 3 and 6, skipped after none at 2 and 5, count as none (ABS)":
        ("k10_1_to_5", row(10, 1, i3="-", i6="-"), "total", 10.0),
    "K10: item 3 that is merely missing is no none": ("k10_0_to_4", row(10, 0, i2=1, i3="-"), "total", None),
    "SRS: a sum of four lines, not their average": ("srs", "9 9 9 9", "total", 36.0),
    "ARM-5: item 3 is reversed": ("arm_5", "7 7 1 7 7", "total", 7.0),
    "WAI-S: item 8 is task": ("wai_s", row(12, 1, i8=7, i4=7, i10=7), "task", 10.0),
    "WAI-S: item 10 is goal, reversed": ("wai_s", row(12, 1, i4=7, i10=1), "goal", 10.0),
    "WAI-SR: item 8 is goal": ("wai_sr", row(12, 1, i8=5), "goal", 8.0),
    "WAI-SR: item 10 is task, not reversed": ("wai_sr", row(12, 1, i10=5), "task", 8.0),
    "WSAS: 0-8 an item, not 0-4": ("wsas", row(5, 8), "total", 40.0),
    "SDQ: items 7, 11, 14, 21 and 25 are reversed":
        ("sdq_self", row(25, 0, i7=2, i11=2, i14=2, i21=2, i25=2), "total", 0.0),
    "TASC-r: items 2, 5, 7, 8 and 11 are reversed":
        ("tasc_r", row(12, 1, i2=4, i5=4, i7=4, i8=4, i11=4), "total", 12.0),
    "HAq-II: items 4, 8, 11, 16 and 19 are reversed":
        ("haq_ii", row(19, 1, i4=6, i8=6, i11=6, i16=6, i19=6), "total", 19.0),
    "GBO: a goal is its own score": ("gbo", "3 8 -", "goal_2", 8.0),
}  # fmt: skip


@pytest.mark.parametrize("what", SCORES)
def test_the_score_is(what):
    instrument, answers, scale, expected = SCORES[what]
    assert score(instrument, answers, scale) == expected


# what it is: (instrument, born, sex, rater, scale, given score, scheme, band, is case)
MEANINGS = {
    "SRS: 36.0 is not below 36 (OpenFIT: green is >=)":
        ("srs", "", "", "client", "total", 36, "below_36", None, False),
    "SRS: 35.9 is below 36": ("srs", "", "", "client", "total", 35.9, "below_36", None, True),
    "SRS: the older bands stand beside it": ("srs", "", "", "client", "total", 36, "older_bands", "fair", None),
    "ORS: 25 is not below an adult's 25": ("ors", "1990-01-01", "", "client", "total", 25, "clinical", None, False),
    "ORS: 24.9 is": ("ors", "1990-01-01", "", "client", "total", 24.9, "clinical", None, True),
    "ORS: 27 of a teenager is a case below 28":
        ("ors", "2011-01-01", "", "client", "total", 27, "clinical", None, True),
    "PHQ-9: 10 is a case": ("phq9", "", "", "client", "total", 10, "caseness", None, True),
    "PHQ-9: 20 is severe": ("phq9", "", "", "client", "total", 20, "severity", "severe", None),
    "GAD-7: 8 is a case in Talking Therapies": ("gad7", "", "", "client", "total", 8, "talking_therapies", None, True),
    "GAD-7: 8 is none in screening": ("gad7", "", "", "client", "total", 8, "screening", None, False),
    "WSAS: 20 is significant, not above it":
        ("wsas", "", "", "client", "total", 20, "severity", "significant", None),
    "WSAS: 21 is moderately severe": ("wsas", "", "", "client", "total", 21, "severity", "moderately_severe", None),
    "CORE-10: 18.89, prorated, is moderate and falls between no two bands":
        ("core_10", "", "", "client", "total", 18.89, "severity", "moderate", None),
    "K10: 20 is moderate in one scheme (ABS)": ("k10_1_to_5", "", "", "client", "total", 20, "abs", "moderate", None),
    "K10: and mild in the other": ("k10_1_to_5", "", "", "client", "total", 20, "clinical", "mild", None),
    "K10: 10-19 are one band, and 10 is in it":
        ("k10_1_to_5", "", "", "client", "total", 10, "clinical", "likely_well", None),
    "OQ-45: 63 is a case of >= 63": ("oq_45_2", "", "", "client", "total", 63, "clinical", None, True),
    "OQ-45: 63 is none of > 63": ("oq_45_2", "", "", "client", "total", 63, "swift_2009", None, False),
    "SDQ, parent: prosocial bands run downwards, 8 is close to average":
        ("sdq_parent", "", "", "caregiver", "prosocial", 8, "four_band", "close_to_average", None),
    "SDQ, parent: prosocial 5 is very low":
        ("sdq_parent", "", "", "caregiver", "prosocial", 5, "four_band", "very_low", None),
    "SDQ, teacher: total 16 is high": ("sdq_teacher", "", "", "observer", "total", 16, "four_band", "high", None),
    "SDQ, parent: total 16 is slightly raised":
        ("sdq_parent", "", "", "caregiver", "total", 16, "four_band", "slightly_raised", None),
    "SDQ, self: total 16 is borderline in the older scheme":
        ("sdq_self", "", "", "client", "total", 16, "three_band", "borderline", None),
    "YP-CORE: 14.4 of a girl of 12":
        ("yp_core", "2014-01-01", "female", "client", "total", 15, "twigg_2016", None, True),
    "YP-CORE: 15 of a girl of 15 is none":
        ("yp_core", "2011-01-01", "female", "client", "total", 15, "twigg_2016", None, False),
    "YP-CORE: 15 of a boy of 15 is one":
        ("yp_core", "2011-01-01", "male", "client", "total", 15, "twigg_2016", None, True),
}  # fmt: skip


@pytest.mark.parametrize("what", MEANINGS)
def test_the_score_means(what):
    instrument, born, sex, rater, scale, given, scheme, band, is_case = MEANINGS[what]
    accepting = clinic(accepted=[f"{instrument}.{each.name}" for each in ALL[instrument].thresholds])
    found = bands_of({scale: given}, instrument, born, sex=sex, rater=rater, declared=accepting).filter(
        scheme=scheme, scale=scale
    )
    assert found.select("band", "is_case").rows() == [(band, is_case)]


def test_without_a_birth_date_no_threshold_for_an_age_applies():
    assert bands_of(20, "ors").height == 0


def test_the_core_10_s_bands_are_not_put_on_the_yp_core():
    """Some code does; Twigg et al. 2016 have cut-offs by age and sex."""
    assert bands_of(20, "yp_core", "2011-01-01", sex="male").height == 0
    assert {each.scheme for each in ALL["yp_core"].thresholds} == {"twigg_2016"}


def test_the_wai_sr_has_five_points_twelve_items_no_cut_off_and_is_hatcher_and_gillaspy_s():
    """Not Munder 2010's, not seven points, not sixteen items; bands of 12-35, 36-47, 48-60 are a vendor's own."""
    found = ALL["wai_sr"]
    assert (found.minimum, found.maximum, found.item_count, found.thresholds) == (1, 5, 12, ())
    assert found.citation.startswith("Hatcher & Gillaspy 2006")
    assert ALL["br_wai"].scale("total").item_count == 16


def test_the_srs_is_four_lines_of_ten_centimetres():
    """Not a 7-point Likert scale, not sliders from 1 to 10 with a total of 4-40."""
    found = ALL["srs"]
    assert (found.item_count, found.minimum, found.maximum, found.step) == (4, 0, 10, 0.1)


def test_direction_is_per_scale_and_high_is_good_on_alliance_and_on_prosocial_behaviour():
    """The NHS's under-18 table has SRS, CSRS, GSRS and the prosocial scale the other way round."""
    for name in ("srs", "csrs", "gsrs", "ors", "cors", "gbo"):
        assert {scale.direction for scale in ALL[name].scales} == {"higher_better"}, name
    for name in ("sdq_parent", "sdq_teacher", "sdq_self"):
        directions = {scale.name: scale.direction for scale in ALL[name].scales}
        assert directions.pop("prosocial") == "higher_better"
        assert set(directions.values()) == {"lower_better"}


def test_reversed_items_of_the_oq_45_are_nine_and_not_twenty_four():
    assert ALL["oq_45_2"].reversed == (1, 12, 13, 20, 21, 24, 31, 37, 43)


def test_the_nhs_s_change_of_the_cors_is_10_and_of_the_ors_6_6_not_the_adults_5():
    changes = {(name, each.name): each.amount for name in ("ors", "cors") for each in ALL[name].changes}
    assert changes == {("ors", "adult"): 5, ("ors", "nhs_under_18"): 6.6, ("cors", "nhs_under_18"): 10}


def test_the_young_child_s_form_is_an_event_and_never_a_number():
    assert scores_of("ycsrs", "3", declared=clinic(accepted=["ycsrs"])) == {}
