"""Questionnaires due against questionnaires received: without it no other figure says whom it speaks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import reduce

import polars as pl

from transforms.light_ids import light
from warehouse.clinic import Clinic
from warehouse.columns import Column
from warehouse.protocol import Due, usual
from warehouse.tables import table

CELL = ("therapist_id", "modality", "month_on")


@table(
    per="clinic",
    key="instrument rater therapist_id modality month_on",
    columns=[
        "instrument!",
        "rater!",
        "therapist_id",
        "modality",
        Column("month_on", "date", "First day of the month of the sessions.", required=True),
        Column("due_count", "integer", "Treatment sessions at which it was due.", required=True, between=(1, None)),
        Column("received_count", "integer", "Of them, those with a response.", required=True, between=(0, None)),
        Column("complete_count", "integer", "Of them, those with a complete one.", required=True, between=(0, None)),
        Column("received_share", "number", "received_count / due_count.", required=True, between=(0, 1)),
        Column(
            "is_declared",
            "truth",
            "True where clinic.toml's [protocol] says when it is due; false where it counts as due at every treatment "
            "session since the first one came (a caregiver's, of minors).",
            required=True,
        ),
    ],
)
def completion(
    sessions: pl.LazyFrame, episodes: pl.LazyFrame, responses: pl.LazyFrame, clinic: Clinic, as_of: datetime
) -> pl.LazyFrame:
    """One row per instrument, rater, therapist, modality and month with a treatment session at which it was due (M03).
    A response counts for the session it belongs to, a session that is no occasion not at all. Responses may come days
    later: the newest month is not finished. Yardstick for pairs of scores: above 91 % (Gyani et al. 2013)."""
    answered = responses.filter(pl.col("is_used"), pl.col("session_id").is_not_null(), pl.col("answered_count") > 0)
    dues = _dues(answered, clinic)
    held = _held(sessions, episodes, clinic, as_of).collect().lazy()
    due, whose = _due(held, dues), _whose(dues)
    joined = due.join(_received(answered, held, dues), on=["cell", "due"], how="left").join(whose, on="due")
    counted = joined.join(held.select(*CELL, cell="row"), on="cell")
    return counted.with_columns(pl.col("received_count", "complete_count").fill_null(0)).with_columns(
        received_share=(pl.col("received_count") / pl.col("due_count")).round(9)
    )


def _dues(answered: pl.LazyFrame, clinic: Clinic) -> list[tuple[Due, bool]]:
    """What is due, each with its first day, and whether it is declared. An instrument that is not declared is due where
    the sources bring it."""
    pairs = (
        answered.group_by("instrument", "rater")
        .agg(since=pl.col("completed_on").min())
        .sort("instrument", "rater")
        .collect()
    )
    first = {(name, rater): since for name, rater, since in pairs.iter_rows()}
    named = {due.instrument for due in clinic.protocol}
    found = [(usual(name, rater), False) for name, rater in first if name not in named]
    all_of_them = [*((due, True) for due in clinic.protocol), *found]
    dated = [
        (replace(due, since=due.since or first.get((due.instrument, due.rater))), told) for due, told in all_of_them
    ]
    return [(due, told) for due, told in dated if due.since]


def _held(sessions: pl.LazyFrame, episodes: pl.LazyFrame, clinic: Clinic, as_of: datetime) -> pl.LazyFrame:
    """Treatment sessions with what decides whether something is due at them; `cell` is the first `row` of theirs."""
    treated = sessions.filter(pl.col("session_number").is_not_null(), pl.col("session_date") <= clinic.day_of(as_of))
    opened = episodes.select("episode_id", "age_at_opening").with_columns(light("episode_id"))
    return (
        treated.select("session_id", "episode_id", "session_number", "session_date", "therapist_id", "modality")
        .with_columns(light("session_id", "episode_id"), month_on=pl.col("session_date").dt.month_start())
        .join(opened, on="episode_id")
        .with_row_index("row")
        .with_columns(cell=pl.col("row").first().over(CELL))
    )


def _occasion(due: Due) -> pl.Expr:
    """Whether a session is one at which it is due; a bound on an age that is not known is not met."""
    age, since = pl.col("age_at_opening"), pl.col("session_number") - due.first
    kept = (since >= 0) & (since % due.every == 0) & (pl.col("session_date") >= due.since)
    for bound in (age >= due.age_from if due.age_from else None, age <= due.age_to if due.age_to else None):
        kept = kept if bound is None else kept & bound.fill_null(False)
    return kept


def _whose(dues: list[tuple[Due, bool]]) -> pl.LazyFrame:
    rows = [(at, due.instrument, due.rater, told) for at, (due, told) in enumerate(dues)]
    schema = {"due": pl.Int32, "instrument": pl.String, "rater": pl.String, "is_declared": pl.Boolean}
    return pl.LazyFrame(rows, schema, orient="row")


def _due(held: pl.LazyFrame, dues: list[tuple[Due, bool]]) -> pl.LazyFrame:
    """How often each was due, by cell."""
    counts = {str(at): _occasion(due).sum().cast(pl.Int32) for at, (due, _) in enumerate(dues)}
    wide = held.group_by("cell").agg(**counts)
    long = wide.unpivot(list(counts), index="cell", variable_name="due", value_name="due_count")
    return long.filter(pl.col("due_count") > 0).with_columns(pl.col("due").cast(pl.Int32))


def _received(answered: pl.LazyFrame, held: pl.LazyFrame, dues: list[tuple[Due, bool]]) -> pl.LazyFrame:
    """How often each was received when it was due, by cell."""
    occasions = [(pl.col("due") == at) & _occasion(due) for at, (due, _) in enumerate(dues)]
    return (
        answered.select("session_id", "instrument", "rater", "is_complete")
        .with_columns(light("session_id"))
        .join(_whose(dues), on=["instrument", "rater"])
        .select("session_id", "due", "is_complete")
        .join(held.drop("row", *CELL), on="session_id")
        .filter(reduce(pl.Expr.or_, occasions, pl.lit(False)))
        .group_by("cell", "due")
        .agg(received_count=pl.len().cast(pl.Int32), complete_count=pl.col("is_complete").sum().cast(pl.Int32))
    )
