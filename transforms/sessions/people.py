"""Clients and therapists."""

from __future__ import annotations

import polars as pl

from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table


@table(
    key="client_id",
    columns=[
        "client_id!",
        "sex",
        "session_count!",
        "first_session_on",
        "last_session_on",
        Column("episode_count", "integer", "Episodes of care.", required=True, between=(0, None)),
    ],
)
def clients(
    client_ids: pl.LazyFrame, client_records: pl.LazyFrame, sessions: pl.LazyFrame, episodes: pl.LazyFrame
) -> pl.LazyFrame:
    """One row per client that any export mentions."""
    described = (
        client_records.sort("exported_at", "source", "loaded_number")
        .group_by("client_id")
        .agg(pl.col("sex").drop_nulls().last())
    )
    seen = sessions.group_by("client_id").agg(
        session_count=pl.len().cast(pl.Int32),
        first_session_on=pl.col("session_date").min(),
        last_session_on=pl.col("session_date").max(),
    )
    counted = episodes.group_by("client_id").agg(episode_count=pl.len().cast(pl.Int32))
    joined = client_ids
    for known in (described, seen, counted):
        joined = joined.join(known, on="client_id", how="left")
    return joined.with_columns(pl.col("session_count", "episode_count").fill_null(0))


@table(
    per="clinic",
    key="therapist_id",
    columns=[
        "therapist_id!",
        "session_count!",
        "client_count!",
        "first_session_on",
        "last_session_on",
    ],
)
def therapists(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """One row per therapist who held an attended session, alone or as its lead."""
    return (
        sessions.filter(pl.col("therapist_id").is_not_null())
        .group_by("therapist_id")
        .agg(
            session_count=pl.len().cast(pl.Int32),
            client_count=pl.col("client_id").n_unique().cast(pl.Int32),
            first_session_on=pl.col("session_date").min(),
            last_session_on=pl.col("session_date").max(),
        )
    )
