"""When nights are due: cron lines read as Prefect reads them, in the clinic's zone, never on a closed day."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from rapport.warehouse.clinic_file.schedule import schedule_of

LINES = (
    "0 3 * * *",
    "30 22 * * 1-5",
    "*/20 4-5 * * *",
    "0 3 1,15 * 1",
    "15 6 * jan-mar,nov sun",
    "0 2 29 2 *",
    "0 3 * * 5-7",
)


def schedule(cron: str, zone: str = "UTC", **more):
    return schedule_of({"time_zone": zone, "schedule": cron, "ready_within": "1 hour", **more})


@pytest.mark.parametrize("cron", LINES)
def test_nights_are_due_when_an_independent_reading_of_the_line_says(cron):
    start, ours = datetime(2027, 10, 1, tzinfo=UTC), set()
    theirs, fired = CronSim(cron, start), set()
    for at in theirs:
        if at >= start + timedelta(days=300):
            break
        fired.add(at)
    for hours in range(300 * 24 * 3):
        due = schedule(cron).last_due(start + timedelta(minutes=20 * hours + 60)) if hours % 7 == 0 else None
        if due and due.begins_at >= start:
            ours.add(due.begins_at)
    assert ours <= fired
    assert not [at for at in fired if at not in ours and not _is_followed_soon(at, fired)]


def _is_followed_soon(at, fired) -> bool:
    """Whether another firing came before the next look, so that the first was never the latest."""
    return any(at < other <= at + timedelta(minutes=140) for other in fired) or max(fired) == at


@pytest.mark.parametrize(
    ("now", "begins", "ready"),
    [
        ("2026-03-08T12:00", "2026-03-08T06:30", "2026-03-08T08:30"),  # 02:30 is missing: Prefect fires at 01:30
        ("2026-11-01T12:00", "2026-11-01T07:30", "2026-11-01T08:30"),  # 02:30 comes once, after the change
    ],
)
def test_where_clocks_change_a_night_may_begin_at_the_first_instant_that_the_time_can_mean(now, begins, ready):
    due = schedule("30 2 * * *", "America/New_York").last_due(datetime.fromisoformat(now).replace(tzinfo=UTC))
    told = [at.astimezone(UTC).isoformat()[:16] for at in (due.begins_at, due.ready_at)]
    assert told == [begins, ready]


def test_an_hour_that_comes_twice_is_waited_for_until_its_second_time():
    due = schedule("30 1 * * *", "America/New_York").last_due(datetime(2026, 11, 1, 12, tzinfo=UTC))
    assert due.ready_at - due.begins_at == timedelta(hours=2)


@pytest.mark.parametrize(
    ("more", "open_days"),
    [
        ({"closed": ["sunday"]}, "mon tue wed thu fri sat"),
        ({"closed": ["saturday", "sunday"], "holidays": ["2026-11-26", "2026-11-23 to 2026-11-24"]}, "wed fri"),
        ({"schedule": "0 23 * * *", "closed": ["sunday"]}, "mon tue wed thu fri sat"),
    ],
)
def test_a_night_counts_when_it_should_be_ready_on_a_day_on_which_the_clinic_is_open(more, open_days):
    zone = ZoneInfo("America/Chicago")
    facts = {"time_zone": zone.key, "ready_within": "2 hours", **more}
    nights = (schedule_of(facts).last_due(datetime(2026, 11, day, 23, tzinfo=zone)) for day in range(23, 30))
    ready = {
        night.ready_at.astimezone(zone).date()
        for night in nights
        if night.ready_at > datetime(2026, 11, 23, 0, tzinfo=zone)
    }
    assert " ".join(f"{day:%a}".lower() for day in sorted(ready)) == open_days
