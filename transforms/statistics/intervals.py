"""Intervals of shares."""

from __future__ import annotations

import polars as pl


def with_wilson(counted: pl.DataFrame) -> pl.DataFrame:
    """Return a frame (numerator_count and denominator_count) with `share` and its 95 % interval `low` to `high`.

    By Wilson 1927, J Am Stat Assoc 22:209-212 (method 3 of Newcombe 1998, Stat Med 17:857-872). Unlike the usual
    approximation it stays within 0 to 1 and has a width at 0 and at 1. All three are null where the denominator is
    0."""
    from statsmodels.stats.proportion import proportion_confint  # noqa: PLC0415  costly to import

    numerator, denominator = counted["numerator_count"].to_numpy(), counted["denominator_count"].to_numpy()
    low, high = proportion_confint(numerator, denominator.clip(1), alpha=0.05, method="wilson")
    made = counted.with_columns(
        share=pl.col("numerator_count") / pl.col("denominator_count"), low=pl.Series(low), high=pl.Series(high)
    )
    known = pl.col("denominator_count") > 0
    return made.with_columns(
        pl.when(known).then(pl.col(name).cast(pl.Float64).clip(0, 1).round(9)).alias(name)
        for name in ("share", "low", "high")
    )
