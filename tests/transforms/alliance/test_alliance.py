"""The working alliance per session: change is since the rater's last score in the dyad."""

import random

import polars as pl
import pytest

from rapport.transforms.alliance.alliance import alliance_grand_means
from tests.clinics.drawn import NOBODY_ELSE, clinic, computed, lines, seen

FOUR_SESSIONS = """
    session_id | starts_at        | therapist_id
    s1         | 2026-03-02 15:00 | tom
    s2         | 2026-03-09 15:00 | tom
    s3         | 2026-03-16 15:00 | tom
    s4         | 2026-03-23 15:00 | uma
    """


def alliance(responses: str, like: str, appointments: str = FOUR_SESSIONS, **more) -> list[str]:
    return seen(computed(appointments=appointments, responses=responses, **more)["alliance"], like)


def test_change_is_since_the_last_score_even_across_a_session_without_one():
    responses = """
        response_id | instrument | rater  | appointment_session_id | answers
        r1          | srs        | client | s1                     | 8 8 8 8
        r3          | srs        | client | s3                     | 9 9 9 9.5
        """
    expected = """
        session_id | session_number | score | previous_score | change | gap_sessions
        s1         | 1              | 32    |                |        |
        s3         | 3              | 36.5  | 32             | 4.5    | 2
        """
    assert alliance(responses, expected) == lines(expected)


def test_a_partial_response_between_two_scores_is_no_score():
    responses = """
        response_id | instrument | rater  | appointment_session_id | answers
        r1          | srs        | client | s1                     | 8 8 8 8
        r2          | srs        | client | s2                     | 8 8 - 8
        r3          | srs        | client | s3                     | 7 7 7 7
        """
    expected = "session_id | change\ns1 |\ns3 | -4"
    assert alliance(responses, expected) == lines(expected)


def test_a_new_therapist_is_a_new_alliance():
    responses = """
        response_id | instrument | rater  | appointment_session_id | answers
        r3          | srs        | client | s3                     | 8 8 8 8
        r4          | srs        | client | s4                     | 9 9 9 9
        """
    expected = "session_id | therapist_id | previous_score | change\ns3 | tom |  |\ns4 | uma |  |"
    assert alliance(responses, expected) == lines(expected)


def test_a_new_episode_is_a_new_alliance_with_the_same_therapist():
    appointments = "session_id | starts_at | therapist_id\ns1 | 2026-01-05 15:00 | tom\ns2 | 2026-06-01 15:00 | tom"
    responses = """
        response_id | instrument | rater  | appointment_session_id | answers
        r1          | srs        | client | s1                     | 8 8 8 8
        r2          | srs        | client | s2                     | 9 9 9 9
        """
    expected = "session_id | change\ns1 |\ns2 |"
    assert alliance(responses, expected, appointments) == lines(expected)


def test_client_and_therapist_each_have_a_line_of_their_own():
    fives, fours = " ".join(["5"] * 12), " ".join(["4"] * 12)
    responses = f"""
        response_id | instrument | rater     | appointment_session_id | answers
        r1          | wai_sr     | client    | s1                     | {fours}
        r2          | wai_sr     | therapist | s2                     | {fives}
        r3          | wai_sr     | client    | s3                     | {fives}
        """
    expected = """
        session_id | rater     | scale | change | gap_sessions
        s1         | client    | bond  |        |
        s1         | client    | goal  |        |
        s1         | client    | task  |        |
        s1         | client    | total |        |
        s2         | therapist | bond  |        |
        s2         | therapist | goal  |        |
        s2         | therapist | task  |        |
        s2         | therapist | total |        |
        s3         | client    | bond  | 4      | 2
        s3         | client    | goal  | 4      | 2
        s3         | client    | task  | 4      | 2
        s3         | client    | total | 12     | 2
        """
    assert alliance(responses, expected) == lines(expected)


@pytest.mark.parametrize(
    ("instrument", "answers", "pomp"),
    [("srs", "0 0 0 0", "0"), ("srs", "9 9 9 9", "90"), ("wai_sr", "1 " * 12, "0"), ("wai_sr", "2 " * 12, "25")],
)
def test_pomp_is_percent_of_the_maximum_possible_from_the_lowest_possible(instrument, answers, pomp):
    """Cohen, Cohen, Aiken & West 1999, Multivariate Behav Res 34:315-346."""
    responses = f"""
        response_id | instrument   | rater  | appointment_session_id | answers
        r1          | {instrument} | client | s1                     | {answers.strip()}
        """
    assert set(alliance(responses, "pomp")[1:]) == {pomp}


