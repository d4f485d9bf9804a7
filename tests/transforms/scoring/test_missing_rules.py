"""Missing answers, by each rule that authors publish; a partial sum is never a total, and nothing is not zero."""

from dataclasses import replace

import pytest

from rapport.warehouse.instruments import load_instruments
from tests.clinics.answers import row, score, scores_of
from tests.clinics.drawn import clinic

# rule, instrument, answers, scale, score, answered, prorated
EXAMPLES = {
    "sdq: 4 points on 3 of 5 items are 6.67, so 7 (Goodman 2014)":
        ("sdq_parent", row(25, 0, i3=2, i8=1, i13=1, i16="-", i24="-"), "emotional", 7.0, 3, True),
    "sdq: 2.5 is rounded away from zero, to 3":
        ("sdq_parent", row(25, 0, i3=2, i24="-"), "emotional", 3.0, 4, True),
    "sdq: two answers are not enough":
        ("sdq_parent", row(25, 0, i3="-", i8="-", i13="-"), "emotional", None, 2, None),
    "sdq: total difficulties are null where one of the four is":
        ("sdq_parent", row(25, 0, i3="-", i8="-", i13="-"), "total", None, 17, None),
    "sdq: internalising is null where one of the two is":
        ("sdq_parent", row(25, 0, i3="-", i8="-", i13="-"), "internalising", None, 7, None),
    "sdq: externalising stands though emotional does not":
        ("sdq_parent", row(25, 1, i3="-", i8="-", i13="-"), "externalising", 10.0, 10, False),
    "phqa_dsm5: 7 answers of sum 11 are 14.14, so 14":
        ("phq_a_7_days", row(9, 1, i1=3, i2=3, i8="-", i9="-"), "total", 14.0, 7, True),
    "phqa_dsm5: 8 answers of sum 4 are 4.5, so 5":
        ("phq_a_2_weeks", row(9, 0, i1=2, i2=2, i9="-"), "total", 5.0, 8, True),
    "phqa_dsm5: three missing, no score":
        ("phq_a_7_days", row(9, 1, i1="-", i2="-", i3="-"), "total", None, 6, None),
    "core10: 9 answers of sum 18 are 20":
        ("core_10", row(10, 2, i2=2, i3=2, i10="-"), "total", 20.0, 9, True),
    "core10: two missing, no score":
        ("core_10", row(10, 2, i1="-", i10="-"), "total", None, 8, None),
    "core10: nothing answered is null, not 0":
        ("core_10", row(10, "-"), "total", None, 0, None),
    "yp_core: at most one missing":
        ("yp_core", row(10, 2, i1="-", i2="-"), "total", None, 8, None),
    "oq45: a blank counts the scale's mean, rounded: 2.5 is 3":
        ("oq_45_2", row(45, 2, i4="-", i12=1, i14=3, i21=1, i28=3, i32=3, i38=3, i39=2, i44=2),
         "social_role", 25.0, 8, True),
    "oq45: five blanks in all, no score of any scale":
        ("oq_45_2", row(45, 2, i2="-", i3="-", i5="-", i6="-", i8="-"), "social_role", None, 9, None),
    "oq45: four blanks, all scores":
        ("oq_45_2", row(45, 2, i2="-", i3="-", i5="-", i6="-"), "total", 90.0, 41, True),
    "wsas_retired: without item 1 the sum of 2-5":
        ("wsas", row(5, 8, i1="-"), "total", 32.0, 4, False),
    "wsas_retired: another item missing, no score":
        ("wsas", row(5, 8, i2="-"), "total", None, 4, None),
    "rcads: two missing a scale, prorated":
        ("rcads_47", row(47, 1, i1="-", i13="-"), "generalised_anxiety", 6.0, 4, True),
    "rcads: three missing, no score":
        ("rcads_47", row(47, 1, i1="-", i13="-", i22="-"), "generalised_anxiety", None, 3, None),
    "rcads: total anxiety is null where one of the five is":
        ("rcads_47", row(47, 1, i1="-", i13="-", i22="-"), "anxiety", None, 34, None),
    "ptpb85: 7 of 8 are 87.5 %":
        ("myts", row(8, 3, i1="-", i2=5), "total", 3.285714286, 7, True),
    "ptpb85: 6 of 8 are 75 %":
        ("myts", row(8, 3, i1="-", i2="-"), "total", None, 6, None),
    "ptpb85: 3 of 4 are not enough":
        ("taqr", row(4, 3, i1="-"), "total", None, 3, None),
    "prorate_min(1): the mean of the goals that there are":
        ("gbo", "4 7 -", "total", 5.5, 2, True),
    "complete_only: three of four lines are no total":
        ("srs", "9 9 - 9", "total", None, 3, None),
    "complete_only: the PHQ-9 with five missing has no partial sum":
        ("phq9", "3 3 3 3 - - - - -", "total", None, 4, None),
}  # fmt: skip


