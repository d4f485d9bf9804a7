"""The schedule of nights: the clinic's cron line in its own zone, and the days on which the clinic is closed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rapport.warehouse.toml_files import read_toml, refusing
from rapport.warehouse.toml_keys.keys import TOP, keys_of, read
from rapport.warehouse.toml_keys.kinds import time_span

WEEKDAYS = keys_of("schedule")["closed"].words  # Sunday first
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# The fields of a cron line: lowest number, highest number, and words for the numbers.
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day", 1, 31, {}),
    ("month", 1, 12, {name: place for place, name in enumerate(_MONTHS, start=1)}),
    ("weekday", 0, 7, {name[:3]: place for place, name in enumerate(WEEKDAYS)}),
)
LOOKS_BACK = 400  # days: enough to find a yearly night
LONGEST_NIGHT = 31  # days: a longer limit would never report a missed night
FIRST_OF_ALL, EVERY_DAY = date(2024, 1, 1), 4 * 366  # these days include every day of the calendar


@dataclass(frozen=True)
class Due:
    """A night that is due: its earliest start, and the time by which it should have published."""

    begins_at: datetime
    ready_at: datetime


@dataclass(frozen=True)
class Schedule:
    """A cron line in a zone, the longest duration of a night, and the days on which the clinic is closed."""

    cron: str
    zone: ZoneInfo
    ready_within: timedelta
    closed: frozenset[int]  # weekdays, Sunday is 0
    holidays: tuple[tuple[date, date], ...]  # first and last days

    def last_due(self, now: datetime) -> Due | None:
        """Return the latest night that should have published by now; None where there is none."""
        return next((due for due in self._backwards(now) if due.ready_at <= now), None)

    def is_open(self, day: date) -> bool:
        """Return whether the clinic is open on that day."""
        is_holiday = any(first <= day <= last for first, last in self.holidays)
        return not is_holiday and day.isoweekday() % 7 not in self.closed

    def _backwards(self, now: datetime) -> Iterator[Due]:
        """Yield the nights whose results are due on a day on which the clinic is open, latest first."""
        minutes, hours, *days = read_cron(self.cron)
        today = now.astimezone(self.zone).date()
        for back in range(-1, LOOKS_BACK):
            day = today - timedelta(days=back)
            if _fires_on(day, days):
                for hour in reversed(hours):
                    for minute in reversed(minutes):
                        due = self._due(datetime.combine(day, time(hour, minute)))
                        if self.is_open(due.ready_at.astimezone(self.zone).date()):
                            yield due

    def _due(self, local: datetime) -> Due:
        """Return the night of a wall-clock time. When the clocks change, this may be two instants: the first counts."""
        instants = sorted(local.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        return Due(instants[0], instants[1] + self.ready_within)


def _fires_on(day: date, fields: list[tuple[int, ...]]) -> bool:
    """Return whether a cron line matches a day. As in cron: if day and weekday are both restricted, one is enough."""
    days, months, weekdays = fields
    by_day, by_weekday = day.day in days, day.isoweekday() % 7 in weekdays
    either = len(days) < 31 and len(set(weekdays) - {7}) < 7
    return day.month in months and (by_day or by_weekday if either else by_day and by_weekday)


def read_cron(line: str) -> list[tuple[int, ...]]:
    """Return the numbers of each of a cron line's five fields. Raises ValueError."""
    words = line.split()
    if len(words) != 5:
        raise ValueError(f"schedule = '{line}' is not a cron line of five fields such as '0 3 * * *'")
    try:
        minutes, hours, days, months, weekdays = (
            _numbers(word.lower(), *field[1:]) for word, field in zip(words, _FIELDS, strict=True)
        )
    except ValueError as error:
        raise ValueError(f"schedule = '{line}': {error}; a cron line is for example '0 3 * * 1-6'") from None
    return [minutes, hours, days, months, tuple(sorted({number % 7 for number in weekdays}))]


def _numbers(word: str, least: int, most: int, names: Mapping[str, int]) -> tuple[int, ...]:
    found: set[int] = set()
    for part in word.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = ("", "-", "") if span == "*" else span.partition("-")
        start = _number(first, names) if first else least
        end = _number(last, names) if last else most if span == "*" or slash else start
        if (
            not span
            or not least <= start <= end <= most
            or (slash and not (_is_digits(step) and int(step)))
            or (dash and span != "*" and not (first and last))
        ):
            raise ValueError(f"'{part}' is not within {least} to {most}")
        found |= set(range(start, end + 1, int(step or 1)))
    return tuple(sorted(found))


def _number(word: str, names: Mapping[str, int]) -> int:
    if word in names:
        return names[word]
    if not _is_digits(word):
        raise ValueError(f"'{word}' is not a number")
    return int(word)


def _is_digits(word: str) -> bool:
    """Return whether a word is a number that cron accepts: few digits, 0 to 9 only."""
    return word.isascii() and word.isdigit() and len(word) <= 4


def schedule_of(facts: Mapping[str, object]) -> Schedule:
    """Return the schedule in a clinic file. Raises ValueError with the key."""
    keys = keys_of("schedule")
    told = read(TOP, {key: value for key, value in facts.items() if key in keys}, keys)
    cron = told["schedule"]
    days = read_cron(cron)[2:]
    if not any(_fires_on(FIRST_OF_ALL + timedelta(days=after), days) for after in range(EVERY_DAY)):
        raise ValueError(f"schedule = '{cron}' names a day that never comes")
    return Schedule(
        cron=cron,
        zone=ZoneInfo(told["time_zone"]),
        ready_within=time_span("ready_within", told["ready_within"], LONGEST_NIGHT),
        closed=frozenset(map(WEEKDAYS.index, told["closed"])),
        holidays=tuple(_holiday(text) for text in told["holidays"]),
    )


def _holiday(text: str) -> tuple[date, date]:
    first, _, last = text.partition(" to ")
    try:
        days = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        days = date.max, date.min
    if days[0] > days[1]:
        raise ValueError(f"holidays names '{text}', which is neither '2026-12-25' nor '2026-12-24 to 2027-01-01'")
    return days


def read_schedule(path: Path) -> Schedule:
    """Return the schedule of a clinic file, without reading its other keys. Raises Unusable."""
    facts = read_toml(path, "clinic file", "check --clinic")
    with refusing(f"clinic file {path.name}"):
        return schedule_of(facts)
