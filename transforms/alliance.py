"""The working alliance per session, as each rater sees it."""

from __future__ import annotations

import polars as pl

from warehouse.clinic import Clinic
from warehouse.columns import Column
from warehouse.tables import table


@table(
    key="session_id rater instrument scale",
    columns=[
        "client_id!",
        "session_id!",
        "episode_id",
        "therapist_id",
        "session_number",
        "session_date!",
        "instrument!",
        "rater!",
        "scale!",
        "score!",
        "pomp!",
        Column(
            "previous_score",
            "number",
            "The rater's last score before it in the dyad, even across a missed session.",
        ),
        Column("change", "number", "Score minus previous_score."),
        Column(
            "gap_sessions",
            "integer",
            "Treatment sessions since the previous score; 1 is the session before.",
            unit="sessions",
            between=(0, None),
        ),
    ],
)
def alliance(scores: pl.LazyFrame, sessions: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """One row per session, rater, alliance instrument and scale that has a computed score. Change is since the same
    rater's last score in the same dyad (episode and therapist): a new therapist is a new alliance."""
    lines = pl.col("rater", "instrument", "scale")
    dyad = ["client_id", "episode_id", "therapist_id", "rater", "instrument", "scale"]
    at_sessions = (
        scores.filter(pl.col("is_used") & (pl.col("basis") == "computed") & pl.col("score").is_not_null())
        .filter(pl.col("instrument").is_in(_alliance_instruments(clinic)))
        .select("session_id", lines, "score", "pomp")
        .join(sessions, on="session_id")
        .sort("client_id", "starts_at", "session_id")
    )
    return at_sessions.with_columns(
        previous_score=pl.col("score").shift().over(dyad),
        gap_sessions=(pl.col("dyad_session_number") - pl.col("dyad_session_number").shift().over(dyad)),
    ).with_columns(change=(pl.col("score") - pl.col("previous_score")).round(6))


def _alliance_instruments(clinic: Clinic) -> list[str]:
    return [each.name for each in clinic.instruments.values() if each.construct == "alliance"]