@pytest.mark.parametrize("rule", EXAMPLES)
def test_the_rule(rule):
    instrument, answers, scale, expected, answered, prorated = EXAMPLES[rule]
    found = scores_of(instrument, answers)[scale]
    assert (found["score"], found["answered_count"], found["is_prorated"]) == (expected, answered, prorated)
    name = rule.split(":")[0]
    assert found["rule"] == ("core10" if name == "yp_core" else name)


def own(scale: str, **changed: object):
    """A clinic that gives the WAI-SR another missing rule."""
    wai_sr = load_instruments()["wai_sr"]
    scales = tuple(replace(each, **changed) if each.name == scale else each for each in wai_sr.scales)
    return replace(clinic(), instruments={"wai_sr": replace(wai_sr, scales=scales)})


@pytest.mark.parametrize(
    ("scale", "missing", "expected"), [("bond", "3", None), ("total", "3", 2.0), ("total", "3 5", 2.0)]
)
def test_mean80_needs_all_of_four_items_and_ten_of_twelve(scale, missing, expected):
    """Three of four are 75 %, ten of twelve 83 %."""
    answers = row(12, 2, **{f"i{number}": "-" for number in missing.split()})
    assert score("wai_sr", answers, scale, declared=own(scale, missing="mean80", score="mean")) == expected


@pytest.mark.parametrize(("answers", "expected"), [("5 - - -", None), ("5 5 - -", 20.0), ("- - - -", None)])
def test_prorate_min_scales_up_from_as_many_answers_as_it_says(answers, expected):
    bond = dict(zip(("i3", "i5", "i7", "i9"), answers.split(), strict=True))
    assert score("wai_sr", row(12, 1, **bond), "bond", declared=own("bond", missing="prorate_min(2)")) == expected


def test_a_recalled_missing_rule_is_complete_only_until_the_clinic_accepts_it():
    answers = row(25, 1, i1="-")
    found = scores_of("rcads_25", answers, declared=clinic())["depression"]
    assert (found["score"], found["rule"]) == (None, "complete_only")
    found = scores_of("rcads_25", answers, declared=clinic(accepted=["rcads_25"]))["depression"]
    assert (found["score"], found["rule"]) == (10.0, "rcads")


def test_percent_of_maximum_of_the_wsas_is_of_32_where_item_1_does_not_apply():
    """CamCOPS prints '/ 40' even when the maximum is 32."""
    assert scores_of("wsas", "- 4 4 4 4")["total"]["pomp"] == 50.0
    assert scores_of("wsas", "4 4 4 4 4")["total"]["pomp"] == 50.0


@pytest.mark.parametrize("name", load_instruments())
def test_nothing_answered_is_null_on_every_scale_of_every_instrument(name):
    count = load_instruments()[name].item_count or 1
    assert [line["score"] for line in scores_of(name, row(count, "-")).values() if line["score"] is not None] == []
