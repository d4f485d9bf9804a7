"""Therapists' shares for funnel plots: the clients for whom a measure is true."""

from __future__ import annotations

import polars as pl

from rapport.transforms.sessions.raters import of_counted_raters

KEPT = {
    "more_than_four": "has_more_than_four",
    "dropout_judged": "is_dropout_judged",
    "dropout_missed_last": "is_dropout_missed_last",
}
CHANGED = {"reliably_improved": "improved", "reliably_deteriorated": "deteriorated"}


def therapist_shares(retention: pl.LazyFrame, outcomes: pl.LazyFrame, other_raters: pl.LazyFrame) -> pl.LazyFrame:
    """Return measure, therapist_id, numerator_count, denominator_count. Each client counts once per therapist, with the
    first episode for which it is known. Change is in any measure, in episodes that are over."""
    told = retention.filter(pl.col("first_therapist_id").is_not_null()).rename({"first_therapist_id": "therapist_id"})
    known = told.join(_changes(of_counted_raters(outcomes, other_raters)), on="episode_id", how="left").with_columns(
        pl.when("has_ended").then(pl.col(name)).alias(name) for name in CHANGED
    )
    return pl.concat([_counted(known, name, column) for name, column in (KEPT | {n: n for n in CHANGED}).items()])


def _changes(outcomes: pl.LazyFrame) -> pl.LazyFrame:
    """Return per episode with an assessable change: whether any measure improved reliably, and any deteriorated."""
    assessed = outcomes.filter(pl.col("reliable_class").is_not_null())
    return assessed.group_by("episode_id").agg(
        (pl.col("reliable_class") == word).any().alias(name) for name, word in CHANGED.items()
    )


def _counted(known: pl.LazyFrame, measure: str, column: str) -> pl.LazyFrame:
    return (
        known.filter(pl.col(column).is_not_null())
        .group_by("therapist_id", "client_id")
        .agg(pl.col(column).min_by("episode_number"))
        .group_by("therapist_id")
        .agg(numerator_count=pl.col(column).sum().cast(pl.Int32), denominator_count=pl.len().cast(pl.Int32))
        .select(pl.lit(measure).alias("measure"), "therapist_id", "numerator_count", "denominator_count")
    )
