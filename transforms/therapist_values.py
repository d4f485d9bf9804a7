"""One value per client and therapist, of what therapists are compared on."""

from __future__ import annotations

import polars as pl

GROUP = ("measure", "instrument", "rater", "scale")


def therapist_values(early_alliance: pl.LazyFrame, outcomes: pl.LazyFrame, retention: pl.LazyFrame) -> pl.DataFrame:
    """measure, instrument, rater, scale, therapist_id, client_id, value: total scales only. Of several episodes of a
    client with a therapist the first with a value counts, so that values are of different people."""
    opened = retention.select("episode_id", "opened_on", "is_over", "first_therapist_id")
    values = pl.concat([_early(early_alliance, opened), _residual(outcomes, opened)])
    return (
        values.filter(pl.col("therapist_id").is_not_null(), pl.col("scale") == "total")
        .sort("opened_on", "episode_id")
        .unique([*GROUP, "therapist_id", "client_id"], keep="first", maintain_order=True)
        .sort(*GROUP, "therapist_id", "client_id")
        .select(*GROUP, "therapist_id", "client_id", "value")
        .collect()
    )


def _early(early_alliance: pl.LazyFrame, opened: pl.LazyFrame) -> pl.LazyFrame:
    """As clients and caregivers see it: how therapists rate themselves is not compared."""
    seen = early_alliance.filter(pl.col("rater").is_in(["client", "caregiver"]))
    named = seen.select("episode_id", "therapist_id", "client_id", *GROUP[1:], value="pomp")
    return _in_order(named.join(opened, on="episode_id"), "early_alliance")


def _residual(outcomes: pl.LazyFrame, opened: pl.LazyFrame) -> pl.LazyFrame:
    """The latest score of an episode that is over, less what the clinic's line on the first score expects; turned so
    that above 0 is better."""
    line = ["instrument", "rater", "scale"]
    paired = outcomes.filter(
        pl.col("last_score").is_not_null(), pl.col("compared") == "score", pl.col("basis") == "computed"
    ).join(opened, on="episode_id")
    first, last = pl.col("first_score"), pl.col("last_score")
    centred = first - first.mean().over(line)
    slope = (centred * last).sum().over(line) / (centred**2).sum().over(line)
    better = pl.when(pl.col("improvement") == pl.col("total_change")).then(1.0).otherwise(-1.0)
    residual = last - last.mean().over(line) - slope.fill_nan(0.0) * centred
    over = paired.filter("is_over").with_columns(value=(better * residual).round(9), therapist_id="first_therapist_id")
    return _in_order(over, "residual_outcome")


def _in_order(valued: pl.LazyFrame, measure: str) -> pl.LazyFrame:
    columns = ("therapist_id", "client_id", "episode_id", "opened_on", "value")
    return valued.select(pl.lit(measure).alias("measure"), *GROUP[1:], *columns)
