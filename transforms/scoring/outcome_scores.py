"""Outcome measures session by session, on the same timeline as the alliance."""

from __future__ import annotations

import polars as pl

from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.tables import table

LINE = ("instrument", "rater", "scale")


@table(
    key="session_id rater rater_number instrument scale",
    columns=[
        "client_id!",
        "session_id!",
        "episode_id!",
        "therapist_id",
        "session_number!",
        "session_date!",
        "instrument!",
        "rater!",
        "rater_number!",
        "scale!",
        "score!",
        "pomp!",
    ],
)
def outcome_scores(scores: pl.LazyFrame, sessions: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """One row per numbered treatment session, person and outcome measure with a used, computed total score. Symptoms
    and well-being are on the same timeline as the relationship in table alliance. Note the order of ORS and SRS: the
    ORS is filled in at the start of a session, the SRS at its end."""
    names = [each.name for each in clinic.instruments.values() if each.construct == "outcome"]
    counted = scores.filter(
        pl.col("instrument").is_in(names),
        pl.col("scale") == "total",
        pl.col("basis") == "computed",
        pl.col("is_used"),
        pl.col("score").is_not_null(),
        pl.col("session_id").is_not_null(),
    ).select("session_id", *LINE, "rater_number", "score", "pomp")
    return counted.join(sessions.filter(pl.col("session_number").is_not_null()), on="session_id")


def lower_is_better(clinic: Clinic) -> list[str]:
    """Return the instruments for which a lower total score is better."""
    return [
        each.name
        for each in clinic.instruments.values()
        for scale in each.scales
        if scale.name == "total" and scale.direction == "lower_better"
    ]
