"""Ratings at the top of the scale. Where most ratings are there, a questionnaire cannot distinguish sessions."""

from __future__ import annotations

import polars as pl

from rapport.transforms.frames.ids_as_numbers import as_numbers
from rapport.transforms.sessions.raters import of_counted_raters
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

NEAR = 98.75  # percent of maximum: 39.5 of the SRS's 40
TOO_MANY = 0.15
LINE = ("instrument", "rater", "scale", "therapist_id")


def ceiling_counts(alliance: pl.LazyFrame, other_raters: pl.LazyFrame) -> pl.LazyFrame:
    """Return counts of some clients' scores, by instrument, rater, scale, therapist and number of the quarter."""
    pomp, day = pl.col("pomp"), pl.col("session_date")
    rated = of_counted_raters(alliance, other_raters).select(
        *LINE,
        "client_id",
        quarter=day.dt.year() * 4 + day.dt.quarter() - 1,
        is_ceiling=pomp >= 100,
        is_near_ceiling=pomp >= NEAR,
    )
    return (
        rated.with_columns(as_numbers("client_id"))
        .group_by(*LINE, "quarter")
        .agg(
            rated_count=pl.len().cast(pl.Int64),
            client_count=pl.col("client_id").n_unique().cast(pl.Int64),
            ceiling_count=pl.col("is_ceiling").sum().cast(pl.Int64),
            near_ceiling_count=pl.col("is_near_ceiling").sum().cast(pl.Int64),
        )
    )


@table(
    per="clinic",
    partial=ceiling_counts,
    key="instrument rater scale therapist_id quarter_on",
    columns=[
        "instrument!",
        "rater!",
        "scale!",
        "therapist_id",
        Column("quarter_on", "date", "First day of the quarter of the sessions.", required=True),
        Column("rated_count", "integer", "Scores in the quarter.", required=True, between=(1, None)),
        "client_count!",
        Column("ceiling_count", "integer", "Scores at the maximum.", required=True, between=(0, None)),
        Column("near_ceiling_count", "integer", "Scores at 98.75 % of the maximum or more: 39.5 of 40 on the SRS."),
        Column("ceiling_share", "number", "ceiling_count / rated_count.", required=True, between=(0, 1)),
        Column(
            "is_ceiling_problem",
            "truth",
            "More than 15 % of scores at the maximum (Terwee et al. 2007, J Clin Epidemiol 60:34-42).",
            required=True,
        ),
    ],
)
def ceilings(partials: pl.LazyFrame) -> pl.LazyFrame:
    """One row per alliance questionnaire, rater, scale, therapist and quarter with a score (M04). Counts add up over
    therapists and quarters. A therapist with a high ceiling_share and a high completion may be in the room while
    clients rate. Scores of one client are not independent: client_count is the number of clients behind them."""
    counted = partials.group_by(*LINE, "quarter").agg(pl.col("^.*_count$").sum().cast(pl.Int32))
    quarter = pl.col("quarter")
    return counted.with_columns(
        quarter_on=pl.date(quarter // 4, quarter % 4 * 3 + 1, 1),
        ceiling_share=(pl.col("ceiling_count") / pl.col("rated_count")).round(9),
        is_ceiling_problem=pl.col("ceiling_count") > TOO_MANY * pl.col("rated_count"),
    )
