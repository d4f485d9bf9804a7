"""Goals: their owners, and how far they are reached (Goal-Based Outcomes)."""

from __future__ import annotations

import polars as pl

from rapport.warehouse.schema.columns import OWNERS, Column
from rapport.warehouse.schema.tables import table


@table(
    key="episode_id rater rater_number goal",
    columns=[
        "client_id!",
        "episode_id!",
        "rater!",
        "rater_number!",
        Column("goal", "integer", "The goal's number, in the order of setting.", required=True, between=(1, None)),
        Column(
            "goal_owner",
            "text",
            "The goal's owner, as first stated in the episode (plain format, column about); null where not stated.",
            one_of=OWNERS,
        ),
        "score_count!",
        "first_score",
        "last_score",
        Column(
            "goal_change", "number", "last_score minus first_score; null while there is only one.", between=(-10, 10)
        ),
        Column(
            "is_reliably_nearer",
            "truth",
            "Whether goal_change reaches outcomes.change_amount (3 points, NHS England MHSDS); null where it is not "
            "known.",
        ),
    ],
)
def goals(
    outcomes: pl.LazyFrame, responses: pl.LazyFrame, response_records: pl.LazyFrame, sessions: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per episode, person and goal of Goal-Based Outcomes (Law & Jacob 2015), rated from 0 to 10 (reached). A
    goal keeps its number through an episode. The share of the client's own goals is a measure of collaboration. Every
    rating over time is in scores (gbo, scales goal_1 to goal_3)."""
    rated = (
        outcomes.filter(pl.col("instrument") == "gbo", pl.col("scale") != "total")
        .with_columns(goal=pl.col("scale").str.strip_prefix("goal_").cast(pl.Int32))
        .sort("basis")
        .unique(["episode_id", "rater", "rater_number", "goal"], keep="first", maintain_order=True)
    )
    return rated.join(_owners(responses, response_records, sessions), on=["episode_id", "goal"], how="left").select(
        *("client_id", "episode_id", "rater", "rater_number", "goal", "goal_owner"),
        *("score_count", "first_score", "last_score"),
        goal_change="total_change",
        is_reliably_nearer=pl.col("reliable_class") == "improved",
    )


def _owners(responses: pl.LazyFrame, response_records: pl.LazyFrame, sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Return per episode and goal the first stated owner, from any rater."""
    stated = response_records.filter(pl.col("instrument") == "gbo", pl.col("goal_owners").is_not_null())
    return (
        stated.select("source", "response_id", "loaded_number", goal_owner="goal_owners")
        .with_columns(goal=pl.int_ranges(1, pl.col("goal_owner").list.len() + 1, dtype=pl.Int32))
        .explode("goal_owner", "goal")
        .filter(pl.col("goal_owner").is_not_null())
        .join(responses.select("source", "response_id", "session_id", "rater"), on=["source", "response_id"])
        .join(sessions.select("session_id", "episode_id", "client_session_number"), on="session_id")
        .sort("client_session_number", "rater", "loaded_number")
        .unique(["episode_id", "goal"], keep="first", maintain_order=True)
        .select("episode_id", "goal", "goal_owner")
    )
