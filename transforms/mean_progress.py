"""Mean progress: how far first and latest scores are apart on average, over those who have both."""

from __future__ import annotations

import polars as pl

from transforms.students_t import critical_t
from warehouse.columns import Column
from warehouse.tables import table

LINE = ("instrument", "rater", "scale", "compared", "basis")


@table(
    per="clinic",
    key="instrument rater scale compared basis",
    columns=[
        "instrument!",
        "rater!",
        "scale!",
        "compared!",
        "basis!",
        Column("first_count", "integer", "Episodes with a first score.", required=True, between=(1, None)),
        Column("paired_count", "integer", "Of them, those with a latest score too.", required=True, between=(0, None)),
        "client_count!",
        Column("first_mean", "number", "Mean of the first scores of the paired; null without any."),
        Column("last_mean", "number", "Mean of their latest scores; null without any."),
        Column(
            "mean_progress",
            "number",
            "Mean of their improvement (table outcomes): above 0 is better, whatever the direction of the scale.",
        ),
        Column("progress_sd", "number", "Standard deviation of it (n - 1); null below two pairs.", between=(0, None)),
        "low",
        "high",
    ],
)
def mean_progress(outcomes: pl.LazyFrame) -> pl.LazyFrame:
    """One row per scale of an outcome measure and rater: the mean of what each episode gained, with Student's 95 %
    interval (null below two pairs). Only paired episodes are in a mean: the difference of two means over different
    people says who left, not what changed. Latest scores are so far, so episodes under way are in it; a change over
    time is not a treatment's effect, and scores as far out as first ones fall back a little by themselves."""
    better = pl.col("improvement")
    paired = better.is_not_null()
    counted = outcomes.group_by(LINE).agg(
        first_count=pl.len().cast(pl.Int32),
        paired_count=paired.sum().cast(pl.Int32),
        client_count=pl.col("client_id").n_unique().cast(pl.Int32),
        first_mean=pl.col("first_score").filter(paired).mean(),
        last_mean=pl.col("last_score").filter(paired).mean(),
        mean_progress=better.mean(),
        progress_sd=better.std(),
    )
    half = critical_t(pl.col("paired_count") - 1) * pl.col("progress_sd") / pl.col("paired_count").sqrt()
    return counted.with_columns(low=pl.col("mean_progress") - half, high=pl.col("mean_progress") + half).with_columns(
        pl.col(pl.Float64).round(9)
    )
