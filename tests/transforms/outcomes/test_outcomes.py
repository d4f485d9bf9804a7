"""Outcomes: one person's first and latest score, and whether they differ by more than error."""

from collections import Counter
from dataclasses import replace

import polars as pl
import pytest

from rapport.warehouse.instruments import read_instrument
from tests.clinics.drawn import clinic, computed, lines, seen

HEADER = "response_id | instrument | rater | appointment_session_id | answers"
# R package clinicalsignificance, data set claus_2020: HAMD before and after.
CLAUS_2020 = """25>13 15>11 28>4 30>25 21>9 26>17 31>15 21>2 27>8 28>7 23>13 24>30 28>9 26>8 27>14 32>27 27>20 25>28
    28>14 25>24 22>10 24>18 24>22 21>8 18>20 27>2 25>13 27>18 22>2 23>16 25>16 25>24 26>8 22>6 24>22 23>20 26>18 28>24
    24>9 21>25"""
HAMD = """
title = "A test's own scale"
construct = "outcome"
respondents = ["client"]
timing = "general"
direction = "lower_better"
citation = "R package clinicalsignificance"
licence = "None."
[items]
count = 1
minimum = 0
maximum = 52
step = 1
[missing]
rule = "complete_only"
[scales.total]
description = "Its only item, 0-52."
items = [1]
score = "sum"
[thresholds.c]
scale = "total"
case = "> 19.8870"
population = "everybody"
[norms.before]
scale = "total"
mean = 24.85
sd = 3.34012
sample = "claus_2020"
[reliability.stated]
scale = "total"
kind = "test_retest"
value = 0.80
sample = "claus_2020"
"""


def spread(score: float, item_count: int, most: int) -> str:
    """Answers that add up to the score."""
    answers = [min(most, max(0, score - most * place)) for place in range(item_count)]
    return " ".join(map(str, answers))


def rows(measures: dict[str, tuple], rater: str = "client") -> str:
    """A response per measure and session, from first to latest."""
    items = {"phq9": (9, 3), "gad7": (7, 3), "core_10": (10, 4), "ors": (4, 10)}
    reversed_items = {"core_10": (2, 3)}
    answers = []
    for name, scores in measures.items():
        for at, score in enumerate(scores, start=1):
            count, most = items[name]
            made = [float(part) for part in spread(score, count, most).split()]
            made = [most - a if n in reversed_items.get(name, ()) else a for n, a in enumerate(made, start=1)]
            answers.append(f"{rater}{name}{at} | {name} | {rater} | s{at} | {' '.join(map(str, made))}")
    return "\n".join([HEADER, *answers])


THREE = "session_id | starts_at\n" + "\n".join(f"s{n} | 2026-03-{n:02} 15:00" for n in range(1, 4))
BORN = {40: "client_id | birth_date\nann | 1986-01-01", 15: "client_id | birth_date\nann | 2011-01-01", None: ""}


def outcome(measures: dict[str, tuple], table: str = "outcomes", age: int | None = 40, **more) -> pl.DataFrame:
    return computed(births=BORN[age], appointments=THREE, responses=rows(measures), **more)[table]


def test_the_classes_of_jacobson_and_truax_are_those_of_the_r_package(tmp_path):
    """claus_2020, r = .80, cut-off c 19.887: recovered 26, improved 3, unchanged 10, deteriorated 1, harmed 0 of 40;
    three people without a second score are in no class."""
    (tmp_path / "hamd.toml").write_text(HAMD, encoding="utf-8")
    declared = clinic()
    declared = replace(declared, instruments={**declared.instruments, "hamd": read_instrument(tmp_path / "hamd.toml")})
    pairs = [tuple(pair.split(">")) for pair in CLAUS_2020.split()] + [("25", None)] * 3
    people = [(f"p{at:02}", *pair) for at, pair in enumerate(pairs)]
    sessions = [f"{who}{n} | {who} | 2026-03-0{n} 15:00" for who, *_ in people for n in (1, 2)]
    answers = [
        f"{who}{n} | {who} | hamd | client | {who}{n} | {score}"
        for who, *both in people
        for n, score in enumerate(both, start=1)
        if score
    ]
    made = computed(
        declared,
        appointments="\n".join(["session_id | client_id | starts_at", *sessions]),
        responses="\n".join(
            ["response_id | client_id | instrument | rater | appointment_session_id | answers", *answers]
        ),
    )["outcomes"]
    assert made["change_amount"].unique().to_list() == [pytest.approx(4.14038, abs=1e-4)]  # z 1.96, not 1.959964
    expected = {"recovered": 26, "improved": 3, "unchanged": 10, "deteriorated": 1, None: 3}
    assert Counter(made["jacobson_truax_class"]) == expected
    assert made.filter(pl.col("jacobson_truax_class").is_null())["why_no_class"].unique().to_list() == [
        "one score only"
    ]


@pytest.mark.parametrize(
    ("scores", "reliable", "jacobson_truax"),
    [
        ((15, 9), "improved", "recovered"),  # a change of exactly 6 counts (NHS)
        ((15, 10), "no change", "unchanged"),
        ((20, 14), "improved", "improved"),  # 14 is still a case
        ((9, 15), "deteriorated", "harmed"),
        ((12, 18), "deteriorated", "deteriorated"),
        ((12, 3, 12), "no change", "unchanged"),  # first and latest, whatever lies between
    ],
)
def test_the_nhs_change_of_the_phq_9_counts_from_exactly_six(scores, reliable, jacobson_truax):
    row = outcome({"phq9": scores}).row(0, named=True)
    assert (row["reliable_class"], row["jacobson_truax_class"]) == (reliable, jacobson_truax)


