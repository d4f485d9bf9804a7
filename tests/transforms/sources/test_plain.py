"""The plain format: appointments, episodes and clients."""

from datetime import UTC, datetime

import pytest

from rapport.warehouse.errors import Refused
from tests.clinics.drawn import lines, seen
from tests.clinics.reading import Reading

LISTS = '[lists]\nservice = ["therapy"]\nsite = ["north"]\nprogram = ["dbt"]\nreferral_source = ["school"]\n'


def appointments(tmp_path, drawn: str) -> Reading:
    return Reading(tmp_path, LISTS, drawn, "appointments")


def test_an_appointment_with_the_needed_columns_alone_is_whole(tmp_path):
    found = appointments(tmp_path, "appointment_id|client_id|starts_at|status\na1|007|2026-03-02 15:00|attended")
    expected = """
        record_number | appointment_id | client_id | starts_at        | starts_local     | status   | unreadable
        1             | a1             | 007       | 2026-03-02 21:00 | 2026-03-02 15:00 | attended |
        """
    assert seen(found.rows("appointments"), expected) == lines(expected)


@pytest.mark.parametrize("missing", ["appointment_id", "client_id", "starts_at", "status"])
def test_a_needed_column_that_is_missing_is_named(tmp_path, missing):
    columns = [name for name in ("appointment_id", "client_id", "starts_at", "status") if name != missing]
    with pytest.raises(Refused, match=f"has no column '{missing}'"):
        appointments(tmp_path, "|".join(columns) + "\n" + "|".join("x" for _ in columns))


def test_an_appointment_still_to_come_is_scheduled_whatever_it_says_and_is_reread_when_it_has_begun(tmp_path):
    found = appointments(
        tmp_path,
        """
appointment_id | client_id | starts_at            | status
a1             | c1        | 2026-03-15T09:00:00Z | attended
a2             | c1        | 2026-03-15T10:00:00Z | Attended
a3             | c1        | 2026-03-15T09:30:00Z | no_show
a4             | c1        | 2026-03-15T09:10:00Z | scheduled
a5             | c1        | 2026-03-16T09:00:00Z | came late
""",
    )
    expected = """
        appointment_id | status
        a1             | attended
        a2             | scheduled
        a3             | scheduled
        a4             | scheduled
        a5             | unknown
        """
    assert seen(found.rows("appointments"), expected) == lines(expected)
    assert found.task.rereads_at == datetime(2026, 3, 15, 9, 30, tzinfo=UTC)


def test_a_file_whose_future_is_only_scheduled_needs_no_rereading(tmp_path):
    drawn = "appointment_id|client_id|starts_at|status\na1|c1|2026-03-16T09:00:00Z|scheduled"
    assert appointments(tmp_path, drawn).task.rereads_at is None


def test_values_that_cannot_be_read_are_null_and_their_columns_are_named(tmp_path):
    found = appointments(
        tmp_path,
        """
appointment_id | client_id | starts_at        | status   | duration_minutes | cancelled_at
a1             | c1        | 2026-02-30 10:00 | attended | 50               |
a2             | c1        | 2026-02-28 10:00 | attended | an hour          | yesterday
a3             |           |                  |          |                  |
""",
    )
    expected = """
        appointment_id | client_id | starts_at        | status   | duration_minutes | unreadable
        a1             | c1        |                  | attended | 50               | starts_at
        a2             | c1        | 2026-02-28 16:00 | attended |                  | cancelled_at duration_minutes
        a3             |           |                  |          |                  |
        """
    assert seen(found.rows("appointments"), expected) == lines(expected)


def test_a_text_that_is_not_listed_becomes_other_and_is_counted(tmp_path):
    found = appointments(
        tmp_path,
        """
appointment_id | client_id | starts_at        | status   | service        | site
a1             | c1        | 2026-03-02 10:00 | attended | therapy        | north
a2             | c1        | 2026-03-03 10:00 | attended | Dr Smith's     | other
a3             | c1        | 2026-03-04 10:00 | attended |                | south
a4             | c1        | 2026-03-05 10:00 | attended | Therapy        |
""",
    )
    expected = """
        appointment_id | service | site
        a1             | therapy | north
        a2             | other   | other
        a3             |         | other
        a4             | other   |
        """
    assert seen(found.rows("appointments"), expected) == lines(expected)
    assert (found.task.unlisted["service"], found.task.unlisted["site"]) == (2, 1)


def test_wall_clock_times_at_a_change_of_clocks_are_counted(tmp_path):
    found = appointments(
        tmp_path,
        """
appointment_id | client_id | starts_at                 | status
a1             | c1        | 2025-03-09 02:30          | attended
a2             | c1        | 2025-11-02 01:30          | attended
a3             | c1        | 2025-11-02 01:45          | attended
a4             | c1        | 2025-11-02T01:30:00-06:00 | attended
""",
    )
    assert found.task.clock_changes == {"missing": 1, "ambiguous": 2}


def test_episodes_and_their_days_and_words(tmp_path):
    found = Reading(
        tmp_path,
        LISTS,
        """
episode_id | client_id | opened_on  | closed_on  | closure | program | referral_source
e1         | c1        | 2026-01-05 | 2026-02-01 | Planned | dbt     | aunt Jane
e2         | c2        | 2026-01-32 |            | moved   |         | school
""",
        "episodes",
    )
    expected = """
        episode_id | opened_on  | closed_on  | closure | program | referral_source | unreadable
        e1         | 2026-01-05 | 2026-02-01 | planned | dbt     | other           |
        e2         |            |            | unknown |         | school          | opened_on
        """
    assert seen(found.rows("episodes"), expected) == lines(expected)


def test_a_birth_date_before_1900_or_after_today_is_not_read(tmp_path):
    found = Reading(
        tmp_path,
        "",
        """
client_id | birth_date | sex
c1        | 2010-03-05 | Female
c2        | 1899-12-31 | x
c3        | 2026-03-16 |
c4        |            | male
""",
        "clients",
    )
    expected = """
        client_id | birth_date | sex     | unreadable
        c1        | 2010-03-05 | female  |
        c2        |            | unknown | birth_date
        c3        |            |         | birth_date
        c4        |            | male    |
        """
    assert seen(found.rows("clients"), expected) == lines(expected)


def test_the_time_of_the_export_may_be_a_column_and_the_latest_counts(tmp_path):
    source = '[sources.people]\nrecords = "clients"\nfiles = "*"\nexported_at = "made"\n'
    found = Reading(tmp_path, source, "client_id|made\nc1|2026-03-01 08:00\nc2|2026-03-02 08:00\nc3|", "people")
    assert found.task.exported_at == datetime(2026, 3, 2, 14, tzinfo=UTC)
