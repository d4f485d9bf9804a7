"""Funnel plots of therapists' shares: the range expected by chance alone, given the number of clients.

Spiegelhalter 2005, Stat Med 24:1185-1202. Limits are not for ranking.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from rapport.transforms.frames.typed_rows import frame_of_rows
from rapport.transforms.statistics.estimates import Z_95
from rapport.transforms.therapists.therapist_shares import therapist_shares
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import NO_WIDTH, Column
from rapport.warehouse.schema.tables import table

Z_998 = 3.09
TAILS = {"low_998": 0.001, "low_95": 0.025, "high_95": 0.975, "high_998": 0.999}
SIGNS = {"low_998": -Z_998, "low_95": -Z_95, "high_95": Z_95, "high_998": Z_998}
WINSORISED_SHARE = 0.1
POSITIONS = ("below 99.8 %", "below 95 %", "within", "above 95 %", "above 99.8 %")


def _limit(name: str, how: str) -> Column:
    side, level = name.rsplit("_", 2)[-2:]
    return Column(name, "number", f"{how}: the {side} limit at {level.replace('998', '99.8')} %.", between=(0, 1))


@table(
    per="clinic",
    key="measure therapist_id",
    columns=[
        "measure!",
        "therapist_id!",
        "numerator_count!",
        "denominator_count!",
        "share!",
        "target_share!",
        Column("z", "number", "(share - target) / sqrt(target (1 - target) / n); null where the target is 0 or 1."),
        Column("adjusted_z", "number", "z / sqrt(over-dispersion), where the limits are widened for it; else z."),
        Column("position", "text", "The range that contains adjusted_z; null where that is null.", one_of=POSITIONS),
    ],
)
def funnel_points(
    retention: pl.LazyFrame, outcomes: pl.LazyFrame, other_raters: pl.LazyFrame, clinic: Clinic
) -> pl.LazyFrame:
    """One row per measure (more_than_four, dropout_judged, dropout_missed_last, reliably_improved,
    reliably_deteriorated) and therapist with at least the minimum caseload: the share of the therapist's clients for
    whom it is true, against the clinic's own share. A client counts once per therapist, with the first episode for
    which it is known."""
    points = _points(retention, outcomes, other_raters, clinic)
    return points.join(_targets(points), on="measure").with_columns(*_position()).lazy()


def _points(
    retention: pl.LazyFrame, outcomes: pl.LazyFrame, other_raters: pl.LazyFrame, clinic: Clinic
) -> pl.DataFrame:
    counted = therapist_shares(retention, outcomes, other_raters)
    target = pl.col("numerator_count").sum() / pl.col("denominator_count").sum()
    share = pl.col("numerator_count") / pl.col("denominator_count")
    error = (pl.col("target_share") * (1 - pl.col("target_share")) / pl.col("denominator_count")).sqrt()
    return (
        counted.with_columns(target_share=target.over("measure"), share=share)
        .filter(pl.col("denominator_count") >= clinic.minimum_caseload)
        .with_columns(z=pl.when(error > 0).then((pl.col("share") - pl.col("target_share")) / error))
        .with_columns(pl.col("target_share", "share", "z").round(9))
        .sort("measure", "denominator_count", "numerator_count")
        .collect()
    )


def _targets(points: pl.DataFrame) -> pl.DataFrame:
    """Return measure, overdispersion (phi) and is_inflated."""
    rows = [(name, *overdispersion(its["z"].drop_nulls().to_numpy())) for (name,), its in _parts(points)]
    return pl.DataFrame(rows, schema={"measure": pl.String, "phi": pl.Float64, "is_inflated": pl.Boolean}, orient="row")


def _parts(points: pl.DataFrame) -> list[tuple[tuple[str], pl.DataFrame]]:
    return sorted(points.partition_by("measure", as_dict=True).items())


def overdispersion(z: np.ndarray) -> tuple[float | None, bool]:
    """Return phi and whether limits are widened for it: phi > 1 + 2 sqrt(2 / J) (recalled). phi is the mean of z^2,
    winsorised: the most extreme tenth at each end takes the next value. None without any z."""
    if not len(z):
        return None, False
    ordered, cut = np.sort(z), int(WINSORISED_SHARE * len(z))
    drawn_in = np.clip(ordered, ordered[cut], ordered[len(z) - 1 - cut])
    phi = round(float(np.mean(drawn_in**2)), 9)
    return phi, bool(phi > 1 + 2 * np.sqrt(2 / len(z)))


def _position() -> list[pl.Expr]:
    inflated = pl.when("is_inflated").then(pl.col("phi").sqrt()).otherwise(1.0)
    z = (pl.col("z") / inflated).round(9)
    low_998, low_95, within, high_95, high_998 = map(pl.lit, POSITIONS)
    position = pl.when(z < -Z_998).then(low_998).when(z < -Z_95).then(low_95).when(z > Z_998).then(high_998)
    return [
        z.alias("adjusted_z"),
        position.when(z > Z_95).then(high_95).when(z.is_not_null()).then(within).alias("position"),
    ]


@table(
    per="clinic",
    key="measure denominator_count",
    columns=[
        "measure!",
        "denominator_count!",
        "target_share!",
        Column("overdispersion", "number", "phi: mean of winsorised z^2; about 1 if only chance is at work."),
        Column(
            "is_inflated",
            "truth",
            "Whether phi > 1 + 2 sqrt(2 / therapists). Then the approximate limits are widened by the root of phi.",
            required=True,
        ),
        *(
            _limit(f"approximate_{name}", "target +/- z sqrt(target (1 - target) / n), 1.959964 or 3.09")
            for name in TAILS
        ),
        *(_limit(f"exact_{name}", "From the binomial distribution, interpolated, not widened") for name in TAILS),
    ],
)
def funnel_limits(funnel_points: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """One row per measure of funnel_points and number of clients, from the minimum caseload to the largest caseload:
    the control limits around the clinic's share (M24). Exact: (r - a) / n with r the binomial quantile of p and a =
    (F(r) - p) / f(r). All limits are cut at 0 and 1. They are null where the upper and lower limit are equal, for
    example where the clinic's share is 0 or 1."""
    points = funnel_points.select("measure", "denominator_count", "target_share", "z").collect()
    made = [
        _limits(name, its, *overdispersion(its.sort("z")["z"].drop_nulls().to_numpy()), clinic.minimum_caseload)
        for (name,), its in _parts(points)
    ]
    return frame_of_rows(funnel_limits, [row for rows in made for row in rows])


