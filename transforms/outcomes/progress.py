"""Progress of every episode against the clinic's expected course: zones, and signals at two checkpoints."""

from __future__ import annotations

import polars as pl

from rapport.transforms.outcomes.expected_courses import BAND, intakes_and_after
from rapport.transforms.scoring.outcome_scores import LINE, lower_is_better
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

ZONES = ("green", "orange", "red", "grey")
CHECK_POINT, LAST_CHANCE = (3, 6), (6, 9)


@table(
    per="clinic",
    key="episode_id instrument rater rater_number scale",
    columns=[
        "client_id!",
        "episode_id!",
        "instrument!",
        "rater!",
        "rater_number!",
        "scale!",
        Column("intake_score", "number", "The episode's first score, in its first three sessions.", required=True),
        "intake_band!",
        "score_count!",
        Column("latest_number", "integer", "session_number of the latest score.", required=True, between=(1, None)),
        Column("latest_on", "date", "Day of the session of the latest score.", required=True),
        Column("latest_score", "number", "The latest score.", required=True),
        Column(
            "expected_at_latest", "number", "expected_score at that session (table expected_courses); null without one."
        ),
        Column("poor_tenth_at_latest", "number", "poor_tenth_score at that session; null without one."),
        Column(
            "zone",
            "text",
            "green: at the expected score or better; red: beyond the tenth percentile; orange: between; grey: one "
            "measurement only, or no expected course (too few clients, or beyond session 12). After OpenFIT.",
            required=True,
            one_of=ZONES,
        ),
        Column(
            "is_deteriorated",
            "truth",
            "Reliably worse at the latest score than at intake (table outcomes); null where not assessable.",
        ),
        Column(
            "is_not_on_track",
            "truth",
            "In the red zone or reliably deteriorated; null where neither is known.",
        ),
        Column(
            "has_checkpoint_signal",
            "truth",
            "Not reliably improved at the last score in sessions 3 to 6; null without a score there, or an amount.",
        ),
        Column(
            "has_last_chance_signal",
            "truth",
            "Not reliably improved at the last score in sessions 6 to 9; null without a score there, or an amount.",
        ),
    ],
)
def progress(
    outcome_scores: pl.LazyFrame,
    expected_courses: pl.LazyFrame,
    outcomes: pl.LazyFrame,
    reliable_changes: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """One row per episode, person and outcome measure (total scale) with an intake score: the latest score against the
    clinic's own expected course of clients in the same intake band (M19). The zones show what is usual, so a tenth of
    clients is red by definition. A zone is a reason to talk, not a finding."""
    intakes, scored = intakes_and_after(outcome_scores)
    amounts = _amounts(outcomes, reliable_changes)
    number = pl.col("session_number")
    so_far = scored.group_by("course").agg(
        score_count=pl.len().cast(pl.Int32),
        latest_number=number.max(),
        latest_on=pl.col("session_date").max_by(number),
        latest_score=pl.col("score").max_by(number),
        checkpoint=_last_within(CHECK_POINT),
        last_chance=_last_within(LAST_CHANCE),
    )
    told = intakes.join(so_far, on="course")
    expected = expected_courses.select(
        *BAND,
        latest_number="session_number",
        expected_at_latest="expected_score",
        poor_tenth_at_latest="poor_tenth_score",
    )
    joined = told.join(expected, on=[*BAND, "latest_number"], how="left").join(
        amounts, on=["episode_id", *LINE, "rater_number"], how="left"
    )
    sign = pl.when(pl.col("instrument").is_in(lower_is_better(clinic))).then(-1.0).otherwise(1.0)
    deteriorated = pl.col("reliable_class") == "deteriorated"
    return joined.with_columns(
        zone=_zone(sign),
        is_deteriorated=pl.when(pl.col("score_count") > 1).then(deteriorated),
        has_checkpoint_signal=_signal(pl.col("checkpoint"), sign),
        has_last_chance_signal=_signal(pl.col("last_chance"), sign),
    ).with_columns(is_not_on_track=_not_on_track())


def _last_within(sessions: tuple[int, int]) -> pl.Expr:
    """Return the last score in these sessions, unless it is the intake itself."""
    number = pl.col("session_number")
    inside = number.is_between(*sessions) & (number > pl.col("intake_number"))
    return pl.col("score").max_by(pl.when(inside).then(number))


def _amounts(outcomes: pl.LazyFrame, reliable_changes: pl.LazyFrame) -> pl.LazyFrame:
    """Return per episode and line: the class so far, and the amount of change for this client, with its criterion."""
    counted = outcomes.filter(pl.col("compared") == "score", pl.col("basis") == "computed")
    criteria = reliable_changes.select("instrument", "change_name", "used_criterion")
    names = ("rater_number", "reliable_class", "change_name", "change_amount")
    return counted.select("episode_id", *LINE, *names).join(criteria, on=["instrument", "change_name"], how="left")


def _zone(sign: pl.Expr) -> pl.Expr:
    latest, expected, poor = (
        sign * pl.col(name) for name in ("latest_score", "expected_at_latest", "poor_tenth_at_latest")
    )
    has_course = (pl.col("score_count") > 1) & expected.is_not_null()
    zone = pl.when(~has_course).then(pl.lit("grey")).when(latest >= expected).then(pl.lit("green"))
    return zone.when(latest < poor).then(pl.lit("red")).otherwise(pl.lit("orange"))


def _signal(score: pl.Expr, sign: pl.Expr) -> pl.Expr:
    """Return whether the improvement since intake is less than the amount; null without a score or an amount."""
    improvement = (sign * (score - pl.col("intake_score"))).round(6)
    amount = pl.col("change_amount")
    return pl.when(pl.col("used_criterion") == ">").then(improvement <= amount).otherwise(improvement < amount)


def _not_on_track() -> pl.Expr:
    is_red = pl.when(pl.col("zone") != "grey").then(pl.col("zone") == "red")
    return (
        pl.when(is_red | pl.col("is_deteriorated"))
        .then(True)
        .when(is_red.is_not_null() | pl.col("is_deteriorated").is_not_null())
        .then(False)
    )
