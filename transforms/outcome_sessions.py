"""Outcome scores at the sessions they are about."""

from __future__ import annotations

import polars as pl

from warehouse.clinic import Clinic

LINE = ("instrument", "rater", "scale")


def outcome_sessions(scores: pl.LazyFrame, sessions: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """client_id, episode_id, session_number, session_date, instrument, rater, scale, score, pomp: total scores of
    outcome measures that count, at numbered sessions."""
    names = [each.name for each in clinic.instruments.values() if each.construct == "outcome"]
    counted = scores.filter(
        pl.col("instrument").is_in(names),
        pl.col("scale") == "total",
        pl.col("basis") == "computed",
        pl.col("is_used"),
        pl.col("score").is_not_null(),
        pl.col("session_id").is_not_null(),
    ).select("session_id", *LINE, "score", "pomp")
    numbered = sessions.filter(pl.col("session_number").is_not_null())
    return counted.join(
        numbered.select("session_id", "client_id", "episode_id", "session_number", "session_date"), on="session_id"
    ).drop("session_id")


def lower_is_better(clinic: Clinic) -> list[str]:
    """Instruments on whose total a lower score is better."""
    return [
        each.name
        for each in clinic.instruments.values()
        for scale in each.scales
        if scale.name == "total" and scale.direction == "lower_better"
    ]
