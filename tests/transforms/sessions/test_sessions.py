"""Sessions: attended appointments, numbered within their episode and dyad."""

import pytest

from tests.clinics.drawn import clinic, computed, lines, seen


def test_only_attended_appointments_are_sessions():
    found = computed(
        appointments="""
            session_id | starts_at        | status
            s1         | 2026-01-01 10:00 | attended
            s2         | 2026-01-02 10:00 | no_show
            s3         | 2026-01-03 10:00 | late_cancel
            s4         | 2026-01-04 10:00 | cancelled_by_client
            s5         | 2026-01-05 10:00 | cancelled_by_clinic
            s6         | 2026-01-06 10:00 | scheduled
            s7         | 2026-01-07 10:00 | rescheduled
            """
    )
    assert seen(found["sessions"], "session_id") == lines("session_id\ns1")


@pytest.mark.parametrize(
    ("hours", "became"),
    [(24, "cancelled_by_client stated | late_cancel derived"), (48, "late_cancel derived | late_cancel derived")],
)
def test_a_client_who_cancels_with_less_notice_than_the_clinic_asks_for_cancels_late(hours, became):
    found = computed(
        clinic(cancellation_notice_hours=hours),
        appointments="""
            session_id | starts_at        | status              | status_basis | cancelled_at
            s1         | 2026-03-30 15:00 | cancelled_by_client | stated       | 2026-03-29 15:00
            s2         | 2026-03-30 15:00 | cancelled_by_client | stated       | 2026-03-29 15:01
            s3         | 2026-03-30 15:00 | cancelled_by_clinic | stated       | 2026-03-30 14:00
            s4         | 2026-03-30 15:00 | cancelled_by_client | stated       |
            """,
    )["appointments"].sort("session_id")
    told = [f"{status} {basis}" for status, basis in found.select("status", "status_basis").iter_rows()]
    assert " | ".join(told[:2]) == became
    assert told[2:] == ["cancelled_by_clinic stated", "cancelled_by_client stated"]


def test_sessions_count_within_episode_and_dyad_and_services_that_are_no_treatment_do_not_count():
    found = computed(
        clinic(not_treatment=["assessment"]),
        appointments="""
            session_id | starts_at        | therapist_id | service
            s1         | 2026-01-01 10:00 | tom          | therapy
            s2         | 2026-01-08 10:00 | tom          | assessment
            s3         | 2026-01-15 10:00 | uma          |
            s4         | 2026-01-22 10:00 | tom          | therapy
            s5         | 2026-06-01 10:00 | tom          | therapy
            """,
    )
    expected = """
        session_id | is_treatment | session_number | dyad_session_number | days_since_previous
        s1         | yes          | 1              | 1                   |
        s2         | no           |                |                     |
        s3         | yes          | 2              | 1                   | 14
        s4         | yes          | 3              | 2                   | 7
        s5         | yes          | 1              | 1                   |
        """
    assert seen(found["sessions"], expected) == lines(expected)


def test_two_sessions_on_one_day_count_in_the_order_of_their_times():
    found = computed(
        appointments="session_id | starts_at\ns1 | 2026-01-01 15:00\ns2 | 2026-01-01 09:00",
    )
    expected = "session_id | session_number\ns1 | 2\ns2 | 1"
    assert seen(found["sessions"], expected) == lines(expected)


def test_a_session_of_unknown_length_counts_as_an_hour():
    found = computed(
        appointments="session_id | starts_at | duration_minutes\ns1 | 2026-01-01 10:00 | 50\ns2 | 2026-01-02 10:00 |",
    )
    expected = "session_id | ends_at\ns1 | 2026-01-01 10:50\ns2 | 2026-01-02 11:00"
    assert seen(found["sessions"], expected) == lines(expected)


def test_day_weekday_and_hour_are_those_of_the_wall_clock_not_of_utc():
    found = computed(
        appointments="""
            session_id | starts_at        | starts_local
            s1         | 2026-03-10 01:00 | 2026-03-09 20:00
            """
    )
    expected = "session_id | session_date | weekday | hour\ns1 | 2026-03-09 | 1 | 20"
    assert seen(found["appointments"], expected) == lines(expected)


@pytest.mark.parametrize(
    ("birth_date", "band"),
    [
        ("2020-06-02", "other"),
        ("2020-06-01", "child"),
        ("2013-06-02", "child"),
        ("2013-06-01", "teen"),
        ("2008-06-02", "teen"),
        ("2008-06-01", "young_adult"),
        ("2000-06-02", "young_adult"),
        ("2000-06-01", "other"),
    ],
)
def test_the_age_band_changes_on_the_6th_13th_18th_and_26th_birthday(birth_date, band):
    found = computed(
        births=f"client_id | birth_date\nann | {birth_date}",
        appointments="session_id | starts_at\ns1 | 2026-06-01 10:00",
    )
    assert found["sessions"]["age_band"].to_list() == [band]


def test_without_a_birth_date_there_is_no_age_band():
    found = computed(appointments="session_id | starts_at\ns1 | 2026-06-01 10:00")
    assert found["sessions"]["age_band"].to_list() == [None]


def test_a_client_has_first_last_and_number_of_sessions_and_of_episodes_also_when_there_are_none():
    found = computed(
        appointments="""
            session_id | client_id | starts_at        | status
            s1         | ann       | 2026-01-01 10:00 | attended
            s2         | ann       | 2026-06-01 10:00 | attended
            s3         | bob       | 2026-06-01 10:00 | no_show
            """
    )
    expected = """
        client_id | session_count | first_session_on | last_session_on | episode_count
        ann       | 2             | 2026-01-01       | 2026-06-01      | 2
        bob       | 0             |                  |                 | 0
        """
    assert seen(found["clients"], expected) == lines(expected)


def test_a_therapist_has_sessions_and_clients_and_one_without_a_session_has_no_row():
    found = computed(
        appointments="""
            session_id | client_id | starts_at        | therapist_id | status
            s1         | ann       | 2026-01-01 10:00 | tom          | attended
            s2         | bob       | 2026-01-02 10:00 | tom          | attended
            s3         | ann       | 2026-01-03 10:00 | tom          | attended
            s4         | ann       | 2026-01-04 10:00 | uma          | no_show
            s5         | ann       | 2026-01-05 10:00 |              | attended
            """
    )
    expected = "therapist_id | session_count | client_count\ntom | 3 | 2"
    assert seen(found["therapists"], expected) == lines(expected)
