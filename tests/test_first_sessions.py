"""The first session of a group: found without sorting, and the same whatever the order of the rows."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import polars as pl
import pytest

from transforms.first_sessions import first_session, unnumbered_first

DAY, NEXT = date(2026, 3, 2), date(2026, 3, 3)


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        ([(NEXT, 1, "a"), (DAY, 2, "b"), (DAY, 3, "c")], "b"),
        ([(DAY, 1, "a"), (DAY, None, "d"), (DAY, None, "c"), (NEXT, None, "b")], "c"),
        ([(date(1969, 12, 31), 9, "b"), (DAY, 1, "a"), (DAY, None, "c")], "b"),
    ],
)
def test_the_first_is_of_the_first_day_and_there_without_a_number_before_the_lowest_number(rows, first):
    for order in permutations(rows):
        rated = pl.LazyFrame(order, schema=["session_date", "number", "session_id"], orient="row")
        found = unnumbered_first(rated.with_columns(line=1), "number").group_by("line").agg(first_session("number"))
        assert found.collect()["session_id"].to_list() == [first]
