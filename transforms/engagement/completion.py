"""Questionnaires due against questionnaires received: without it no other figure says whom it speaks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import polars as pl

from rapport.transforms.frames.ids_as_numbers import light
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.protocol import Due, usual
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

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
    held = _held(sessions, episodes, clinic, as_of).collect()
    counted = _counted(held, _met(answered, held, dues), dues)
    cells, whose = held.filter("is_first").select(CELL), _whose(dues)
    made = pl.concat([counted, cells[counted["cell"]], whose[counted["due"]]], how="horizontal").lazy()
    return made.with_columns(received_share=(pl.col("received_count") / pl.col("due_count")).round(9))


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
    """Treatment sessions with what decides whether something is due at them, the number of their `cell`, and whether
    they are the first of it."""
    treated = sessions.filter(pl.col("session_number").is_not_null(), pl.col("session_date") <= clinic.day_of(as_of))
    opened = episodes.select("episode_id", "age_at_opening").with_columns(light("episode_id"))
    first = pl.col("row").first().over("whose", *CELL[1:])
    return (
        treated.select("session_id", "episode_id", "session_number", "session_date", "therapist_id", "modality")
        .with_columns(whose="therapist_id", month_on=pl.col("session_date").dt.month_start())
        .with_columns(light("session_id", "episode_id", "whose"))
        .join(opened, on="episode_id")
        .with_row_index("row")
        .with_columns(first=first, is_first=pl.col("row") == first)
        .with_columns(cell=(pl.col("is_first").cum_sum() - 1).gather("first"))
    )


def _occasion(due: Due) -> pl.Expr:
    """Whether a session is one at which it is due; a bound on an age that is not known is not met."""
    age, since = pl.col("age_at_opening"), pl.col("session_number") - due.first
    kept = (since >= 0) & (since % due.every == 0) & (pl.col("session_date") >= due.since)
    bounds = [] if due.age_from is None else [age >= due.age_from]
    bounds += [] if due.age_to is None else [age <= due.age_to]
    return kept.and_(*(bound.fill_null(False) for bound in bounds))


def _whose(dues: list[tuple[Due, bool]]) -> pl.DataFrame:
    rows = [(due.instrument, due.rater, told) for due, told in dues]
    return pl.DataFrame(rows, {"instrument": pl.String, "rater": pl.String, "is_declared": pl.Boolean}, orient="row")


def _met(answered: pl.LazyFrame, held: pl.DataFrame, dues: list[tuple[Due, bool]]) -> pl.DataFrame:
    """Responses to something that may be due: the place of session and due, that of cell and due, `is_complete`."""
    of = [(pl.col("instrument") == due.instrument) & (pl.col("rater") == due.rater) for due, _ in dues]
    number = pl.coalesce(pl.lit(None, pl.Int64), *(pl.when(each).then(at) for at, each in enumerate(of)))
    answers = answered.select("session_id", pl.col("is_complete").fill_null(False), number.alias("due"))
    return (
        answers.filter(pl.col("due").is_not_null())
        .with_columns(light("session_id"))
        .join(held.lazy().select("session_id", "row", "cell"), on="session_id")
        .select("is_complete", place=_place("row", dues), cell_place=_place("cell", dues))
        .collect()
    )


def _place(of: str, dues: list[tuple[Due, bool]]) -> pl.Expr:
    """Of each session's (or cell's) dues one after the other."""
    return pl.col(of).cast(pl.Int64) * len(dues) + pl.col("due")


def _counted(held: pl.DataFrame, met: pl.DataFrame, dues: list[tuple[Due, bool]]) -> pl.DataFrame:
    """How often each was due, by cell; and how often it was received and complete when it was."""
    is_due = held.select(_occasion(due).alias(str(at)) for at, (due, _) in enumerate(dues)).to_numpy().astype(bool)
    session, due = is_due.nonzero()
    received = met.filter(pl.Series(is_due.reshape(-1)[met["place"].to_numpy()]))
    places = {
        "due_count": held["cell"].to_numpy()[session].astype(np.int64) * len(dues) + due,
        "received_count": received["cell_place"],
        "complete_count": received.filter("is_complete")["cell_place"],
    }
    count = held["is_first"].sum() * len(dues)
    counts = {name: np.bincount(each, minlength=count).astype(np.int32) for name, each in places.items()}
    cell, due = np.divmod(np.arange(count), len(dues))
    return pl.DataFrame({"cell": cell, "due": due} | counts).filter(pl.col("due_count") > 0)
