"""Sums that do not depend on the order of rows: decimals are added as whole millionths, without error.

Floating-point sums differ in their last digits with the order of rows, the buckets and the machine code that polars
chooses. Then a rounded result sometimes differs too.
"""

from __future__ import annotations

import polars as pl

MILLION = 1_000_000


def millionths(column: str) -> pl.Expr:
    """Return a column of decimals as whole millionths. Squares of percents fit for up to 900 rows of a group."""
    return (pl.col(column) * MILLION).round().cast(pl.Int64)


def about_means(products: str, one: str, other: str, count: str) -> pl.Expr:
    """Return sum((x - mean x) (y - mean y)) from the sums of products, of x and of y, in the square of their unit."""
    n = pl.col(count).cast(pl.Float64)
    return pl.col(products).cast(pl.Float64) - pl.col(one).cast(pl.Float64) * pl.col(other).cast(pl.Float64) / n