def test_outcome_measures_given_scores_and_responses_not_used_are_no_alliance():
    responses = """
        response_id | instrument | rater  | appointment_session_id | completed_at     | answers | given_scores
        r1          | ors        | client | s1                     |                  | 9 9 9 9 |
        r2          | srs        | client | s2                     |                  |         | total 30
        r3          | srs        | client | s3                     | 2026-03-16 16:00 | 9 9 9 9 |
        r4          | srs        | client | s3                     | 2026-03-16 16:01 | 1 1 1 1 |
        """
    expected = "session_id | instrument | score\ns3 | srs | 36"
    assert alliance(responses, expected) == lines(expected)


def test_a_session_that_is_no_treatment_has_a_score_and_no_gap():
    responses = """
        response_id | instrument | rater  | appointment_session_id | answers
        r1          | srs        | client | s1                     | 8 8 8 8
        r2          | srs        | client | s2                     | 9 9 9 9
        r3          | srs        | client | s3                     | 9 9 9 9
        """
    appointments = """
        session_id | starts_at        | service
        s1         | 2026-03-02 15:00 | therapy
        s2         | 2026-03-03 15:00 | assessment
        s3         | 2026-03-16 15:00 | therapy
        """
    expected = "session_id | session_number | gap_sessions\ns1 | 1 |\ns2 | |\ns3 | 2 |"
    assert alliance(responses, expected, appointments, declared=clinic(["assessment"])) == lines(expected)


def test_the_expanding_mean_looks_at_no_later_session():
    """M07 for live use: W is the score minus the mean of this and earlier sessions."""
    responses = """
        response_id | instrument | rater  | appointment_session_id | answers
        r1          | srs        | client | s1                     | 8 8 8 8
        r2          | srs        | client | s2                     | 9 9 9 9
        r3          | srs        | client | s3                     | 7 7 7 7
        r4          | srs        | client | s4                     | 6 6 6 6
        """
    expected = """
        session_id | score | expanding_mean | within_deviation
        s1         | 32    | 32             | 0
        s2         | 36    | 34             | 2
        s3         | 28    | 32             | -4
        s4         | 24    | 24             | 0
        """
    assert alliance(responses, expected) == lines(expected)


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_the_grand_mean_is_the_same_in_whatever_order_the_rows_come(engine):
    """Their mean ends in half a millionth, so the last digit of the sum decides how it is rounded."""
    means = [22.287376, 25.633209, 28.132456, 32.001245, 21.906131, 36.230817]
    means += [37.459102, 24.885543, 30.006214, 39.471032, 20.118854, 23.887971]
    assert sum(round(each * 1_000_000) for each in means) % 12 == 6
    shuffled = random.Random(1)
    made = set()
    for _ in range(50):
        shuffled.shuffle(means)
        rows = pl.LazyFrame(
            {"client_id": "c", "episode_id": "e", "rater": "client", "rater_number": 1, "instrument": "srs"}
            | {"scale": "total", "person_mean": means}
        )
        made |= set(alliance_grand_means(rows, NOBODY_ELSE).collect(engine=engine).rows())
    assert len(made) == 1


def test_a_persons_deviations_from_their_own_mean_sum_to_nothing_and_the_grand_mean_counts_each_person_once():
    """M07: mean of person means (34 and 20: 27), not of rows (30.5)."""
    appointments = """
        session_id | client_id | starts_at        | therapist_id
        a1         | ann       | 2026-03-02 15:00 | tom
        a2         | ann       | 2026-03-09 15:00 | tom
        a3         | ann       | 2026-03-16 15:00 | tom
        b1         | bob       | 2026-03-02 16:00 | tom
        """
    responses = """
        response_id | client_id | instrument | rater  | appointment_session_id | answers
        r1          | ann       | srs        | client | a1                     | 8 8 8 8
        r2          | ann       | srs        | client | a2                     | 8.5 8.5 8.5 8.5
        r3          | ann       | srs        | client | a3                     | 9 9 9 9
        r4          | bob       | srs        | client | b1                     | 5 5 5 5
        """
    made = computed(appointments=appointments, responses=responses)
    expected = """
        client_id | first_session_id | score_count | person_mean | person_sd
        ann       | a1               | 3           | 34          | 2
        bob       | b1               | 1           | 20          |
        """
    assert seen(made["alliance_means"], expected) == lines(expected)
    assert made["alliance_grand_means"].select("dyad_count", "grand_mean").rows() == [(2, 27)]
    within = made["alliance"].join(made["alliance_means"], on=["client_id", "rater", "instrument", "scale"])
    sums = within.group_by("client_id").agg(total=(pl.col("score") - pl.col("person_mean")).sum())
    assert sums["total"].to_list() == [0, 0]
