"""Completed years on a day, for every pair of months: the birthday itself counts."""

from datetime import date, timedelta

import polars as pl

from rapport.transforms.sessions.age import years_on


def years(days: list[date], births: list[date]) -> list[int | None]:
    return pl.DataFrame({"day": days, "birth_date": births}).select(years=years_on("day"))["years"].to_list()


def test_a_year_is_completed_on_the_birthday_and_not_the_day_before():
    births = [date(2012, 1, 1) + timedelta(days=n) for n in range(365) if n != 59]  # 29 February has its own test
    birthdays = [born.replace(year=2026) for born in births]
    assert set(years(birthdays, births)) == {14}
    assert set(years([day - timedelta(days=1) for day in birthdays], births)) == {13}


def test_on_every_day_of_a_year_a_birthday_in_any_month_has_been_or_not():
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    births = [date(2016, month, 15) for month in range(1, 13)]
    pairs = [(day, born) for day in days for born in births]
    expected = [10 if (day.month, day.day) >= (born.month, born.day) else 9 for day, born in pairs]
    assert years([day for day, _ in pairs], [born for _, born in pairs]) == expected


def test_someone_born_on_29_february_is_a_year_older_on_1_march():
    born = [date(2012, 2, 29)] * 3
    assert years([date(2026, 2, 28), date(2026, 3, 1), date(2028, 2, 29)], born) == [13, 14, 16]


def test_before_birth_and_without_a_birth_date_there_is_no_age():
    assert years([date(2026, 1, 1), date(2026, 1, 1)], [date(2026, 1, 2), None]) == [None, None]
