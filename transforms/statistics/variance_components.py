"""The variance of a measure between therapists, and each therapist's shrunken effect.

Searle, Casella & McCulloch 1992, Variance Components (unbalanced one-way layout); Efron & Morris 1975, J Am Stat Assoc
70:311-319 (shrinkage). One-way, random effects; therapists may have different numbers of clients.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from rapport.transforms.statistics.estimates import CONSTANT, NO_ERROR
from rapport.warehouse.schema.columns import NO_WIDTH


def by_therapist(values: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame:
    """Return `value` by therapist: client_count, therapist_mean and squares (the therapist's own sum of squares). Rows
    are in the order of means, so that sums over therapists do not depend on their ids."""
    return (
        values.group_by(*group, "therapist_id")
        .agg(
            client_count=pl.len().cast(pl.Int32),
            therapist_mean=pl.col("value").mean(),
            squares=(pl.col("value") - pl.col("value").mean()).pow(2).sum(),
        )
        .sort(*group, "therapist_mean", "client_count", "squares")
    )


def components(therapists: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame:
    """Return per group, from `by_therapist`: therapist_count, client_count, mean_square_between and _within, the
    therapists' effective size n0 = (N - sum n^2 / N) / (J - 1), between_variance tau2 = max(0, (MSB - MSW) / n0),
    within_variance = MSW, and variance_share = tau2 / (tau2 + MSW). It is 0, never negative, where MSB is below MSW.
    Null below two therapists, and where no therapist has two clients. variance_share is also null where clients of one
    therapist do not vary."""
    n, mean = pl.col("client_count"), pl.col("therapist_mean")
    total, count = n.sum(), pl.len()
    grand = (n * mean).sum() / total
    sums = therapists.group_by(group, maintain_order=True).agg(
        therapist_count=count.cast(pl.Int32),
        total_count=total.cast(pl.Int32),
        mean_square_between=pl.when((count > 1).first()).then((n * (mean - grand).pow(2)).sum() / (count - 1)),
        within_variance=pl.when((total > count).first()).then(pl.col("squares").sum() / (total - count)),
        effective_size=pl.when((count > 1).first()).then((total - n.pow(2).sum() / total) / (count - 1)),
    )
    excess = (pl.col("mean_square_between") - pl.col("within_variance")) / pl.col("effective_size")
    tau2 = pl.max_horizontal(pl.lit(0.0), excess)
    known = sums.with_columns(between_variance=pl.when(excess.is_not_null()).then(tau2))
    return known.with_columns(variance_share=_share(pl.col("between_variance"), pl.col("within_variance")))


def _share(between: pl.Expr, within: pl.Expr) -> pl.Expr:
    """Return variance_share; null where clients of one therapist do not vary: then it has no error."""
    return pl.when(within > NO_WIDTH).then(between / (between + within))


def shrunken(therapists: pl.DataFrame, parts: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame:
    """Return the therapists of `by_therapist` with mean_reliability lambda = tau2 / (tau2 + MSW / n), clinic_mean (each
    therapist weighted by 1 / (tau2 + MSW / n)), raw_effect, shrunken_effect = lambda x raw and standard_error =
    sqrt(tau2 (1 - lambda)). No rows where there are no components. Without an error there is no shrunken_effect but
    why_no_estimate: tau2 is 0 (chance explains all differences between therapists), or MSW is 0."""
    tau2, n = pl.col("between_variance"), pl.col("client_count")
    error = tau2 + pl.col("within_variance") / n
    weight = pl.when(error == 0).then(n.cast(pl.Float64)).otherwise(1 / error)
    joined = therapists.join(parts.select(*group, "between_variance", "within_variance"), on=list(group))
    mean = ((weight * pl.col("therapist_mean")).sum() / weight.sum()).over(group)
    mean_reliability = pl.when(error == 0).then(0.0).otherwise(tau2 / error)
    raw = pl.col("therapist_mean") - pl.col("clinic_mean")
    standard_error = (tau2 * (1 - pl.col("mean_reliability"))).sqrt()
    has_error = standard_error > NO_WIDTH
    why = pl.when(tau2 > 0).then(pl.lit(NO_ERROR)).otherwise(pl.lit(CONSTANT))
    return (
        joined.with_columns(clinic_mean=mean, mean_reliability=mean_reliability)
        .filter(pl.col("between_variance").is_not_null())
        .with_columns(
            raw_effect=raw,
            shrunken_effect=pl.when(has_error).then(pl.col("mean_reliability") * raw),
            standard_error=pl.when(has_error).then(standard_error),
            why_no_estimate=pl.when(~has_error).then(why),
        )
    )
