"""Sums that do not depend on the order of rows: decimals are added as whole millionths, which is exact.

Floating-point sums differ in their last digits with the order of the rows, the buckets and the machine code that polars
chooses; a rounded result then differs wherever it lies between two digits.
"""

from __future__ import annotations

import polars as pl

MILLION = 1_000_000


def millionths(column: str) -> pl.Expr:
    """A column of decimals as whole millionths. Squares of percents fit for up to 900 rows of a group."""
    return (pl.col(column) * MILLION).round().cast(pl.Int64)


def about_means(products: str, one: str, other: str, count: str) -> pl.Expr:
    """sum((x - mean x) (y - mean y)) from the sums of products, of x and of y, in the square of their unit."""
    n = pl.col(count).cast(pl.Float64)
    return pl.col(products).cast(pl.Float64) - pl.col(one).cast(pl.Float64) * pl.col(other).cast(pl.Float64) / n
