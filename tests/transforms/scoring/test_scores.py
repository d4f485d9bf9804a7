"""Scores: every scale of every response, by the rule its authors publish."""

import pytest

from tests.clinics.drawn import computed, lines, seen


def scored(responses: str, like: str) -> list[str]:
    return seen(computed(responses=responses)["scores"], like)


def test_a_sum_and_its_item_mean_need_every_item():
    expected = """
        response_id | score | item_mean | answered_count | item_count | rule          | basis
        r1          | 10    | 2.5       | 4              | 4          | complete_only | computed
        r2          |       |           | 3              | 4          | complete_only | computed
        """
    responses = "response_id | instrument | rater | answers\nr1 | srs | client | 1 2 3 4\nr2 | srs | client | 1 2 - 4"
    assert scored(responses, expected) == lines(expected)


def test_where_nothing_is_answered_the_score_is_null_and_not_zero():
    expected = "response_id | score | item_mean | answered_count\nr1 | | | 0"
    responses = "response_id | instrument | rater | answers\nr1 | ors | client | - - - -"
    assert scored(responses, expected) == lines(expected)


def test_zeros_are_answers():
    expected = "response_id | score | answered_count\nr1 | 0 | 7"
    assert scored("response_id | instrument | rater | answers\nr1 | gad7 | client | 0 0 0 0 0 0 0", expected) == lines(
        expected
    )


def test_the_srs_reaches_its_cut_off_of_36_exactly():
    """Miller & Duncan: below 36 the alliance is worth a word; 9.1 + 8.7 + 9.2 + 9.0 is 36 and not a hair below."""
    found = computed(responses="response_id | instrument | rater | answers\nr1 | srs | client | 9.1 8.7 9.2 9.0")
    assert found["scores"]["score"].to_list() == [36.0]


def test_answers_in_tenths_add_up_to_tenths_exactly_though_they_are_kept_in_32_bits():
    rows = "\n".join(f"r{n} | srs | client | {n / 10} 0.1 9.7 {n / 10}" for n in range(101))
    found = computed(responses=f"response_id | instrument | rater | answers\n{rows}")["scores"]
    assert sorted(found["score"]) == [(2 * n + 98) / 10 for n in range(101)]


def test_the_wai_sr_is_keyed_as_hatcher_and_gillaspy_2006_publish():
    """Task 1 2 10 12, bond 3 5 7 9, goal 4 6 8 11; the WAI-S has items 8 and 10 the other way round."""
    answers = " ".join(
        {1: "5", 2: "5", 10: "5", 12: "5", 3: "1", 5: "1", 7: "1", 9: "1"}.get(n, "3") for n in range(1, 13)
    )
    expected = """
        scale | score | item_mean | item_count
        task  | 20    | 5         | 4
        bond  | 4     | 1         | 4
        goal  | 12    | 3         | 4
        total | 36    | 3         | 12
        """
    found = scored(f"response_id | instrument | rater | answers\nr1 | wai_sr | client | {answers}", expected)
    assert found == lines(expected)


def test_a_scale_whose_items_are_all_there_has_a_score_though_another_lacks_one():
    expected = """
        scale | score | answered_count
        task  | 8     | 4
        bond  |       | 3
        goal  | 8     | 4
        total |       | 11
        """
    responses = "response_id | instrument | rater | answers\nr1 | wai_sr | client | 2 2 - 2 2 2 2 2 2 2 2 2"
    assert scored(responses, expected) == lines(expected)


def test_items_beyond_those_of_a_response_that_is_too_short_are_not_answered():
    expected = "score | answered_count\n | 2"
    assert scored("response_id | instrument | rater | answers\nr1 | srs | client | 9 9", expected) == lines(expected)


def test_a_given_score_stands_beside_the_computed_one_and_is_never_mixed_with_it():
    expected = """
        response_id | scale | score | basis    | answered_count | rule
        r1          | total | 36    | computed | 4              | complete_only
        r1          | total | 30    | given    |                |
        r2          | total | 31    | given    |                |
        """
    responses = """
        response_id | instrument | rater  | answers | given_scores
        r1          | srs        | client | 9 9 9 9 | total 30
        r2          | srs        | client | - - - - | total 31
        """
    assert scored(responses, expected) == lines(expected)


def test_given_scores_of_several_scales_each_keep_their_scale():
    expected = "scale | score | item_count\ntotal | 40 | 12\nbond | 15 | 4"
    responses = "response_id | instrument | rater | given_scores\nr1 | wai_sr | client | total 40, bond 15"
    assert scored(responses, expected) == lines(expected)


@pytest.mark.parametrize(("instrument", "items", "highest"), [("phq9", 9, 27), ("gad7", 7, 21)])
def test_phq9_and_gad7_are_sums_of_items_from_0_to_3(instrument, items, highest):
    """Kroenke et al. 2001; Spitzer et al. 2006."""
    answers = " ".join(["3"] * items)
    expected = f"scale | score\ntotal | {highest}"
    found = scored(f"response_id | instrument | rater | answers\nr1 | {instrument} | client | {answers}", expected)
    assert found == lines(expected)


def test_a_response_without_a_session_is_scored_all_the_same():
    expected = "session_id | score\n | 36"
    responses = "response_id | instrument | rater | answers\nr1 | srs | client | 9 9 9 9"
    assert scored(responses, expected) == lines(expected)
