"""OpenEMR's calendar, the table openemr_postcalendar_events: a recurring series is one row, and becomes its days.

A row without a client (pc_pid) is the clinic's own time. Codes of a site's own go into clinic.toml (status.words).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import polars as pl

from transforms.sources import bookings
from transforms.sources.opened import RECORD, Opened
from transforms.sources.task import Task
from warehouse.sources import Source

COLUMNS = {
    "appointment_id": "pc_eid",
    "client_id": "pc_pid",
    "therapist_id": "pc_aid",
    "starts_at": "starts_at",
    "duration_minutes": "duration_minutes",
    "service": "pc_catid",
    "site": "pc_facility",
}
NEEDED = ("pc_eid", "pc_pid", "pc_aid", "pc_eventDate", "pc_startTime", "pc_duration", "pc_apptstatus")
OPTIONAL = ("pc_catid", "pc_facility", "pc_endDate", "pc_recurrtype", "pc_recurrspec")
FARTHEST = timedelta(days=366)  # beyond the night, for a series without an end
_SPEC = re.compile(r's:\d+:"(\w+)";(?:s:\d+:"([^"]*)"|i:(-?\d+))')  # PHP's way of writing an array
DAYS, WEEKS, MONTHS, YEARS, WORKDAYS = range(5)


def read(opened: Opened, source: Source, task: Task) -> Iterator[tuple[str, pl.DataFrame]]:
    """Appointments, each day of a series one."""
    opened.need(NEEDED)
    absent = [name for name in OPTIONAL if name not in opened.want(list(OPTIONAL))]
    days = (_expanded(_with_absent(chunk, absent), task) for chunk in opened.chunks)
    made = Opened(opened.path, [*NEEDED, *OPTIONAL, "starts_at", "duration_minutes"], days)
    yield from bookings.read(made, source, task, COLUMNS)


def _with_absent(chunk: pl.DataFrame, absent: list[str]) -> pl.DataFrame:
    return chunk.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)


def _expanded(chunk: pl.DataFrame, task: Task) -> pl.DataFrame:
    """The chunk's clients' appointments; a series becomes a row a day, with the day in its id."""
    of_clients = chunk.filter(pl.col("pc_pid").str.strip_chars().replace("", None).is_not_null())
    recurs = pl.col("pc_recurrtype").str.strip_chars().is_in(["1", "2", "3"]).fill_null(False)
    last = task.as_of.date() + FARTHEST
    days = [
        {RECORD: row[RECORD], "day": day.isoformat()}
        for row in of_clients.filter(recurs).iter_rows(named=True)
        for day in series(row, last)
    ]
    told = pl.DataFrame(days, schema={RECORD: pl.Int32, "day": pl.String})
    repeated = (
        of_clients.filter(recurs)
        .join(told, on=RECORD)
        .with_columns(pl.concat_str("pc_eid", "day", separator="/").alias("pc_eid"), pc_eventDate=pl.col("day"))
    )
    seconds = pl.col("pc_duration").str.strip_chars().cast(pl.Int64, strict=False)
    return pl.concat([of_clients.filter(~recurs), repeated.drop("day")]).with_columns(
        starts_at=pl.concat_str("pc_eventDate", "pc_startTime", separator=" "),
        duration_minutes=(seconds // 60).cast(pl.String),
    )


def series(row: dict[str, str | None], last: date) -> Iterator[date]:
    """The days of a series, to its end or to the last day that is looked at, without those taken out of it."""
    first, until = _day(row["pc_eventDate"]), _day(row["pc_endDate"])
    if first is None:
        return
    spec = {key: text or number for key, text, number in _SPEC.findall(row["pc_recurrspec"] or "")}
    until = min(until or last, last)
    taken_out = set(re.findall(r"\d{8}", spec.get("exdate", "")))
    kind = (row["pc_recurrtype"] or "").strip()
    days = {"1": _every, "2": _on_weekday_of_month, "3": _on_weekdays}[kind](first, until, spec)
    yield from (day for day in days if f"{day:%Y%m%d}" not in taken_out)


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat((text or "").strip()[:10])
    except ValueError:
        return None
    return day if day.year > 1000 else None  # 1000-01-01 stands for none


def _number(spec: dict[str, str], key: str, default: int = 1) -> int:
    text = spec.get(key, "")
    return int(text) if text.isdigit() and int(text) else default


def _every(first: date, until: date, spec: dict[str, str]) -> Iterator[date]:
    """Every so many days, weeks, months, years or working days."""
    step, kind = _number(spec, "event_repeat_freq"), _number(spec, "event_repeat_freq_type", DAYS)
    day, turn = first, 0
    while day is not None and day <= until:
        if kind != WORKDAYS or day.weekday() < 5:
            yield day
        turn += step
        if kind in (MONTHS, YEARS):
            day = _months_on(first, turn * (12 if kind == YEARS else 1), until)
        else:
            day = first + timedelta(days=turn * (7 if kind == WEEKS else 1))


def _months_on(first: date, months: int, until: date) -> date | None:
    """The same day of a later month; its last day where it has no such day."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    if year > until.year:
        return None
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    return min(following - timedelta(days=1), date(year, month + 1, 1) + timedelta(days=first.day - 1))


def _on_weekdays(first: date, until: date, spec: dict[str, str]) -> Iterator[date]:
    """Every week on days of the week, 1 being Sunday."""
    days = {(int(number) + 5) % 7 for number in re.findall(r"[1-7]", spec.get("event_repeat_freq", ""))}
    for turn in range((until - first).days + 1):
        if (day := first + timedelta(days=turn)).weekday() in days:
            yield day


def _on_weekday_of_month(first: date, until: date, spec: dict[str, str]) -> Iterator[date]:
    """Every so many months on the first to fourth, or last (5), of a day of the week, 0 being Sunday."""
    number, weekday = _number(spec, "event_repeat_on_num"), (_number(spec, "event_repeat_on_day", 0) + 6) % 7
    start, turn = first.replace(day=1), 0
    while (month := _months_on(start, turn, until)) is not None and month <= until:
        days = [month + timedelta(days=n) for n in range(31) if (month + timedelta(days=n)).month == month.month]
        of_weekday = [day for day in days if day.weekday() == weekday]
        day = of_weekday[min(number, len(of_weekday)) - 1]
        if first <= day <= until:
            yield day
        turn += _number(spec, "event_repeat_on_freq")
