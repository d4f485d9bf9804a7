"""A finished table with rows that break a promise is not published: whichever rows came, and beside whichever stay."""

from dataclasses import replace
from functools import wraps

import polars as pl
import pytest

from rapport import transforms
from rapport.flows.workbench import run_directly
from rapport.warehouse.errors import RapportError

TONIGHT = "2026-11-19T12:00"


def spoiled(monkeypatch, name: str, spoil) -> None:
    """Every night from now on computes a table and then spoils it."""
    tables = transforms.tables()

    def with_spoiled(table):
        @wraps(table.function)
        def function(**read):
            return spoil(table.function(**read).select(table.column_names).collect()).lazy()

        return replace(table, function=function)

    monkeypatch.setattr(transforms, "tables", lambda: [with_spoiled(t) if t.name == name else t for t in tables])


def newest_twice(sessions: pl.DataFrame) -> pl.DataFrame:
    """The newest session's older row stays as it is, and another one with its key comes."""
    row = sessions.filter(pl.col("session_number").is_not_null()).sort("starts_at").head(1)
    return pl.concat([sessions, row.with_columns(session_number=pl.col("session_number") + 50)])


def numbered_below_one(sessions: pl.DataFrame) -> pl.DataFrame:
    latest = pl.col("starts_at") == pl.col("starts_at").max()
    return sessions.with_columns(session_number=pl.when(latest).then(0).otherwise("session_number"))


def numbered_with_a_gap(sessions: pl.DataFrame) -> pl.DataFrame:
    latest = pl.col("starts_at") == pl.col("starts_at").max()
    return sessions.with_columns(
        session_number=pl.when(latest).then(pl.col("session_number") + 1).otherwise("session_number")
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (newest_twice, "one row per session_id"),
        (numbered_below_one, "a number is out of its column's range"),
        (numbered_with_a_gap, "session numbers count from 1 without a gap"),
    ],
)
def test_a_broken_row_stops_the_night_and_yesterday_stands(short_yesterday, monkeypatch, spoil, said):
    before = short_yesterday.standing()
    with monkeypatch.context() as patched:
        spoiled(patched, "sessions", spoil)
        with pytest.raises(RapportError, match=f"the check '{said}.*' failed on 1 rows of main.sessions"):
            short_yesterday.night(TONIGHT, run_directly)
    assert short_yesterday.standing() == before
    assert not short_yesterday.leftovers()
