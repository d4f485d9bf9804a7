"""Pearson's correlation with its interval."""

from __future__ import annotations

from math import atanh, sqrt, tanh

import polars as pl

from transforms.intervals import Z_95


def correlation(one: pl.Series, other: pl.Series) -> dict[str, float]:
    """estimate, standard_error ((1 - r^2) / sqrt(n - 1)), and low and high by Fisher's z (atanh(r) +/- 1.96 /
    sqrt(n - 3)). Empty below four pairs and where either does not vary."""
    if len(one) < 4 or one.n_unique() < 2 or other.n_unique() < 2:
        return {}
    r = pl.select(pl.corr(one, other)).item()
    r = max(-1.0, min(1.0, r))
    error = (1 - r * r) / sqrt(len(one) - 1)
    ends = (r, r) if abs(r) == 1 else tuple(tanh(atanh(r) + side * Z_95 / sqrt(len(one) - 3)) for side in (-1, 1))
    names = ("estimate", "standard_error", "low", "high")
    return {name: round(value, 9) for name, value in zip(names, (r, error, *ends), strict=True)}
