"""Doubts about responses are facts beside the scores: each flag by its rule, and nothing hidden by any of them."""

import pytest

from rapport.transforms.sessions.validity import SECONDS_PER_ITEM
from tests.clinics.drawn import clinic, computed, lines, seen

TO_ORS = clinic(accepted=["cors", "csrs"])


def responses(drawn: str, **more: str):
    return computed(responses=drawn, **more)["responses"]


def flags(drawn: str, flag: str, **more: str) -> list[str | None]:
    """One flag of the drawn responses, in the order of their ids."""
    return responses(drawn, **more).sort("response_id")[flag].to_list()


def test_the_same_answer_everywhere_is_a_straight_line_only_where_some_items_are_reversed():
    drawn = """
        response_id | instrument | answers
        r1          | wai_s      | 4 4 4 4 4 4 4 4 4 4 4 4
        r2          | wai_s      | 4 4 4 4 4 4 4 4 4 5 4 4
        r3          | wai_s      | 4 4 4 4 4 - - - - - - -
        r4          | wai_s      | 4 4 4 4 - - - - - - - -
        r5          | wai_sr     | 4 4 4 4 4 4 4 4 4 4 4 4
        r6          | srs        | 9 9 9 9
        """
    assert flags(drawn, "is_straight_lined") == [True, False, True, False, None, None]


def test_a_given_score_alone_is_no_straight_line():
    drawn = "response_id | instrument | given_scores\nr1 | wai_s | total 48"
    assert flags(drawn, "is_straight_lined") == [False]


def test_it_is_too_fast_below_the_seconds_of_the_items_that_were_answered():
    fast = SECONDS_PER_ITEM
    drawn = f"""
        response_id | instrument | seconds        | answers
        r1          | srs        | {4 * fast - 1} | 9 8 9 9
        r2          | srs        | {4 * fast}     | 9 8 9 9
        r3          | srs        | {2 * fast}     | 9 8 - -
        r4          | srs        |                | 9 8 9 9
        r5          | srs        | 1              | - - - -
        """
    assert flags(drawn, "is_implausibly_fast") == [True, False, False, None, None]


@pytest.mark.parametrize(
    ("instrument", "rater", "born", "wrong"),
    [
        ("cors", "client", "2013-03-03", False),  # 12, thirteen tomorrow
        ("cors", "client", "2013-03-02", True),  # thirteen today
        ("ors", "client", "2013-03-03", True),
        ("ors", "client", "2013-03-02", False),
        ("ors", "client", "1940-01-01", False),  # no upper end
        ("cors", "client", "2020-03-03", True),  # 5
        ("yp_core", "client", "2015-03-03", True),  # 10
        ("yp_core", "client", "2009-03-03", False),  # 16
        ("cors", "caregiver", "2018-01-01", False),  # the child's age, whoever answers
        ("ycsrs", "client", "2018-01-01", True),
        ("ors", "client", "", None),
        ("wai_sr", "client", "2018-01-01", None),  # no ages are published
    ],
)
def test_the_age_is_wrong_outside_the_instruments_ages_on_that_day(instrument, rater, born, wrong):
    drawn = f"response_id | instrument | rater | completed_on\nr1 | {instrument} | {rater} | 2026-03-02"
    births = f"client_id | birth_date\nann | {born}" if born else ""
    assert flags(drawn, "is_wrong_age", births=births) == [wrong]


def test_a_day_that_is_not_known_leaves_the_age_open():
    drawn = "response_id | instrument | rater\nr1 | cors | client"
    assert flags(drawn, "is_wrong_age", births="client_id | birth_date\nann | 2000-01-01") == [None]


@pytest.mark.parametrize(
    ("instrument", "rater", "born", "caution"),
    [
        ("tasc_r", "client", "2015-03-03", True),  # 10
        ("tasc_r", "client", "2015-03-02", False),  # 11 today
        ("tasc_r", "therapist", "2015-03-03", None),
        ("tasc_r", "client", "", None),
        ("cors", "client", "2018-01-01", None),
    ],
)
def test_a_childs_own_tasc_below_eleven_is_cautioned(instrument, rater, born, caution):
    drawn = f"response_id | instrument | rater | completed_on\nr1 | {instrument} | {rater} | 2026-03-02"
    births = f"client_id | birth_date\nann | {born}" if born else ""
    assert flags(drawn, "has_age_caution", births=births) == [caution]