def _limits(
    name: str, points: pl.DataFrame, phi: float | None, is_inflated: bool, smallest: int
) -> list[Mapping[str, object]]:
    target = points["target_share"][0]
    n = np.arange(smallest, max(points["denominator_count"].to_list()) + 1)
    width = np.sqrt(target * (1 - target) / n) * (np.sqrt(phi) if phi and is_inflated else 1.0)
    limits = {f"approximate_{at}": np.clip(target + sign * width, 0, 1) for at, sign in SIGNS.items()}
    limits |= {f"exact_{at}": exact_limit(n, target, tail) for at, tail in TAILS.items()}
    limits = {at: _with_width(each, limits[_other_side(at)]) for at, each in limits.items()}
    same = {"measure": name, "target_share": target, "overdispersion": phi, "is_inflated": is_inflated}
    columns = {"denominator_count": n.tolist()} | {at: each.round(9).to_list() for at, each in limits.items()}
    return [same | dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _other_side(limit: str) -> str:
    return limit.replace("low", "high") if "low" in limit else limit.replace("high", "low")


def _with_width(one: np.ndarray, other: np.ndarray) -> pl.Series:
    """Return a limit; null where the limit on the other side is equal."""
    return pl.Series(np.where(np.abs(one - other) > NO_WIDTH, one, np.nan)).fill_nan(None)


def exact_limit(n: np.ndarray, target: float, tail: float) -> np.ndarray:
    """Return the binomial quantile, interpolated so that limits fall smoothly with n (Spiegelhalter 2005, appendix)."""
    from scipy.stats import binom  # noqa: PLC0415  costly to import

    if target in (0, 1):
        return np.full(len(n), float(target))
    r = binom.ppf(tail, n, target)
    above = (binom.cdf(r, n, target) - tail) / binom.pmf(r, n, target)
    return np.asarray(np.clip((r - above) / n, 0, 1))
