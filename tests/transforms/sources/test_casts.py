"""Text to values: what is read, and what is named as unreadable instead of being guessed."""

from datetime import date, datetime

import polars as pl
import pytest

from rapport.transforms.sources.canonical import casts
from rapport.transforms.sources.canonical.casts import Dialect

CHICAGO, LONDON = Dialect("America/Chicago"), Dialect("Europe/London")


def read(cast, written: str | None, dialect: Dialect = CHICAGO):
    return pl.DataFrame({"x": [written]}, schema={"x": pl.String}).select(cast("x", dialect)).item()


def at(written: str, dialect: Dialect = CHICAGO) -> str | None:
    found = read(casts.instant, written, dialect)
    return found and f"{found:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-05T16:30:00Z",
        "2026-01-05 16:30:00z",
        "2026-01-05T16:30Z",
        "2026-01-05T10:30:00-06:00",
        "2026-01-05T10:30:00-0600",
        "2026-01-05 10:30:00-06",
        "2026-01-05 10:30:00 -06:00",
        "2026-01-05T22:00:00+05:30",
        "2026-01-05T10:30:00",
        "2026-01-05 10:30:00",
        "2026-01-05T10:30",
        "2026-01-05 10:30",
        "2026-01-05 10:30:00.000",
        " 2026-01-05 10:30 ",
    ],
)
def test_every_iso_form_of_one_instant_is_that_instant(written):
    assert at(written) == "2026-01-05 16:30:00"


@pytest.mark.parametrize(
    "written",
    [
        "2026-02-30 10:00",
        "2026-13-01 10:00",
        "2026-01-05",
        "10:30",
        "01/05/2026 10:30",
        "5 Jan 2026 10:30",
        "2026-01-05 25:00",
        "2026-01-05 1:30:00",
        "2026-01-05 10:30 am",
        "26-01-05 10:30:00",
        "46027.4375",
        "٢٠٢٦-٠١-٠٥ ١٠:٣٠",
        "2026-01-05 10:30:00+٠٦:٠٠",
        "2026-01-05 10:30:00.٥",
        "9999-12-31 23:59",
        "9999-12-31 23:59:00-06:00",
        "0000-01-05 10:30",
        "0001-01-01 00:00:00+01:00",
    ],
)
def test_any_other_form_is_not_read_and_is_named(written):
    frame = pl.DataFrame({"x": [written]})
    named = casts.unreadable("x", casts.instant("x", CHICAGO), CHICAGO)
    assert frame.select(casts.instant("x", CHICAGO).alias("at"), named.alias("named")).row(0) == (None, True)


@pytest.mark.parametrize(
    ("dialect", "local", "utc", "change"),
    [
        (CHICAGO, "2026-03-08 01:59", "2026-03-08 07:59:00", None),
        (CHICAGO, "2026-03-08 02:30", "2026-03-08 08:30:00", "missing"),
        (CHICAGO, "2026-03-08 03:00", "2026-03-08 08:00:00", None),
        (CHICAGO, "2026-11-01 00:59", "2026-11-01 05:59:00", None),
        (CHICAGO, "2026-11-01 01:30", "2026-11-01 06:30:00", "ambiguous"),
        (CHICAGO, "2026-11-01 02:00", "2026-11-01 08:00:00", None),
        (LONDON, "2026-03-29 00:59", "2026-03-29 00:59:00", None),
        (LONDON, "2026-03-29 01:30", "2026-03-29 01:30:00", "missing"),
        (LONDON, "2026-10-25 01:30", "2026-10-25 00:30:00", "ambiguous"),
        (LONDON, "2026-10-25 02:00", "2026-10-25 02:00:00", None),
    ],
)
def test_an_hour_that_comes_twice_is_its_first_and_one_that_is_missing_moves_an_hour_on(dialect, local, utc, change):
    assert (at(local, dialect), read(casts.clock_change, local, dialect)) == (utc, change)


