"""Logistic regression with one predictor."""

from __future__ import annotations

from math import exp

import polars as pl

from rapport.transforms.statistics.estimates import Z_95, Found, estimated, largest_share, why_no_odds, why_none


def log_odds(predictor: pl.Series, is_so: pl.Series) -> Found:
    """Return, for one pair per client: estimate, standard_error, low, high and odds_ratio (exp(estimate)), by Wald; and
    largest_share of the predictor; or why_no_estimate."""
    share = largest_share(predictor)
    if why := why_none(len(predictor), share) or why_no_odds(predictor, is_so):
        return {"largest_share": share, "why_no_estimate": why}
    estimate, error = _fitted(predictor, is_so)
    ends = (estimate - Z_95 * error, estimate + Z_95 * error)
    return {"largest_share": share, **estimated(estimate, error, *ends, odds_ratio=exp(estimate))}


def _fitted(predictor: pl.Series, is_so: pl.Series) -> tuple[float, float]:
    """Return estimate and error. The pairs are sorted by value, so that the result does not depend on their order."""
    from statsmodels.discrete.discrete_model import Logit  # noqa: PLC0415  costly to import

    pairs = pl.DataFrame({"predictor": predictor, "is_so": is_so.cast(pl.Float64)}).sort("predictor", "is_so")
    design = pairs.select(constant=pl.lit(1.0), predictor=pl.col("predictor") - pl.col("predictor").mean())
    fitted = Logit(pairs["is_so"].to_numpy(), design.to_numpy()).fit(disp=0)
    return float(fitted.params[1]), float(fitted.bse[1])