def test_a_higher_ors_is_better_and_age_decides_which_change_and_cut_off_are_meant():
    expected = "improvement | change_name | change_amount | reliable_class | cut_off_name | is_case_first\n"
    adult, teen = outcome({"ors": (20, 26)}), outcome({"ors": (20, 26)}, age=15)
    assert seen(adult, expected)[1:] == ["6 | adult | 5 | improved | adult | yes"]
    assert seen(teen, expected)[1:] == ["6 | nhs_under_18 | 6.6 | no change |  | "]  # the cut-off 28 is recalled
    unknown = outcome({"ors": (20, 26)}, age=None)
    assert seen(unknown, expected)[1:] == ["6 |  |  |  |  | "]
    assert unknown["why_no_class"].to_list() == ["no reliable change counts"]
    assert teen["why_no_class"].to_list() == ["no cut-off counts"]


def test_of_several_changes_the_one_that_says_most_about_whom_it_is_for_counts():
    """CORE-10: 6 (Barkham 2013), and 5 below 18 (MHSDS)."""
    assert outcome({"core_10": (20, 15)})["change_name"].to_list() == ["barkham_2013"]
    assert outcome({"core_10": (20, 15)}, age=15)["change_name"].to_list() == ["nhs_under_18"]


def test_an_episode_with_one_score_has_no_change_and_says_why():
    expected = "score_count | first_score | last_score | total_change | reliable_class | why_no_class"
    assert seen(outcome({"phq9": (15,)}), expected)[1:] == ["1 | 15 |  |  |  | one score only"]


def test_scores_of_another_episode_are_not_its_last():
    appointments = "session_id | starts_at\ns1 | 2026-01-05 15:00\ns2 | 2026-08-03 15:00"
    made = computed(births=BORN[40], appointments=appointments, responses=rows({"phq9": (15, 5)}))["outcomes"]
    assert sorted(made["first_score"]) == [5, 15]
    assert made["last_score"].null_count() == 2


def test_given_scores_have_a_row_of_their_own():
    responses = """
        response_id | instrument | rater  | appointment_session_id | answers | given_scores
        r1          | phq9       | client | s1                     |         | total 15
        r2          | phq9       | client | s2                     |         | total 5
        """
    made = computed(births=BORN[40], appointments=THREE, responses=responses)["outcomes"]
    expected = "basis | first_score | last_score | reliable_class\ngiven | 15 | 5 | improved"
    assert seen(made, expected) == lines(expected)


@pytest.mark.parametrize(
    ("phq", "gad", "status", "recovered", "reliably_recovered"),
    [
        # domain.md 5.11, by hand from the definition
        ((15, 8), (12, 6), "reliable improvement", True, True),
        ((10, 9), (8, 7), "no reliable change", True, False),
        ((20, 14), (6, 6), "reliable improvement", False, False),
        # edges
        ((9, 3), (7, 7), "reliable improvement", None, None),  # no case at first: in no recovery denominator
        ((15, 9), (8, 12), "no reliable change", False, False),  # one better, the other worse
        ((9, 15), (7, 7), "reliable deterioration", None, None),
        ((9, 9), (8, 7), "no reliable change", True, False),
    ],
)
def test_talking_therapies_judges_both_measures_together(phq, gad, status, recovered, reliably_recovered):
    made = outcome({"phq9": phq, "gad7": gad}, "reliable_outcomes").row(0, named=True)
    assert made["outcome_status"] == status
    assert (made["is_recovered"], made["is_reliably_recovered"]) == (recovered, reliably_recovered)
    assert (made["measure_count"], made["contact_count"]) == (2, 3)


@pytest.mark.parametrize("measures", [{"phq9": (15, 8)}, {"phq9": (15, 8), "gad7": (12,)}])
def test_without_all_four_scores_an_episode_is_not_assessable_and_not_unchanged(measures):
    made = outcome(measures, "reliable_outcomes").row(0, named=True)
    assert (made["outcome_status"], made["is_case_at_start"], made["is_recovered"]) == ("not assessable", None, None)
    assert made["why_not_assessable"] == "PHQ-9 and GAD-7 are not both scored twice"


@pytest.mark.parametrize(
    ("measures", "status"),
    [
        ({"ors": (20, 26.6)}, "reliable improvement"),
        ({"ors": (20, 26.6), "core_10": (10, 15)}, "reliable deterioration"),  # any worse outweighs any better
        ({"ors": (20, 26), "core_10": (15, 11)}, "no reliable change"),
        ({"ors": (20,)}, "not assessable"),
    ],
)
def test_under_18_any_measure_that_worsened_decides_then_any_that_improved(measures, status):
    """M18b, NHS England MHSDS code: ORS 6.6, CORE-10 5 (core_10 is from 17 on: flagged, and scored)."""
    made = outcome(measures, "reliable_outcomes", age=15).filter(outcome_scheme="under_18")
    assert made["outcome_status"].to_list() == [status]


def test_the_rule_for_minors_is_for_minors_and_per_rater():
    assert outcome({"ors": (20, 30)}, "reliable_outcomes").height == 0
    responses = rows({"ors": (20, 30)}) + "\n" + rows({"ors": (30, 20)}, "caregiver").split("\n", 1)[1]
    made = computed(births=BORN[15], appointments=THREE, responses=responses)["reliable_outcomes"]
    expected = "rater | outcome_status\nclient | reliable improvement\ncaregiver | reliable deterioration"
    assert seen(made, expected) == lines(expected)
