"""A zero has no sign: what rounding leaves of a little less than nothing is nothing, and reads so."""

from __future__ import annotations

import polars as pl


def without_sign(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame, each -0.0 in it 0.0. To add 0.0, as one would in other places, does nothing in polars."""
    numbers = [name for name, dtype in frame.schema.items() if dtype == pl.Float64]
    return frame.with_columns(pl.when(pl.col(name) == 0).then(0.0).otherwise(name).alias(name) for name in numbers)
