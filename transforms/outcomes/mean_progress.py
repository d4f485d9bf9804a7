"""Mean progress: the mean difference between first and latest scores, over clients with both."""

from __future__ import annotations

import polars as pl

from rapport.transforms.sessions.raters import of_counted_raters
from rapport.transforms.statistics.estimates import first_of_clients, with_width
from rapport.transforms.statistics.students_t import critical_t
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

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
        Column("paired_count", "integer", "Episodes with a latest score too.", required=True, between=(0, None)),
        "client_count!",
        Column("first_mean", "number", "Mean of the clients' first scores; null without any."),
        Column("last_mean", "number", "Mean of their latest scores; null without any."),
        Column(
            "mean_progress",
            "number",
            "Mean improvement of these clients (table outcomes): above 0 is better, for both directions of scales.",
        ),
        Column("progress_sd", "number", "Standard deviation (n - 1) of it; null below two clients.", between=(0, None)),
        "low",
        "high",
    ],
)
def mean_progress(outcomes: pl.LazyFrame, other_raters: pl.LazyFrame, episodes: pl.LazyFrame) -> pl.LazyFrame:
    """One row per scale of an outcome measure and rater: the mean improvement of the clients, with Student's 95 %
    interval (null below two clients, and where all improved by the same amount). Each client counts once, with the
    first episode that has a first and a latest score; client_count is their number. Only paired episodes are in a mean:
    a difference of two means over different people shows who left, not what changed. Latest scores are the latest so
    far, so open episodes are included. A change over time is not the effect of a treatment, and extreme first scores
    move a little towards the mean by themselves."""
    is_paired = pl.col("improvement").is_not_null()
    rated = of_counted_raters(outcomes, other_raters)
    counted = rated.group_by(LINE).agg(first_count=pl.len().cast(pl.Int32), paired_count=is_paired.sum().cast(pl.Int32))
    numbered = rated.filter(is_paired).join(episodes.select("episode_id", "episode_number"), on="episode_id")
    means = first_of_clients(numbered, *LINE).group_by(LINE).agg(**_means())
    made = counted.join(means, on=LINE, how="left").with_columns(pl.col("client_count").fill_null(0))
    half = critical_t(pl.col("client_count") - 1) * pl.col("progress_sd") / pl.col("client_count").sqrt()
    ends = {"low": pl.col("mean_progress") - half, "high": pl.col("mean_progress") + half}
    return made.with_columns(**with_width(ends)).with_columns(pl.col(pl.Float64).round(9))


def _means() -> dict[str, pl.Expr]:
    better = pl.col("improvement")
    return {
        "client_count": pl.len().cast(pl.Int32),
        # Sorted, because the last digits of a sum of decimals depend on the order of the rows.
        "first_mean": pl.col("first_score").sort().mean(),
        "last_mean": pl.col("last_score").sort().mean(),
        "mean_progress": better.sort().mean(),
        "progress_sd": better.sort().std(),
    }
