"""`rapport freshness`: wrong in neither direction, whatever a month of nights did."""

import os
import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rapport.flows.ops.freshness import judge
from rapport.warehouse.clinic_file.schedule import schedule_of
from rapport.warehouse.published.current_load import PublishedLoad
from tests.clinics.nights import ROOT

MONTHS = (
    ("America/New_York", 2026, 3),
    ("America/New_York", 2026, 11),
    ("Australia/Lord_Howe", 2026, 4),
    ("UTC", 2026, 6),
)
READY = timedelta(hours=3)
HOLIDAYS = (9, 10, 20)
NO_TIME = "not an ISO 8601 time such as 2026-11-22T03:00, of the years 1970 to 2199"


def simulated(zone: ZoneInfo, year: int, month: int, chance: random.Random) -> list[tuple[datetime, datetime]]:
    """A month's publications: when, and of which clock. Nights fail, last long, are run again by hand, or never run."""
    made = []
    for day in range(1, 31):
        due = datetime(year, month, day, 3, tzinfo=zone).astimezone(UTC)
        fate = chance.choice(("well",) * 5 + ("slow", "mended", "lost"))
        if fate in ("well", "slow"):
            made.append((due + timedelta(minutes=chance.randint(1, 170 if fate == "well" else 400)), due))
        if fate == "mended":
            began = due + timedelta(hours=chance.randint(1, 20))
            made.append((began + timedelta(minutes=5), began))
    return sorted(made)


def should_alarm(zone: ZoneInfo, month: tuple[int, int], made: list, now: datetime) -> bool:
    """Whether a person with a calendar would: an open day's night should be ready and none as late is published."""
    nights = (datetime(*month, day, 3, tzinfo=zone).astimezone(UTC) for day in range(1, 31) if _is_open(*month, day))
    wanted = [night for night in nights if night + READY <= now]
    return bool(wanted) and not any(at <= now and as_of >= wanted[-1] for at, as_of in made)


def _is_open(year: int, month: int, day: int) -> bool:
    return day not in HOLIDAYS and datetime(year, month, day, tzinfo=UTC).weekday() < 5


@pytest.mark.parametrize("name, year, month", MONTHS)
def test_over_a_month_it_alarms_when_a_person_with_a_calendar_would_and_never_else(name, year, month):
    zone, chance = ZoneInfo(name), random.Random(f"{name} {month}")
    holidays = [f"{year}-{month:02d}-{day:02d}" for day in HOLIDAYS]
    facts = {"time_zone": name, "closed": ["saturday", "sunday"], "holidays": holidays}
    schedule, alarms = schedule_of(facts), 0
    for _ in range(4):
        made = simulated(zone, year, month, chance)
        for quarters in range(4 * 24, 27 * 4 * 24, 3):
            now = datetime(year, month, 2, tzinfo=UTC) + timedelta(minutes=15 * quarters)
            stands = max(((at, as_of) for at, as_of in made if at <= now), default=None)
            if stands is None:
                continue
            expected = should_alarm(zone, (year, month), made, now)
            assert judge(schedule, PublishedLoad(1, stands[1]), now).is_fresh != expected, (now, stands)
            alarms += expected
    assert 100 < alarms < 3000


def ask(place, as_of: str) -> tuple[int, str]:
    command = [
        sys.executable,
        "-m",
        "rapport",
        "freshness",
        "--clinic",
        place.clinic,
        "--warehouse",
        place.warehouse,
    ]
    done = subprocess.run([*command, "--as-of", as_of], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("as_of", "status", "said"),
    [
        ("2026-11-18T23:00", 0, "fresh: load 1 of Wednesday 2026-11-18 12:00 is published\n"),
        ("2026-11-19T05:59", 0, "fresh: load 1 of Wednesday 2026-11-18 12:00 is published\n"),
        (
            "2026-11-19T06:00",
            1,
            "stale: the night due on Thursday 2026-11-19 03:00 should have published by Thursday 2026-11-19 06:00, "
            "and load 1 of Wednesday 2026-11-18 12:00 stands; see RUNBOOK.md, 'Stale'\n",
        ),
        (
            "2026-11-18T08:00",
            1,
            "not known: load 1 of Wednesday 2026-11-18 12:00 is later than this machine's clock; set the clock\n",
        ),
        *(
            (given, 1, f"not known: --as-of '{given}' is {NO_TIME}\n")
            for given in ("morning", "9999-12-31T23:59", "0001-01-01")
        ),
    ],
)
def test_it_says_one_line_and_ends_with_0_or_1(published, as_of, status, said):
    assert ask(published, as_of) == (status, said)


def test_what_cannot_be_known_is_not_fresh(yesterday):
    version = yesterday.published.resolve()
    version.chmod(0o600)
    version.write_bytes(b"spoilt")
    assert ask(yesterday, "2026-11-18T23:00")[0] == 1
    version.unlink()
    assert "is not a link to a kept version" in ask(yesterday, "2026-11-18T23:00")[1]
    shutil.rmtree(yesterday.warehouse)
    assert ask(yesterday, "2026-11-18T23:00")[1].startswith("stale: the night due on Wednesday 2026-11-18 03:00")
    assert ask(yesterday, "2026-11-18T23:00")[1].count("and nothing yet stands") == 1
    yesterday.clinic.write_text('time_zone = "Chicago"')
    assert ask(yesterday, "2026-11-18T23:00")[1].startswith("not known: clinic file clinic.toml: time_zone = 'Chicago'")


def test_it_needs_neither_prefect_nor_polars_nor_great_expectations():
    heavy = ("prefect", "polars", "great_expectations", "pandas", "pyarrow", "scipy", "rich", "apprise")
    code = f"import sys, rapport.flows.ops.freshness; print([name for name in {heavy} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"


def test_it_costs_less_than_a_second_of_processor(published):
    before = os.times()
    ask(published, "2026-11-18T23:00")
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1
