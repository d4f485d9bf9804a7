"""Therapist effects: the variance between therapists, and a shrunken effect of each therapist with its interval.

Published shares are about 5 to 8 % of outcome variance (5 % Wampold & Brown 2005; 5.8 % Saxon & Barkham 2016; Schiefele
et al. 2017). A raw ranking of therapists is therefore mostly noise.
"""

from __future__ import annotations

import polars as pl

from rapport.transforms.statistics.estimates import Z_95, with_width
from rapport.transforms.statistics.variance_components import by_therapist, components, shrunken
from rapport.transforms.therapists.therapist_values import GROUP, therapist_values
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table


@table(
    per="clinic",
    key="measure instrument rater scale",
    columns=[
        "measure!",
        "instrument!",
        "rater!",
        "scale!",
        "therapist_count!",
        "client_count!",
        Column(
            "between_variance",
            "number",
            "tau2 = max(0, (MSB - MSW) / n0), n0 = (N - sum of n^2 / N) / (J - 1), by analysis of variance; null below "
            "two therapists, and where no therapist has two clients.",
            between=(0, None),
        ),
        Column("within_variance", "number", "MSW, the variance among one therapist's clients.", between=(0, None)),
        Column(
            "variance_share",
            "number",
            "The intraclass correlation, tau2 / (tau2 + MSW): the share of the variance between therapists; 0 where "
            "MSB is below MSW, null where MSW is 0. Published shares are about 0.05 to 0.08.",
            between=(0, 1),
        ),
        Column(
            "low_share",
            "number",
            "Lower end of its 95 % interval (F; n0 where sizes differ); null where the interval has no width.",
            between=(0, 1),
        ),
        Column("high_share", "number", "Upper end of its 95 % interval.", between=(0, 1)),
    ],
)
def therapist_variances(
    early_alliance: pl.LazyFrame,
    outcomes: pl.LazyFrame,
    other_raters: pl.LazyFrame,
    retention: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """One row per measure on which therapists are compared, with the variance between therapists (M22; Searle, Casella
    & McCulloch 1992). early_alliance: table early_alliance, in percent of maximum, as clients and caregivers see it.
    residual_outcome: the latest score of an episode that is over, minus the score that the clinic's regression line
    predicts from the first score. It is in the instrument's points, turned so that above 0 is better, and counts for
    the episode's first therapist. Each client counts once per therapist; client_count is the number of different
    clients. Clients are not assigned to therapists at random: a share is not a cause. The interval is from the F
    distribution, exact only where all therapists have equally many clients."""
    values = therapist_values(early_alliance, outcomes, other_raters, retention, clinic)
    clients = values.group_by(GROUP).agg(client_count=pl.col("client_id").n_unique().cast(pl.Int32))
    parts = components(by_therapist(values, GROUP), GROUP).join(clients, on=GROUP)
    return _with_interval(parts).with_columns(pl.col(pl.Float64).round(9)).lazy()


def _with_interval(parts: pl.DataFrame) -> pl.DataFrame:
    """Searle 1971: (F/Fq - 1) / (F/Fq + n0 - 1), with F = MSB/MSW; never below 0."""
    from scipy.stats import f  # noqa: PLC0415  costly to import

    j, n = parts["therapist_count"].to_numpy(), parts["total_count"].to_numpy()
    degrees = (j - 1).clip(1), (n - j).clip(1)
    within = pl.col("within_variance")
    ratio = pl.when(within > 0).then(pl.col("mean_square_between") / within)
    size = pl.col("effective_size")
    made = parts.with_columns(lower=pl.Series(f.ppf(0.975, *degrees)), upper=pl.Series(f.ppf(0.025, *degrees)))
    ends = {
        name: ((ratio / pl.col(at) - 1) / (ratio / pl.col(at) + size - 1)).clip(0, 1)
        for name, at in (("low_share", "lower"), ("high_share", "upper"))
    }
    return made.with_columns(**with_width(ends))


@table(
    per="clinic",
    key="measure instrument rater scale therapist_id",
    columns=[
        "measure!",
        "instrument!",
        "rater!",
        "scale!",
        "therapist_id!",
        "client_count!",
        Column("therapist_mean", "number", "Mean of the therapist's clients, unadjusted.", required=True),
        Column("clinic_mean", "number", "Mean over therapists, each weighted by 1 / (tau2 + MSW / n).", required=True),
        Column("raw_effect", "number", "therapist_mean minus clinic_mean: mostly noise in small caseloads."),
        Column(
            "mean_reliability",
            "number",
            "lambda = tau2 / (tau2 + MSW / n): the share of the raw effect that remains.",
            required=True,
            between=(0, 1),
        ),
        Column(
            "shrunken_effect",
            "number",
            "mean_reliability x raw_effect, the empirical Bayes estimate; null where why_no_estimate has a reason.",
        ),
        "standard_error",
        "low",
        "high",
        "why_no_estimate",
    ],
)
def therapist_effects(
    early_alliance: pl.LazyFrame,
    outcomes: pl.LazyFrame,
    other_raters: pl.LazyFrame,
    retention: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """One row per measure and therapist with at least the minimum caseload of different clients (clinic.toml
    minimum_caseload, by default 15). Therapists with fewer count in the variances and are not shown. The interval is
    shrunken_effect +/- 1.959964 x sqrt(tau2 (1 - mean_reliability)), with the variances taken as known (M23; Efron &
    Morris 1975). Where therapists do not differ beyond chance (tau2 is 0) no effect is estimated. Not for ranking:
    where intervals overlap, the order is not known."""
    therapists = by_therapist(therapist_values(early_alliance, outcomes, other_raters, retention, clinic), GROUP)
    effects = shrunken(therapists, components(therapists, GROUP), GROUP)
    spread = Z_95 * pl.col("standard_error")
    return (
        effects.lazy()
        .filter(pl.col("client_count") >= clinic.minimum_caseload)
        .with_columns(low=pl.col("shrunken_effect") - spread, high=pl.col("shrunken_effect") + spread)
        .with_columns(pl.col(pl.Float64).round(9))
    )
