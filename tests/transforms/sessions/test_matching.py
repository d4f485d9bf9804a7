"""Which session a response is about (design.md, Matching a response to a session)."""

import pytest

from tests.clinics.drawn import computed, lines, seen

TWO_SESSIONS = """
    session_id | starts_at        | duration_minutes | therapist_id
    s1         | 2026-03-02 15:00 | 50               | tom
    s2         | 2026-03-12 15:00 | 50               | uma
    """
WINDOWS = [
    ("ors", "session start, 48 hours before", "2026-02-28 15:00", "s1"),
    ("ors", "session start, a minute earlier", "2026-02-28 14:59", ""),
    ("ors", "session start, until the session's end", "2026-03-02 15:50", "s1"),
    ("ors", "session start, a minute after it", "2026-03-02 15:51", ""),
    ("srs", "session end, 15 minutes before it", "2026-03-02 15:35", "s1"),
    ("srs", "session end, a minute earlier", "2026-03-02 15:34", ""),
    ("srs", "session end, until 72 hours after it", "2026-03-05 15:50", "s1"),
    ("srs", "session end, a minute later", "2026-03-05 15:51", ""),
    ("wai_sr", "general, 72 hours before the start", "2026-02-27 15:00", "s1"),
    ("wai_sr", "general, a minute earlier", "2026-02-27 14:59", ""),
    ("wai_sr", "general, until 72 hours after the start", "2026-03-05 15:00", "s1"),
    ("wai_sr", "general, a minute later", "2026-03-05 15:01", ""),
]


def matched(responses: str, appointments: str = TWO_SESSIONS, like: str = "response_id | session_id") -> list[str]:
    return seen(computed(appointments=appointments, responses=responses)["responses"], like)


@pytest.mark.parametrize(("instrument", "when", "completed_at", "session"), WINDOWS, ids=[row[1] for row in WINDOWS])
def test_the_window_is_that_of_the_instruments_timing(instrument, when, completed_at, session):
    found = matched(f"response_id | instrument | rater | completed_at\nr1 | {instrument} | client | {completed_at}")
    assert found == lines(f"response_id | session_id\nr1 | {session}")


@pytest.mark.parametrize(
    ("completed_at", "session"), [("2026-03-03 14:59", "s1"), ("2026-03-03 15:00", "s1"), ("2026-03-03 15:01", "s2")]
)
def test_the_nearer_of_two_sessions_is_taken_and_a_tie_goes_to_the_earlier(completed_at, session):
    found = matched(
        f"response_id | instrument | rater | completed_at\nr1 | wai_sr | client | {completed_at}",
        "session_id | starts_at\ns1 | 2026-03-02 15:00\ns2 | 2026-03-04 15:00",
    )
    assert found == lines(f"response_id | session_id\nr1 | {session}")


def test_a_nearer_session_whose_window_does_not_hold_it_does_not_hide_one_that_does():
    found = matched(
        "response_id | instrument | rater | completed_at\nr1 | srs | client | 2026-03-04 15:00",
        "session_id | starts_at\ns1 | 2026-03-02 15:00\ns2 | 2026-03-04 16:00",
    )
    assert found == lines("response_id | session_id\nr1 | s1")


def test_a_response_that_names_its_therapist_matches_that_therapists_sessions_only():
    found = matched(
        """
        response_id | instrument | rater  | therapist_id | completed_at
        r1          | wai_sr     | client | uma          | 2026-03-10 10:00
        r2          | wai_sr     | client | tom          | 2026-03-10 10:00
        r3          | wai_sr     | client | uma          | 2026-03-02 16:00
        """,
    )
    assert found == lines("response_id | session_id\nr1 | s2\nr2 |\nr3 |")


def test_a_response_matches_its_own_clients_sessions_only():
    found = matched(
        "response_id | client_id | instrument | rater | completed_at\nr1 | bob | srs | client | 2026-03-02 16:00"
    )
    assert found == lines("response_id | session_id\nr1 |")


def test_a_date_alone_matches_by_local_day_the_first_session_of_that_day():
    found = matched(
        """
        response_id | instrument | rater  | completed_on | therapist_id
        r1          | srs        | client | 2026-03-02   |
        r2          | ors        | client | 2026-03-02   | uma
        r3          | phq9       | client | 2026-03-03   |
        """,
        """
        session_id | starts_at        | starts_local     | therapist_id
        s2         | 2026-03-02 17:00 | 2026-03-02 11:00 | uma
        s1         | 2026-03-02 15:00 | 2026-03-02 09:00 | tom
        s3         | 2026-03-03 01:00 | 2026-03-02 19:00 | tom
        """,
        like="response_id | session_id | matched_by",
    )
    assert found == lines("response_id | session_id | matched_by\nr1 | s1 | day\nr2 | s2 | day\nr3 | |")


def test_a_response_without_time_and_day_is_kept_without_a_session():
    found = matched("response_id | instrument | rater\nr1 | srs | client")
    assert found == lines("response_id | session_id\nr1 |")


def test_a_response_belongs_to_the_appointment_it_names_whatever_its_time():
    found = matched(
        """
        response_id | instrument | rater  | appointment_session_id | completed_at
        r1          | srs        | client | s1                     | 2026-03-12 16:00
        r2          | srs        | client |                        | 2026-03-12 16:00
        """,
        like="response_id | session_id | matched_by",
    )
    assert found == lines("response_id | session_id | matched_by\nr1 | s1 | appointment\nr2 | s2 | time")


def test_a_response_that_names_an_appointment_not_attended_or_not_there_yet_is_unmatched():
    found = matched(
        """
        response_id | instrument | rater  | appointment_session_id | completed_at
        r1          | srs        | client | s1                     | 2026-03-02 16:00
        r2          | srs        | client | s9                     | 2026-03-02 16:00
        """,
        "session_id | starts_at | status\ns1 | 2026-03-02 15:00 | no_show",
        like="response_id | session_id | is_used",
    )
    assert found == lines("response_id | session_id | is_used\nr1 |  | yes\nr2 |  | yes")


def test_of_several_in_a_session_the_first_complete_one_is_used():
    found = matched(
        """
        response_id | instrument | rater     | completed_at     | answers
        r1          | srs        | client    | 2026-03-02 15:55 | 9 9 - 9
        r2          | srs        | client    | 2026-03-02 16:05 | 9 9 9 9
        r3          | srs        | client    | 2026-03-02 16:00 | 8 8 8 8
        r4          | srs        | caregiver | 2026-03-02 16:10 | 7 7 7 7
        r5          | srs        | client    | 2026-03-12 15:55 | 6 - - -
        r6          | srs        | client    | 2026-03-12 15:56 | - - - -
        """,
        like="response_id | is_complete | is_used",
    )
    expected = """
        response_id | is_complete | is_used
        r1          | no          | no
        r2          | yes         | no
        r3          | yes         | yes
        r4          | yes         | yes
        r5          | no          | yes
        r6          | no          | no
        """
    assert found == lines(expected)
