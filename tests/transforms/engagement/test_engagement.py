"""Engagement: what is in a denominator and what is not; nothing is known of what nobody confirmed."""

import pytest

from tests.clinics.drawn import clinic, computed, lines, seen

EPISODE = "episode_id | opened_on\ne | 2026-01-01"


def engagement(appointments: str, like: str, responses: str = "source", **more) -> list[str]:
    made = computed(appointments=appointments, responses=responses, episodes=EPISODE, **more)["engagement"]
    return seen(made, like)


EVERYTHING = """
    session_id | starts_at        | status              | cancelled_at
    s1         | 2026-03-02 15:00 | attended            |
    s2         | 2026-03-09 15:00 | attended            |
    s3         | 2026-03-16 15:00 | no_show             |
    s4         | 2026-03-23 15:00 | late_cancel         | 2026-03-20 15:00
    s5         | 2026-03-30 15:00 | cancelled_by_client | 2026-03-29 15:00
    s6         | 2026-04-06 15:00 | cancelled_by_client | 2026-04-05 15:01
    s7         | 2026-04-13 15:00 | cancelled_by_client |
    s8         | 2026-04-20 15:00 | cancelled_by_clinic | 2026-04-20 14:00
    s9         | 2026-04-27 15:00 | rescheduled         |
    s10        | 2026-05-04 15:00 | scheduled           |
    """


def test_every_status_is_counted_once_and_a_cancellation_is_late_under_24_hours():
    """M11: s4 is called late by its export; s6 came 23:59 before; 24:00 (s5) and no time (s7) are in time."""
    counts = {"attended": 2, "no_show": 1, "late_cancel": 2, "timely_cancel": 2}
    counts |= {"clinic_cancel": 1, "rescheduled": 1, "unconfirmed": 1}
    expected = f"{' | '.join(f'{name}_count' for name in counts)}\n{' | '.join(map(str, counts.values()))}"
    assert engagement(EVERYTHING, expected) == lines(expected)


def test_the_denominator_is_what_was_held_open_for_the_client():
    """M11: attended / (attended + no-show + late cancel): 2 of 5."""
    expected = """
        held_open_count | attendance_share | no_show_share | late_cancel_share
        5               | 0.4              | 0.2           | 0.4
        """
    assert engagement(EVERYTHING, expected) == lines(expected)


def test_without_a_denominator_there_is_no_share_and_it_is_not_zero():
    appointments = "session_id | starts_at | status\ns1 | 2026-03-02 15:00 | scheduled"
    expected = """
        held_open_count | attendance_share | no_show_share | answered_session_share | median_gap_days | weekly_density
        0               |                  |               |                        |                 |
        """
    assert engagement(appointments, expected) == lines(expected)


def test_services_that_are_no_treatment_are_not_counted():
    appointments = """
        session_id | starts_at        | status   | service
        s1         | 2026-03-02 15:00 | no_show  | assessment
        s2         | 2026-03-09 15:00 | attended | therapy
        """
    expected = "attended_count | no_show_count | attendance_share\n1 | 0 | 1"
    assert engagement(appointments, expected, declared=clinic(["assessment"])) == lines(expected)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((2,), " |  | "),
        ((2, 9, 16, 23), "7 | 7 | 1"),
        ((2, 9, 30), "14 | 21 | 0.6"),  # 3 sessions in 28 days, which are 4 weeks, and one for the first
        ((2, 3), "1 | 1 | 1.75"),
        ((2, 2), "0 | 0 | 2"),
    ],
)
def test_gaps_and_density_are_those_between_attended_sessions(days, expected):
    """M12; a missed appointment between them counts for neither."""
    held = [f"s{n} | 2026-03-{day:02} {10 + n}:00 | attended" for n, day in enumerate(days)]
    appointments = "\n".join(["session_id | starts_at | status", *held, "m | 2026-03-31 15:00 | no_show"])
    like = "median_gap_days | longest_gap_days | weekly_density"
    assert engagement(appointments, like)[1:] == [expected]


def test_questionnaires_that_nobody_answered_are_not_answered():
    responses = """
        response_id | instrument | rater     | appointment_session_id | answers
        r1          | srs        | client    | s1                     | 9 9 9 9
        r2          | wai_sr     | therapist | s1                     | 3 3 3 3 3 3 3 3 3 3 3 3
        r3          | srs        | client    | s2                     | - - - -
        """
    expected = "questionnaire_count | answered_session_count | answered_session_share\n2 | 1 | 0.5"
    assert engagement(EVERYTHING, expected, responses) == lines(expected)
