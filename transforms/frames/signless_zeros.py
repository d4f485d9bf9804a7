"""Zeros without a sign: a small negative number rounds to -0.0, which should read 0.0."""

from __future__ import annotations

import polars as pl


def without_sign(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with 0.0 for each -0.0. Adding 0.0, as is usual elsewhere, has no effect in polars."""
    numbers = [name for name, dtype in frame.schema.items() if dtype == pl.Float64]
    return frame.with_columns(pl.when(pl.col(name) == 0).then(0.0).otherwise(name).alias(name) for name in numbers)