def test_a_time_with_an_offset_is_never_counted_as_a_change_of_clocks():
    assert read(casts.clock_change, "2026-11-01T01:30:00-05:00") is None


@pytest.mark.parametrize(
    ("written", "wall"),
    [
        ("2026-07-05 10:30", datetime(2026, 7, 5, 10, 30)),
        ("2026-07-05T10:30:00Z", datetime(2026, 7, 5, 5, 30)),
        ("2026-07-05T01:30:00+00:00", datetime(2026, 7, 4, 20, 30)),
        ("2026-07-05", None),
    ],
)
def test_the_wall_clock_is_as_written_or_in_the_zone_where_there_is_an_offset(written, wall):
    assert read(casts.wall, written) == wall


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-02-28", date(2026, 2, 28)),
        (" 2026-02-28 ", date(2026, 2, 28)),
        ("2026-02-28 10:30:00", date(2026, 2, 28)),
        ("2026-02-28T10:30", date(2026, 2, 28)),
        ("2026-02-30", None),
        ("2026-2-28", None),
        ("26-02-28", None),
        ("2026-02-28 or so", None),
        ("2026-02-280", None),
        ("٢٠٢٦-٠٢-٢٨", None),
        ("0000-02-28", None),
        ("0001-01-01", date(1, 1, 1)),
        ("9999-12-31", date(9999, 12, 31)),
        ("28/02/2026", None),
        ("", None),
    ],
)
def test_a_day_is_iso_or_it_is_not_read(written, day):
    assert read(casts.day, written) == day


@pytest.mark.parametrize(
    ("written", "value", "named"),
    [
        ("9.1", 9.1, False),
        ("-1", -1.0, False),
        (" -0.119", -0.119, False),
        ("+5", 5.0, False),
        ("", None, False),
        ("   ", None, False),
        (None, None, False),
        ("1,5", None, True),
        ("nine", None, True),
        ("inf", None, True),
        ("-Infinity", None, True),
        ("nan", None, True),
        ("0x10", None, True),
        ("1 000", None, True),
        ("٥", None, True),
        ("²", None, True),
        ("1e400", None, True),
    ],
)
def test_a_number_is_read_and_anything_else_is_named(written, value, named):
    assert (read(casts.number, written), bool(read(casts.unreadable_number, written))) == (value, named)


@pytest.mark.parametrize(("written", "value"), [("1,54", 1.54), ("1.54", 1.54), ("2", 2.0), ("1.234,5", None)])
def test_with_a_decimal_comma_commas_and_points_may_be_mixed_in_one_column(written, value):
    assert read(casts.number, written, Dialect("UTC", decimal=",")) == value


@pytest.mark.parametrize("written", ["7", "7.0", " 7", "-999", "UNK", "NaN", "#NULL!"])
def test_a_null_word_is_null_and_not_unreadable_also_as_another_spelling_of_its_number(written):
    dialect = Dialect("UTC", ("7", "-999", "UNK", "NaN", "#NULL!"))
    assert (read(casts.number, written, dialect), read(casts.unreadable_number, written, dialect)) == (None, False)


def test_null_words_are_the_sources_own():
    assert (read(casts.number, "7"), read(casts.unreadable_number, "UNK")) == (7.0, True)


def test_a_code_is_text_and_no_null_word_that_is_a_number_makes_it_null():
    dialect = Dialect("UTC", ("7", "UNK"))
    assert [read(casts.code, written, dialect) for written in ("007", " 7 ", "UNK")] == ["007", "7", None]


def test_a_word_outside_the_vocabulary_becomes_unknown_and_the_word_itself_goes_no_further():
    found = [read(lambda x, d: casts.word(x, ("attended",), d), word) for word in ("Attended ", "Ms Smith came", "")]
    assert found == ["attended", "unknown", None]


def test_a_text_that_the_clinic_does_not_list_becomes_other():
    found = [read(lambda x, d: casts.listed(x, ("North",), d), text) for text in (" North", "north", "")]
    assert found == ["North", "other", None]
