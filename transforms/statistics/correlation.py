"""Pearson's correlation with its interval."""

from __future__ import annotations

from math import atanh, sqrt, tanh

import polars as pl

from rapport.transforms.statistics.estimates import (
    CONSTANT,
    NO_ERROR,
    Z_95,
    Found,
    estimated,
    largest_share,
    varies,
    why_none,
)


def correlation(one: pl.Series, other: pl.Series) -> Found:
    """Return, for one pair per client: estimate, standard_error ((1 - r^2) / sqrt(n - 1)), low and high by Fisher's z
    (atanh(r) +/- 1.959964 / sqrt(n - 3)), and largest_share of `one`; or why_no_estimate."""
    share = largest_share(one)
    if why := why_none(len(one), share) or (None if varies(other) else CONSTANT):
        return {"largest_share": share, "why_no_estimate": why}
    return {"largest_share": share, **fisher(*_r(one, other))}


def _r(one: pl.Series, other: pl.Series) -> tuple[float, int]:
    """Return r and n. The pairs are sorted by their values, so that the result does not depend on their order."""
    pairs = pl.DataFrame({"one": one, "other": other}).sort("one", "other")
    r = pairs.select(pl.corr("one", "other")).item()
    return max(-1.0, min(1.0, r)), pairs.height


def fisher(r: float, n: int) -> Found:
    """Return the interval of a correlation of n pairs, at least four."""
    if abs(r) == 1:
        return {"why_no_estimate": NO_ERROR}
    ends = (tanh(atanh(r) + side * Z_95 / sqrt(n - 3)) for side in (-1, 1))
    return estimated(r, (1 - r * r) / sqrt(n - 1), *ends)
