"""A fast cast of a column gives what the careful casts give, whatever stands in the column."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from rapport.transforms.sources.canonical import casts
from rapport.transforms.sources.canonical.casts import Dialect
from rapport.transforms.sources.speed import fast_casts

NUMBERS = st.one_of(
    st.none(),
    st.floats(-1000, 1000).map(str),
    st.integers(-99, 100).map(str),
    st.sampled_from(
        ["", " ", " 5", "5 ", "5,5", "1e3", "nan", "inf", "-99", "-99.0", "NA", "7", "7.0", "x", "0x1", "5."]
    ),
)
PLAIN_NUMBERS = st.one_of(st.none(), st.floats(0, 100).map(str), st.integers(0, 9).map(str))
TIMES = st.one_of(
    st.none(),
    st.datetimes().map(str),
    st.sampled_from(
        [
            *("", "soon", "2026-11-01", "2026-11-01T01:30:00Z", "2026-11-01 01:30:00-05:00", "[not completed]"),
            *("1900-01-01 00:00:00", " 2024-1-05 10:00:00", "+024-01-05 10:00:00", "2026-02-31 10:00:00"),
            *("2026-03-08 02:30:00", "2026-11-01 01:30:00", "2026-01-05 10:00:60", "2026-01-05T10:00:00"),
            *("2026-01-05 10:00", " 2026-01-05 10:00 "),
        ]
    ),
)
CHANGES = ["2026-03-08", "2026-11-01", "2026-06-01"]  # a missing hour, an hour that comes twice, neither
ENDS = ["0000-12-31", "0001-01-01", "9999-12-31"]
ALIKE = st.one_of(
    st.none(),
    st.builds("{} {:02}:{:02}:00".format, st.sampled_from(CHANGES + ENDS), st.integers(0, 23), st.integers(0, 59)),
)
DIALECTS = st.builds(
    Dialect,
    time_zone=st.sampled_from(["America/Chicago", "Australia/Lord_Howe", "UTC"]),
    nulls=st.sampled_from([(), ("NA",), ("-99", "7"), ("[not completed]", "1900-01-01 00:00:00")]),
    decimal=st.sampled_from([".", ","]),
)


def columns_of(cells: st.SearchStrategy) -> st.SearchStrategy[pl.DataFrame]:
    return st.lists(cells, min_size=1, max_size=8).map(
        lambda texts: pl.DataFrame({"x": texts}, schema={"x": pl.String})
    )


@given(rows=columns_of(NUMBERS) | columns_of(PLAIN_NUMBERS), dialect=DIALECTS)
def test_numbers_are_those_of_the_careful_way(rows, dialect):
    read = fast_casts.number(rows, "x", dialect)
    unreadable = pl.lit(False) if read.unreadable is None else read.unreadable
    quickly = rows.select(value=read.value, unreadable=unreadable, filled=read.is_filled)
    carefully = rows.select(
        value=casts.number("x", dialect),
        unreadable=casts.unreadable_number("x", dialect),
        filled=casts.text("x", dialect).is_not_null(),
    )
    assert_frame_equal(quickly, carefully, check_exact=True)


@given(rows=columns_of(TIMES) | columns_of(ALIKE), dialect=DIALECTS)
def test_times_are_those_of_the_careful_way(rows, dialect):
    read = fast_casts.time(rows, "x", dialect)
    quickly = rows.select(at=read.at, local=read.local, day=read.day, change=read.change)
    carefully = rows.select(
        at=casts.instant("x", dialect),
        local=casts.wall("x", dialect),
        day=casts.local_day("x", dialect),
        change=casts.clock_change("x", dialect),
    )
    assert_frame_equal(quickly, carefully, check_exact=True)
    if read.is_read:
        assert not rows.select(casts.unreadable("x", casts.instant("x", dialect), dialect)).to_series().any()


@pytest.mark.parametrize(
    ("texts", "dialect", "is_quick"),
    [
        (["1", "2.5", None], Dialect("UTC"), True),
        (["1", " 2"], Dialect("UTC"), False),
        (["1", "7.0"], Dialect("UTC", nulls=("7",)), False),
        (["1", "8"], Dialect("UTC", nulls=("7",)), True),
    ],
)
def test_a_null_word_or_a_blank_sends_numbers_the_careful_way(texts, dialect, is_quick):
    rows = pl.DataFrame({"x": texts})
    assert isinstance(fast_casts.number(rows, "x", dialect).value, pl.Series) is is_quick


@pytest.mark.parametrize(
    ("texts", "is_quick"),
    [
        (["2026-01-05 10:00:00", None, "2026-03-08 02:30:00"], True),
        (["2026-01-05T10:00", "[not completed]"], True),
        (["2026-01-05 10:00:00", "2026-01-05T10:00:00"], False),
        (["2026-01-05 10:00:00", "2026-02-31 10:00:00"], False),
        (["2026-01-05"], False),
        (["2026-01-05T10:00", "9999-12-31T17:59"], False),
        (["0001-01-02T00:00", "9999-12-30T23:59"], True),
    ],
)
def test_times_written_alike_go_the_quick_way(texts, is_quick):
    rows = pl.DataFrame({"x": texts})
    assert fast_casts.time(rows, "x", Dialect("America/Chicago", ("[not completed]",))).is_read is is_quick
