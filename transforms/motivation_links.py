"""Does motivation go with the alliance, here?"""

from __future__ import annotations

import polars as pl

from transforms.motivation import RATERS
from warehouse.columns import Column
from warehouse.tables import table

LEAST_EPISODES = 10
_Z_95 = 1.959964
MEASURES = ("first motivation", "early change")


@table(
    per="clinic",
    key="rater instrument scale motivation_measure",
    columns=[
        "rater!",
        "instrument!",
        "scale!",
        Column(
            "motivation_measure",
            "text",
            "What is set against the rater's early alliance: how motivated they were at first, or how that changed.",
            required=True,
            one_of=MEASURES,
        ),
        Column("pair_count", "integer", "Episodes that have both.", required=True, between=(0, None)),
        Column(
            "alliance_correlation",
            "number",
            "Pearson's r over episodes, of the measure with the same rater's early alliance (pomp). Null below ten "
            "episodes, and where either never varies.",
            between=(-1, 1),
        ),
        Column(
            "correlation_low",
            "number",
            "Lower end of its 95 % interval (Fisher's z); null without one.",
            between=(-1, 1),
        ),
        Column("correlation_high", "number", "Its upper end.", between=(-1, 1)),
    ],
)
def motivation_links(motivation: pl.LazyFrame) -> pl.LazyFrame:
    """One row per rater, motivation scale and measure: whether clients (caregivers) with the stronger early alliance
    are those whose motivation was high, or rose. A correlation between people over the same sessions, and no cause in
    either direction. A client with two episodes counts twice. The least of ten episodes is Rapport's own."""
    columns = {"first motivation": "first_pomp", "early change": "early_change"}
    pairs = [
        motivation.select(
            "instrument",
            "scale",
            rater=pl.lit(rater),
            motivation_measure=pl.lit(measure),
            x=f"{rater}_{column}",
            y=f"{rater}_alliance",
        )
        for rater in RATERS
        for measure, column in columns.items()
    ]
    known = pl.concat(pairs).filter(pl.col("x").is_not_null() & pl.col("y").is_not_null()).sort("x", "y")
    n, r = pl.col("pair_count"), pl.col("alliance_correlation")
    found = known.group_by("rater", "instrument", "scale", "motivation_measure").agg(
        pair_count=pl.len().cast(pl.Int32), found=pl.corr("x", "y")
    )
    is_known = (n >= LEAST_EPISODES) & pl.col("found").is_finite()
    half = _Z_95 / (n - 3).sqrt()
    return found.with_columns(
        alliance_correlation=pl.when(is_known).then(pl.col("found").clip(-1, 1).round(6))
    ).with_columns(
        correlation_low=(r.arctanh() - half).tanh().round(6), correlation_high=(r.arctanh() + half).tanh().round(6)
    )
