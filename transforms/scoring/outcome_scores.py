"""Outcome measures session by session: the line beside the alliance's."""

from __future__ import annotations

import polars as pl

from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.tables import table

LINE = ("instrument", "rater", "scale")


@table(
    key="session_id rater instrument scale",
    columns=[
        "client_id!",
        "session_id!",
        "episode_id!",
        "therapist_id",
        "session_number!",
        "session_date!",
        "instrument!",
        "rater!",
        "scale!",
        "score!",
        "pomp!",
    ],
)
def outcome_scores(scores: pl.LazyFrame, sessions: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """One row per numbered treatment session, rater and outcome measure with a computed total score that counts:
    symptoms and well-being on the timeline on which table alliance has the relationship. Beside SRS and ORS mind the
    order: the ORS opens a session, the SRS closes it."""
    names = [each.name for each in clinic.instruments.values() if each.construct == "outcome"]
    counted = scores.filter(
        pl.col("instrument").is_in(names),
        pl.col("scale") == "total",
        pl.col("basis") == "computed",
        pl.col("is_used"),
        pl.col("score").is_not_null(),
        pl.col("session_id").is_not_null(),
    ).select("session_id", *LINE, "score", "pomp")
    return counted.join(sessions.filter(pl.col("session_number").is_not_null()), on="session_id")


def lower_is_better(clinic: Clinic) -> list[str]:
    """Instruments on whose total a lower score is better."""
    return [
        each.name
        for each in clinic.instruments.values()
        for scale in each.scales
        if scale.name == "total" and scale.direction == "lower_better"
    ]
