"""Episodes of care: given ones win within their dates; gaps of more than 90 days make the rest."""

import pytest

from tests.clinics.drawn import clinic, computed, lines, seen


def test_91_days_without_a_session_begin_a_new_episode_and_90_do_not():
    found = computed(
        appointments="""
            session_id | starts_at
            s1         | 2026-01-01 10:00
            s2         | 2026-04-01 10:00
            s3         | 2026-07-01 10:00
            """
    )
    expected = """
        episode_id | episode_number | opened_on  | closed_on | is_derived
        1s         | 1              | 2026-01-01 |           | yes
        3s         | 2              | 2026-07-01 |           | yes
        """
    assert seen(found["episodes"], expected) == lines(expected)


def test_gaps_are_counted_for_each_client_alone():
    found = computed(
        appointments="""
            session_id | client_id | starts_at
            s1         | ann       | 2026-01-01 10:00
            s2         | bob       | 2026-02-20 10:00
            s3         | ann       | 2026-04-10 10:00
            """
    )
    expected = """
        client_id | opened_on
        ann       | 2026-01-01
        ann       | 2026-04-10
        bob       | 2026-02-20
        """
    assert seen(found["episodes"], expected) == lines(expected)


def test_a_given_episode_holds_the_sessions_of_its_first_and_last_day_and_gaps_make_the_rest():
    found = computed(
        episodes="""
            episode_id | opened_on  | closed_on  | closure
            e1         | 2026-02-01 | 2026-02-28 | planned
            """,
        appointments="""
            session_id | starts_at
            s1         | 2026-01-31 10:00
            s2         | 2026-02-01 10:00
            s3         | 2026-02-28 23:00
            s4         | 2026-03-01 00:30
            """,
    )
    expected = """
        session_id | episode_id | session_number
        s1         | 1s         | 1
        s2         | e1         | 1
        s3         | e1         | 2
        s4         | 1s         | 2
        """
    assert seen(found["sessions"], expected) == lines(expected)


def test_a_given_episode_without_a_closing_day_goes_on_however_long_the_gap():
    found = computed(
        episodes="episode_id | opened_on\ne1 | 2026-01-01",
        appointments="session_id | starts_at\ns1 | 2026-01-05 10:00\ns2 | 2026-10-05 10:00",
    )
    expected = "session_id | episode_id\ns1 | e1\ns2 | e1"
    assert seen(found["sessions"], expected) == lines(expected)


def test_of_given_episodes_that_overlap_the_one_opened_last_holds_the_session():
    found = computed(
        episodes="episode_id | opened_on\ne1 | 2026-01-01\ne2 | 2026-02-01",
        appointments="session_id | starts_at\ns1 | 2026-01-31 10:00\ns2 | 2026-02-01 10:00",
    )
    expected = "session_id | episode_id\ns1 | e1\ns2 | e2"
    assert seen(found["sessions"], expected) == lines(expected)


@pytest.mark.parametrize("record", ["no_show |", "late_cancel |", "scheduled |", "attended | assessment"])
def test_only_attended_treatment_sessions_bridge_a_gap(record):
    found = computed(
        clinic(not_treatment=["assessment"]),
        appointments=f"""
            session_id | starts_at        | status   | service
            s1         | 2026-01-01 10:00 | attended |
            s2         | 2026-02-20 10:00 | {record}
            s3         | 2026-04-10 10:00 | attended |
            """,
    )
    expected = "opened_on\n2026-01-01\n2026-04-10"
    assert seen(found["episodes"], expected) == lines(expected)


def test_an_appointment_up_to_90_days_after_a_session_belongs_to_its_derived_episode():
    found = computed(
        appointments="""
            session_id | starts_at        | status
            a1         | 2025-12-31 10:00 | no_show
            s1         | 2026-01-01 10:00 | attended
            a2         | 2026-04-01 10:00 | no_show
            a3         | 2026-04-02 10:00 | no_show
            """
    )
    expected = """
        session_id | episode_id
        a1         |
        s1         | 1s
        a2         | 1s
        a3         |
        """
    assert seen(found["appointments"], expected) == lines(expected)


def test_age_at_opening_is_completed_years_also_on_the_birthday_itself():
    found = computed(
        births="client_id | birth_date\nann | 2010-03-05\nbob | 2010-03-06\ncyd | 2027-01-01",
        episodes="""
            episode_id | client_id | opened_on
            e1         | ann       | 2026-03-05
            e2         | bob       | 2026-03-05
            e3         | cyd       | 2026-03-05
            e4         | dan       | 2026-03-05
            """,
    )
    expected = "episode_id | age_at_opening\ne1 | 16\ne2 | 15\ne3 |\ne4 |"
    assert seen(found["episodes"], expected) == lines(expected)


def test_of_an_episode_that_two_sources_give_the_newest_export_counts():
    found = computed(
        episodes="""
            episode_id | source | exported_at      | opened_on  | program
            e1         | older  | 2026-01-01 00:00 | 2026-01-01 | dbt
            e1         | newer  | 2026-01-02 00:00 | 2026-01-01 | cbt
            """
    )
    expected = "episode_id | program\ne1 | cbt"
    assert seen(found["episodes"], expected) == lines(expected)
