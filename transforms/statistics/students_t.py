"""Critical values of Student's t, two-sided at .05."""

from __future__ import annotations

import polars as pl

from rapport.transforms.statistics.estimates import Z_95

# From 11 degrees of freedom on the series below is closer than .0002.
_TABLE = (12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157, 2.228139)


def critical_t(degrees: pl.Expr) -> pl.Expr:
    """Return the critical value for each number of degrees of freedom; null below 1. Above 10 by the series of
    Abramowitz & Stegun 1964, 26.7.5."""
    from_table = degrees.replace_strict(dict(enumerate(_TABLE, start=1)), default=None, return_dtype=pl.Float64)
    terms = (
        (Z_95**3 + Z_95) / 4,
        (5 * Z_95**5 + 16 * Z_95**3 + 3 * Z_95) / 96,
        (3 * Z_95**7 + 19 * Z_95**5 + 17 * Z_95**3 - 15 * Z_95) / 384,
    )
    series = Z_95 + sum(term / degrees**power for power, term in enumerate(terms, start=1))
    return pl.when(degrees > len(_TABLE)).then(series).otherwise(from_table)


def critical_t_at(degrees: int) -> float:
    """Return the critical value for one number of degrees of freedom, at least 1."""
    return float(pl.select(critical_t(pl.lit(degrees))).item())
