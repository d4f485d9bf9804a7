"""The clinic's own expected course of an outcome measure, by the client's intake score."""

from __future__ import annotations

import polars as pl

from rapport.transforms.frames.computed_once import computed_once
from rapport.transforms.frames.ids_as_numbers import as_numbers
from rapport.transforms.scoring.outcome_scores import LINE, lower_is_better
from rapport.transforms.sessions.raters import of_counted_raters
from rapport.transforms.statistics.estimates import ENOUGH_CLIENTS, first_of_clients
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

INTAKE_UNTIL, LAST_SESSION = 3, 12
BAND_COUNT = 5
BAND = [*LINE, "intake_band"]


@table(
    per="clinic",
    key="instrument rater scale intake_band session_number",
    columns=[
        "instrument!",
        "rater!",
        "scale!",
        "intake_band!",
        "session_number!",
        "client_count!",
        Column("expected_score", "number", "The median.", required=True),
        Column(
            "poor_quarter_score",
            "number",
            "The 25th percentile counted from the worse end: a quarter of clients have this score or a worse one.",
            required=True,
        ),
        Column("poor_tenth_score", "number", "The 10th percentile counted from the worse end.", required=True),
    ],
)
def expected_courses(
    outcome_scores: pl.LazyFrame, other_raters: pl.LazyFrame, episodes: pl.LazyFrame, clinic: Clinic
) -> pl.LazyFrame:
    """One row per outcome measure (total scale), rater, intake band and session number from 2 to 12 with at least 30
    clients (M19). It replaces the licensed curves, which are not available. A client counts with the first episode that
    has an intake score, at the sessions after the intake. Percentiles are interpolated. The course shows what was usual
    here, not what is good. Clients who stay longer determine the later sessions. It changes with new clients, so each
    night's file has its own."""
    intakes, scored = intakes_and_after(outcome_scores)
    begun = of_counted_raters(intakes, other_raters).join(
        episodes.select("episode_id", "episode_number"), on="episode_id"
    )
    first = first_of_clients(begun, *LINE).select("course", "intake_number", *BAND)
    own = scored.filter(pl.col("session_number") <= LAST_SESSION).join(first, on="course")
    own = own.filter(pl.col("session_number") > pl.col("intake_number"))
    better = pl.when(pl.col("instrument").is_in(lower_is_better(clinic)).first())
    return (
        own.group_by(*BAND, "session_number")
        .agg(
            client_count=pl.len().cast(pl.Int32),
            expected_score=pl.col("score").median(),
            poor_quarter_score=better.then(_at(0.75)).otherwise(_at(0.25)),
            poor_tenth_score=better.then(_at(0.9)).otherwise(_at(0.1)),
        )
        .filter(pl.col("client_count") >= ENOUGH_CLIENTS)
        .with_columns(pl.col(pl.Float64).round(6))
    )


def _at(share: float) -> pl.Expr:
    return pl.col("score").quantile(share, interpolation="linear")


@computed_once
def intakes_and_after(outcome_scores: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Return two frames. The intake of every episode, person and line: intake_number (its session), intake_score,
    intake_band. And the scores from the intake on, with the same number `course`. The intake is the person's first
    score in the episode, if it is in the first three treatment sessions."""
    named = ["client_id", "episode_id", *LINE, "rater_number", "session_number", "session_date", "score", "pomp"]
    course = pl.col("row").first().over("whose", *LINE, "rater_number")
    scored = (
        outcome_scores.select(named)
        .with_columns(whose="episode_id")
        .with_columns(as_numbers("whose"))
        .with_row_index("row")
        .with_columns(course=course)
        .cache()
    )
    first = pl.col("session_number") == pl.col("session_number").min().over("course")
    band = (pl.col("pomp") / (100 / BAND_COUNT)).floor().clip(0, BAND_COUNT - 1).cast(pl.Int32) + 1
    intakes = scored.filter(first, pl.col("session_number") <= INTAKE_UNTIL).select(
        "course",
        "client_id",
        "episode_id",
        *LINE,
        "rater_number",
        intake_number="session_number",
        intake_score="score",
        intake_band=band,
    )
    later = scored.select("course", "session_number", "session_date", "score").join(
        intakes.select("course", "intake_number"), on="course"
    )
    after = later.filter(pl.col("session_number") >= pl.col("intake_number"))
    intakes, after = (frame.lazy() for frame in pl.collect_all([intakes, after]))
    return intakes, after
