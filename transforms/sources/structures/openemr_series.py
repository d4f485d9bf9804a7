"""The days of a recurring series of OpenEMR's calendar, as its columns pc_recurrtype and pc_recurrspec say them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

NO_VALUE = ("", "NULL", "\\N")  # as MySQL writes it
DAYS, WEEKS, MONTHS, YEARS, WORKDAYS = range(5)
_SPEC = re.compile(r's:[0-9]+:"(\w+)";(?:s:[0-9]+:"([^"]*)"|i:(-?[0-9]+))')  # PHP's way of writing an array


class Unread(ValueError):
    """A column of a series that cannot be read."""


def series(row: dict[str, str | None], last: date) -> Iterator[date]:
    """The days of a series, to its end or to the last day that is looked at. Raises Unread with a column's name."""
    first, until = _day(row, "pc_eventDate"), _day(row, "pc_endDate")
    if first is None:
        raise Unread("pc_eventDate")
    kind = (row["pc_recurrtype"] or "").strip()
    days = {"1": _every, "2": _on_weekday_of_month, "3": _on_weekdays}[kind]
    return days(first, min(until or last, last), _spec(row))


def _day(row: dict[str, str | None], column: str) -> date | None:
    text = (row[column] or "").strip()
    if text in NO_VALUE or text.startswith("0000-00-00"):
        return None
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        raise Unread(column) from None
    return day if day.year > 1000 else None  # 1000-01-01 stands for none


def _spec(row: dict[str, str | None]) -> dict[str, str]:
    found = {key: text or number for key, text, number in _SPEC.findall(row["pc_recurrspec"] or "")}
    if not found:
        raise Unread("pc_recurrspec")
    return found


def taken_out(row: dict[str, str | None]) -> set[str]:
    """The days that are taken out of a series, as YYYYMMDD."""
    days = re.split(r"[\s,;]+", _spec(row).get("exdate", "").strip())
    if not all(re.fullmatch(r"[0-9]{8}|", day) for day in days):
        raise Unread("pc_recurrspec")
    return set(days)


def _number(spec: dict[str, str], key: str, default: int = 1) -> int:
    text = spec.get(key, "").strip()
    if not re.fullmatch(r"[0-9]{0,4}", text):
        raise Unread("pc_recurrspec")
    return int(text or 0) or default


def _every(first: date, until: date, spec: dict[str, str]) -> Iterator[date]:
    """Every so many days, weeks, months, years or working days."""
    step, kind = _number(spec, "event_repeat_freq"), _number(spec, "event_repeat_freq_type", DAYS)
    if kind not in (DAYS, WEEKS, MONTHS, YEARS, WORKDAYS):
        raise Unread("pc_recurrspec")
    day: date | None = first
    turn = 0
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
    told = re.findall(r"\d+", spec.get("event_repeat_freq", ""))
    if not told or not set(told) <= set("1234567"):
        raise Unread("pc_recurrspec")
    days = {(int(number) + 5) % 7 for number in told}
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