def test_a_second_submission_on_the_local_day_is_flagged_and_both_are_kept():
    drawn = """
        response_id | client_id | instrument | rater     | rater_id | completed_at     | completed_on
        r1          | ann       | srs        | client    |          | 2026-03-02 15:50 | 2026-03-02
        r2          | ann       | srs        | client    |          |                  | 2026-03-02
        r3          | ann       | srs        | client    |          | 2026-03-02 15:40 | 2026-03-02
        r4          | ann       | srs        | client    |          | 2026-03-03 05:10 | 2026-03-02
        r5          | ann       | srs        | client    |          | 2026-03-03 15:10 | 2026-03-03
        r6          | ann       | ors        | client    |          | 2026-03-02 15:50 | 2026-03-02
        r7          | bob       | srs        | client    |          | 2026-03-02 15:50 | 2026-03-02
        r8          | ann       | ors        | caregiver | mother   | 2026-03-02 15:50 | 2026-03-02
        r9          | ann       | ors        | caregiver | father   | 2026-03-02 15:55 | 2026-03-02
        """
    expected = """
        response_id | is_duplicate_submission
        r1          | yes
        r2          | yes
        r3          | no
        r4          | yes
        r5          | no
        r6          | no
        r7          | no
        r8          | no
        r9          | no
        """
    assert seen(responses(drawn), expected) == lines(expected)


def test_responses_without_a_day_are_not_each_others_duplicates():
    drawn = "response_id | instrument | rater\nr1 | srs | client\nr2 | srs | client"
    assert flags(drawn, "is_duplicate_submission") == [None, None]


def test_a_doubtful_response_is_scored_all_the_same():
    drawn = """
        response_id | instrument | rater  | completed_at     | completed_on | seconds | answers
        r1          | cors       | client | 2026-03-02 15:10 | 2026-03-02   | 1       | 9 9 9 9
        r2          | cors       | client | 2026-03-02 15:20 | 2026-03-02   | 1       | 9 9 9 9
        """
    made = computed(TO_ORS, births="client_id | birth_date\nann | 2000-01-01", responses=drawn)
    doubts = ["is_wrong_age", "is_implausibly_fast", "is_duplicate_submission"]
    assert made["responses"].sort("response_id").select(doubts).rows() == [(True, True, False), (True, True, True)]
    assert made["scores"]["score"].to_list() == [36.0, 36.0]


def test_the_child_form_at_twelve_and_the_adult_form_at_thirteen_are_never_one_line():
    """CORS to ORS (and CSRS to SRS) at 13 is not spliced: no change is computed from one to the other."""
    sessions = """
        session_id | starts_at        | therapist_id
        s1         | 2026-03-02 15:00 | tom
        s2         | 2026-03-09 15:00 | tom
        s3         | 2026-03-16 15:00 | tom
        """
    drawn = """
        response_id | instrument | rater  | appointment_session_id | completed_on | answers
        r1          | csrs       | client | s1                     | 2026-03-02   | 9 9 9 9
        r2          | srs        | client | s2                     | 2026-03-09   | 8 8 8 8
        r3          | srs        | client | s3                     | 2026-03-16   | 9 8 8 8
        r4          | cors       | client | s1                     | 2026-03-02   | 5 5 5 5
        r5          | ors        | client | s2                     | 2026-03-09   | 9 9 9 9
        """
    births = "client_id | birth_date\nann | 2013-03-05"
    made = computed(TO_ORS, births=births, appointments=sessions, responses=drawn)
    expected = """
        session_id | instrument | previous_score | change
        s1         | csrs       |                |
        s2         | srs        |                |
        s3         | srs        | 32             | 1
        """
    assert seen(made["alliance"], expected) == lines(expected)
    assert made["responses"]["is_wrong_age"].to_list() == [False] * 5
    assert made["scores"].filter(instrument="ors")["score"].to_list() == [36.0]
