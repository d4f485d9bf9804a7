"""Questionnaires due and received. Without this share nobody knows which clients the other figures represent."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import polars as pl

from rapport.transforms.frames.ids_as_numbers import as_numbers
from rapport.transforms.sessions.raters import PERSON, of_counted_raters
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.protocol import Due, usual
from rapport.warehouse.schema.columns import RATERS, Column
from rapport.warehouse.schema.tables import table

CELL = ("therapist_id", "modality")
ASKED = ("instrument", "rater")
COUNTS = ("due_count", "received_count", "complete_count")


def days_of_sessions(
    sessions: pl.LazyFrame,
    episodes: pl.LazyFrame,
    responses: pl.LazyFrame,
    other_raters: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """Return counts of some clients, in rows of three kinds. By therapist, modality, day and occasions: due_count, of
    treatment sessions. By the same and by instrument and rater: received_count and complete_count. By instrument and
    rater alone: `since`, the day of the first response."""
    answered = responses.filter(pl.col("is_used"), pl.col("session_id").is_not_null(), pl.col("answered_count") > 0)
    held = _held(sessions, episodes, clinic).collect().lazy()
    day = [*CELL, "session_date", *_occasions(clinic).values()]
    counted = held.group_by(day).agg(due_count=pl.len().cast(pl.Int64))
    answers = answered.select("instrument", *PERSON, "is_complete", "session_id").with_columns(as_numbers("session_id"))
    others = other_raters.with_columns(as_numbers("episode_id"))
    received = of_counted_raters(answers.join(held, on="session_id"), others).group_by(*ASKED, *day)
    counts = {"received_count": pl.len().cast(pl.Int64), "complete_count": pl.col("is_complete").sum().cast(pl.Int64)}
    first = answered.group_by(ASKED).agg(since=pl.col("completed_on").min())
    return pl.concat([counted, received.agg(**counts), first], how="diagonal")


@table(
    per="clinic",
    partial=days_of_sessions,
    key="instrument rater therapist_id modality month_on",
    columns=[
        "instrument!",
        "rater!",
        "therapist_id",
        "modality",
        Column("month_on", "date", "First day of the month of the sessions.", required=True),
        Column("due_count", "integer", "Treatment sessions at which it was due.", required=True, between=(1, None)),
        Column("received_count", "integer", "Due sessions with a response.", required=True, between=(0, None)),
        Column("complete_count", "integer", "Due sessions with a complete response.", required=True, between=(0, None)),
        Column("received_share", "number", "received_count / due_count.", required=True, between=(0, 1)),
        Column(
            "is_declared",
            "truth",
            "True where [protocol] in clinic.toml says when it is due; false where it counts as due at every treatment "
            "session since its first response (a caregiver's questionnaire: sessions of minors).",
            required=True,
        ),
    ],
)
def completion(partials: pl.LazyFrame, clinic: Clinic, as_of: datetime) -> pl.LazyFrame:
    """One row per instrument, rater, therapist, modality and month with a treatment session at which it was due (M03).
    A response counts for its session; a session at which it was not due does not count. Responses may come days later:
    the newest month is not finished. Benchmark for pairs of scores: above 91 % (Gyani et al. 2013)."""
    held = partials.filter(pl.col("session_date") <= clinic.day_of(as_of)).collect().lazy()
    days = [_of_due(held, clinic, due, is_declared) for due, is_declared in _dues(partials, clinic)]
    months = pl.concat([held.clear().with_columns(is_declared=False), *days]).group_by(
        *ASKED, "is_declared", *CELL, month_on=pl.col("session_date").dt.month_start()
    )
    made = months.agg(pl.col(COUNTS).sum().cast(pl.Int32)).filter(pl.col("due_count") > 0)
    return made.with_columns(received_share=(pl.col("received_count") / pl.col("due_count")).round(9))


def _of_due(held: pl.LazyFrame, clinic: Clinic, due: Due, is_declared: bool) -> pl.LazyFrame:
    """Return the counts of one instrument and rater."""
    whose = {"instrument": due.instrument, "rater": due.rater}
    is_its_own = pl.all_horizontal(pl.col(name).fill_null(each) == each for name, each in whose.items())
    is_due = pl.col(_occasions(clinic)[_occasion(due)]) & (pl.col("session_date") >= due.since)
    named = {name: pl.lit(each) for name, each in whose.items()}
    return held.filter(is_its_own, is_due).with_columns(**named, is_declared=is_declared)


def _dues(partials: pl.LazyFrame, clinic: Clinic) -> list[tuple[Due, bool]]:
    """Return the questionnaires that are due, each with its first day, and whether it is declared. An undeclared
    instrument is due where the sources have it."""
    pairs = partials.drop_nulls("since").group_by(ASKED).agg(pl.col("since").min()).sort(ASKED).collect()
    first = {(name, rater): since for name, rater, since in pairs.iter_rows()}
    named = {due.instrument for due in clinic.protocol}
    found = [(usual(name, rater), False) for name, rater in first if name not in named]
    all_of_them = [*((due, True) for due in clinic.protocol), *found]
    dated = [
        (replace(due, since=due.since or first.get((due.instrument, due.rater))), told) for due, told in all_of_them
    ]
    return [(due, told) for due, told in dated if due.since]


def _held(sessions: pl.LazyFrame, episodes: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return treatment sessions, each with its occasions."""
    columns = ("session_id", "episode_id", "session_number", "session_date", *CELL)
    treated = sessions.filter(pl.col("session_number").is_not_null()).select(columns)
    opened = episodes.select("episode_id", "age_at_opening").with_columns(as_numbers("episode_id"))
    joined = treated.with_columns(as_numbers("session_id", "episode_id")).join(opened, on="episode_id")
    return joined.with_columns(_is_at(occasion).alias(name) for occasion, name in _occasions(clinic).items())


def _occasions(clinic: Clinic) -> dict[Due, str]:
    """Return the kinds of occasion, without rater and first day, each with the name of a column."""
    dues = (*clinic.protocol, *(usual("", rater) for rater in RATERS))
    return {occasion: f"occasion_{at}" for at, occasion in enumerate(dict.fromkeys(map(_occasion, dues)))}


def _occasion(due: Due) -> Due:
    return replace(due, instrument="", rater="", since=None)


def _is_at(occasion: Due) -> pl.Expr:
    """Return whether a session is such an occasion. An unknown age is within no bound."""
    age, number = pl.col("age_at_opening"), pl.col("session_number") - occasion.first
    bounds = [] if occasion.age_from is None else [age >= occasion.age_from]
    bounds += [] if occasion.age_to is None else [age <= occasion.age_to]
    return ((number >= 0) & (number % occasion.every == 0)).and_(*(bound.fill_null(False) for bound in bounds))
