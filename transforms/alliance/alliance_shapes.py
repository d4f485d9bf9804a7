"""The course of the alliance over a dyad: stable, growing, declining, or curved."""

from __future__ import annotations

import polars as pl

from rapport.transforms.alliance.alliance import LINE
from rapport.transforms.frames.exact_sums import MILLION, about_means, millionths
from rapport.transforms.statistics.students_t import critical_t
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

SHAPES = ("stable", "growth", "decline", "U", "inverted U")
STABLE_BELOW = 10  # percent of maximum: Rapport's own, no published rule gives one
LEAST_FOR_SLOPE, LEAST_FOR_CURVATURE = 4, 5  # scores


@table(
    key="first_session_id rater rater_number instrument scale",
    columns=[
        "client_id!",
        "episode_id!",
        "therapist_id",
        "first_session_id!",
        "rater!",
        "rater_number!",
        "instrument!",
        "scale!",
        "score_count!",
        Column(
            "slope",
            "number",
            "Least-squares slope of pomp on the dyad's session number; null below four scores.",
            unit="percent of maximum per session",
        ),
        Column(
            "curvature",
            "number",
            "Least-squares coefficient of the squared session number: above 0 opens upwards. Null below five scores.",
            unit="percent of maximum per session squared",
        ),
        Column(
            "is_bent",
            "truth",
            "True when curvature differs from 0 (two-sided t-test at .05, score_count - 3 degrees of freedom); null "
            "below five scores.",
        ),
        Column(
            "fitted_range",
            "number",
            "Highest minus lowest value, between the first and the last rated session, of the fitted line, or of the "
            "fitted parabola where it is bent; null below four scores.",
            unit="percent of maximum",
            between=(0, None),
        ),
        Column(
            "shape",
            "text",
            "stable: fitted_range below 10 percent of maximum (Rapport's own limit). U, inverted U: is_bent, with the "
            "turning point between the first and the last rated session. Otherwise growth or decline. Null below four "
            "scores.",
            one_of=SHAPES,
        ),
    ],
)
def alliance_shapes(alliance: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dyad, person, alliance questionnaire and scale. The shapes are those of Kivlighan & Shaughnessy 2000
    and Stiles et al. 2004 (recalled), fitted to each dyad alone and not by clustering. A fall and return within a few
    sessions is a possible rupture (table ruptures); here such a dyad may be stable."""
    fitted = (
        alliance.filter(pl.col("dyad_session_number").is_not_null())
        .with_columns(s=pl.col("dyad_session_number").cast(pl.Int64), p=millionths("pomp"))
        .with_columns(**_products())
        .group_by(LINE)
        .agg(
            pl.col("s", "p", *_products()).sum(),
            first_session_id=pl.col("session_id").min_by("dyad_session_number"),
            score_count=pl.len().cast(pl.Int32),
            start=pl.col("dyad_session_number").min(),
            end=pl.col("dyad_session_number").max(),
        )
        .with_columns(mean=pl.col("s") / pl.col("score_count"))
        .with_columns(**_about_means())
        .with_columns(pl.col("start", "end") - pl.col("mean"))
        .with_columns(slope=_if_scored(LEAST_FOR_SLOPE, (pl.col("xy") / pl.col("x2")).round(6)))
        .with_columns(**_parabola())
    )
    return fitted.with_columns(fitted_range=_fitted_range()).with_columns(shape=_shape())


def _products() -> dict[str, pl.Expr]:
    """Return the products of session number s and pomp p, in whole numbers."""
    s, p = pl.col("s"), pl.col("p")
    return {"ss": s**2, "sss": s**3, "ssss": s**4, "sp": s * p, "ssp": s**2 * p, "pp": p**2}


def _about_means() -> dict[str, pl.Expr]:
    """Return sums of powers and products of x = s - mean s and y = p - mean p, from those of s and p."""
    n, m = pl.col("score_count"), pl.col("mean")
    ss, sss, ssss = pl.col("ss"), pl.col("sss"), pl.col("ssss")
    p, sp, ssp = (pl.col(name).cast(pl.Float64) / MILLION for name in ("p", "sp", "ssp"))
    x2 = ss - n * m**2
    sums = {
        "x2": x2,
        "x3": sss - 3 * m * ss + 2 * n * m**3,
        "x4": ssss - 4 * m * sss + 6 * m**2 * ss - 3 * n * m**4,
        "xy": sp - m * p,
        "x2y": ssp - 2 * m * sp + m**2 * p - p / n * x2,
        "y2": about_means("pp", "p", "p", "score_count") / MILLION**2,
    }
    return {name: each.round(6) for name, each in sums.items()}


def _if_scored(least: int, then: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("score_count") >= least).then(then)


def _parabola() -> dict[str, pl.Expr]:
    """y = a + b x + c x2 by the normal equations, x and y centred: c is N / D, and explains N2 / D beyond the line."""
    n, x2, x3, x4, xy = (pl.col(name) for name in ("score_count", "x2", "x3", "x4", "xy"))
    numerator = pl.col("x2y") - x3 * xy / x2
    denominator = x4 - x2**2 / n - x3**2 / x2
    curvature = numerator / denominator
    explained = numerator**2 / denominator
    left = (pl.col("y2") - xy**2 / x2 - explained).round(6).clip(0, None)
    degrees = n - 3
    is_bent = (explained * degrees).round(6) > (critical_t(degrees) ** 2 * left).round(6)
    return {
        "curvature": _if_scored(LEAST_FOR_CURVATURE, curvature.round(6)),
        "is_bent": _if_scored(LEAST_FOR_CURVATURE, is_bent),
        "tilt": (xy - curvature * x3) / x2,
    }


_is_bent = pl.col("is_bent").fill_null(False)
_turn = -pl.col("tilt") / (2 * pl.col("curvature"))
_turns_within = _is_bent & (_turn > pl.col("start")) & (_turn < pl.col("end"))


def _at(place: pl.Expr) -> pl.Expr:
    return pl.col("tilt") * place + pl.col("curvature") * place**2


def _fitted_range() -> pl.Expr:
    ends = [_at(pl.col("start")), _at(pl.col("end"))]
    turned = pl.when(_turns_within).then(_at(_turn)).otherwise(ends[0])
    bent = pl.max_horizontal(*ends, turned) - pl.min_horizontal(*ends, turned)
    straight = (pl.col("slope") * (pl.col("end") - pl.col("start"))).abs()
    return pl.when(_is_bent).then(bent).otherwise(straight).round(6)


def _shape() -> pl.Expr:
    rise = pl.when(_is_bent).then(_at(pl.col("end")) - _at(pl.col("start"))).otherwise("slope")
    shape = (
        pl.when(pl.col("fitted_range") < STABLE_BELOW)
        .then(pl.lit("stable"))
        .when(_turns_within & (pl.col("curvature") > 0))
        .then(pl.lit("U"))
        .when(_turns_within)
        .then(pl.lit("inverted U"))
        .when(rise > 0)
        .then(pl.lit("growth"))
        .otherwise(pl.lit("decline"))
    )
    return _if_scored(LEAST_FOR_SLOPE, shape)
