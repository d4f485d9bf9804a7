"""Visits on several lines: one session, its lead, its status, and the ids that stay."""

import pytest

from tests.clinics.drawn import clinic, computed, lines, seen

PRACTICE = ("practice",)


@pytest.mark.parametrize(
    ("drawn", "status"),
    [
        ("no_show, attended", "attended"),
        ("scheduled, attended", "attended"),
        ("late_cancel, no_show", "no_show"),
        ("cancelled_by_client, late_cancel", "late_cancel"),
        ("cancelled_by_clinic, cancelled_by_client", "cancelled_by_client"),
        ("scheduled, cancelled_by_clinic", "cancelled_by_clinic"),
        ("scheduled, rescheduled", "rescheduled"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_weightiest_status_of_its_lines_is_the_visit_s(drawn, status, turned):
    first, second = drawn.split(", ")[:: -1 if turned else 1]
    found = computed(
        visits_of=PRACTICE,
        appointments=f"""
            session_id | starts_at        | status
            s1         | 2026-01-01 10:00 | {first}
            s2         | 2026-01-01 10:00 | {second}
            """,
    )
    expected = f"session_id | status\ns1 | {status}"
    assert seen(found["appointments"], expected) == lines(expected)


def test_a_therapist_whose_line_is_cancelled_was_not_there():
    found = computed(
        visits_of=PRACTICE,
        appointments="""
            session_id | starts_at        | status              | therapist_id
            s1         | 2026-01-01 10:00 | cancelled_by_clinic | tom
            s2         | 2026-01-01 10:00 | attended            | uma
            """,
    )
    expected = "session_id | therapist_id | is_lead\ns1 | uma | yes"
    assert seen(found["session_therapists"], expected) == lines(expected)


@pytest.mark.parametrize(
    ("minutes", "ends"),
    [
        ("50, 50", "10:50"),
        (", 50", "10:50"),
        ("50, ", "10:50"),
        (", ", "11:00"),
        ("50, 90", "10:50 11:30"),
        ("50, 90, ", "10:50 11:30"),
    ],
)
def test_lines_with_one_end_or_none_are_one_session_and_another_end_is_another(minutes, ends):
    drawn = [f"s{at} | 2026-01-01 10:00 | {each.strip()}" for at, each in enumerate(minutes.split(","))]
    found = computed(
        visits_of=PRACTICE,
        appointments="\n".join(["session_id | starts_at | duration_minutes", *drawn]),
    )
    assert [f"{at:%H:%M}" for at in found["sessions"]["ends_at"].sort()] == ends.split()


def test_lines_of_another_source_client_or_start_are_other_sessions():
    drawn = """
        session_id | source   | client_id | starts_at
        s1         | practice | ann       | 2026-01-01 10:00
        s2         | practice | ann       | 2026-01-01 10:00
        s3         | practice | ann       | 2026-01-01 11:00
        s4         | practice | bob       | 2026-01-01 10:00
        s5         | other    | ann       | 2026-01-01 10:00
        s6         | other    | ann       | 2026-01-01 10:00
        """
    kept = {
        visits: [row["session_id"] for row in computed(visits_of=visits, appointments=drawn)["sessions"].to_dicts()]
        for visits in ((), PRACTICE, ("practice", "other"))
    }
    assert {visits: sorted(ids) for visits, ids in kept.items()} == {
        (): ["s1", "s2", "s3", "s4", "s5", "s6"],
        PRACTICE: ["s1", "s3", "s4", "s5", "s6"],
        ("practice", "other"): ["s1", "s3", "s4", "s5"],
    }


def test_the_lead_is_whom_the_client_saw_in_most_earlier_sessions_of_the_episode_else_the_first_line_s():
    found = computed(
        visits_of=PRACTICE,
        appointments="""
            session_id | starts_at        | therapist_id | status
            a1         | 2026-01-01 10:00 | tom          | attended
            a2         | 2026-01-01 10:00 | uma          | attended
            b1         | 2026-01-08 10:00 | uma          | attended
            c1         | 2026-01-12 10:00 | tom          | no_show
            d1         | 2026-01-15 10:00 | tom          | attended
            d2         | 2026-01-15 10:00 | uma          | attended
            e1         | 2026-01-22 10:00 | vic          | attended
            e2         | 2026-01-22 10:00 | tom          | attended
            f1         | 2026-06-01 10:00 | tom          | attended
            f2         | 2026-06-01 10:00 | uma          | attended
            """,
    )
    expected = """
        session_id | therapist_id | session_number | dyad_session_number
        a1         | tom          | 1              | 1
        b1         | uma          | 2              | 1
        d1         | uma          | 3              | 2
        e1         | tom          | 4              | 2
        f1         | tom          | 1              | 1
        """
    assert seen(found["sessions"], expected) == lines(expected)
    expected = """
        session_id | therapist_id | is_lead
        a1         | tom          | yes
        a1         | uma          | no
        b1         | uma          | yes
        d1         | tom          | no
        d1         | uma          | yes
        e1         | tom          | yes
        e1         | vic          | no
        f1         | tom          | yes
        f1         | uma          | no
        """
    assert seen(found["session_therapists"], expected) == lines(expected)


def test_each_therapist_counts_one_session_where_lines_differ_in_service_alone():
    found = computed(
        clinic(not_treatment=["assessment"]),
        visits_of=PRACTICE,
        appointments="""
            session_id | starts_at        | therapist_id | service
            a1         | 2026-01-01 10:00 | tom          | assessment
            a2         | 2026-01-01 10:00 | tom          | therapy
            b1         | 2026-01-08 10:00 | tom          | assessment
            b2         | 2026-01-08 10:00 | tom          |
            c1         | 2026-01-15 10:00 | tom          | assessment
            c2         | 2026-01-15 10:00 | tom          | assessment
            """,
    )
    expected = """
        session_id | service    | is_treatment | session_number
        a1         | therapy    | yes          | 1
        b1         |            | yes          | 2
        c1         | assessment | no           |
        """
    assert seen(found["sessions"], expected) == lines(expected)
    expected = "therapist_id | session_count | client_count\ntom | 3 | 1"
    assert seen(found["therapists"], expected) == lines(expected)


FORMER = """
    session_id | starts_at        | therapist_id | status   | duration_minutes
    a0         | 2026-01-01 10:00 | tom          | attended | {minutes}
    """


@pytest.mark.parametrize("minutes", ["", "50", "45"])
def test_a_line_that_is_gone_leaves_its_id_and_nothing_else(minutes):
    found = computed(
        visits_of=PRACTICE,
        former_lines=FORMER.format(minutes=minutes),
        appointments="""
            session_id | starts_at        | therapist_id | status  | duration_minutes
            a1         | 2026-01-01 10:00 | uma          | no_show | 50
            b1         | 2026-01-08 10:00 | uma          | no_show | 50
            """,
    )
    expected = """
        session_id | appointment_id | therapist_id | status
        a0         | a0             | uma          | no_show
        b1         | b1             | uma          | no_show
        """
    assert seen(found["appointments"], expected) == lines(expected)


def test_a_line_that_was_alone_at_its_start_leaves_nothing():
    found = computed(
        visits_of=PRACTICE,
        former_lines=FORMER.format(minutes=50),
        appointments="session_id | starts_at\nb1 | 2026-01-08 10:00",
    )
    expected = "session_id\nb1"
    assert seen(found["appointments"], expected) == lines(expected)


def test_a_response_that_names_a_line_that_is_gone_is_of_the_visit():
    found = computed(
        visits_of=PRACTICE,
        former_lines=FORMER.format(minutes=""),
        appointments="""
            session_id | starts_at        | therapist_id
            a1         | 2026-01-01 10:00 | tom
            a2         | 2026-01-01 10:00 | uma
            """,
        responses="""
            response_id | instrument | rater  | appointment_session_id
            r0          | srs        | client | a0
            r1          | srs        | client | a1
            r2          | srs        | client | a2
            r3          | srs        | client | other
            """,
    )
    expected = """
        response_id | session_id | matched_by
        r0          | a0         | appointment
        r1          | a0         | appointment
        r2          | a0         | appointment
        r3          |            |
        """
    assert seen(found["responses"], expected) == lines(expected)
