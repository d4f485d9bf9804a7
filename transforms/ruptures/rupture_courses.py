"""The course of a possible rupture: its depth, its length, and its repair."""

from __future__ import annotations

import polars as pl

from rapport.transforms.frames.exact_sums import MILLION, millionths

_BEYOND = 1 << 40  # above any row number and any value in millionths: each group gets its own range of whole numbers


def courses(starting: pl.LazyFrame, rated: pl.LazyFrame) -> pl.LazyFrame:
    """Return each start with nadir_value, nadir_session_id, length, repair_session_id, repair_session_count,
    is_repaired and is_over. A start before the repair of an earlier one by the same rule belongs to the earlier one.
    Rows of `rated` are numbered from 0 in their order."""
    known = rated.select("session_id", "value").collect()
    began = starting.sort("rupture_rule", "row").with_row_index("rupture").collect().lazy()
    onward = _onward(began, known["value"]).collect().lazy()
    repairs = began.join(_repairs(onward), on="rupture", maintain_order="left").filter(_is_first())
    phases = _phases(onward.join(repairs.select("rupture", "repair_row"), on="rupture"))
    named = {"nadir_session_id": "nadir_row", "repair_session_id": "repair_row"}
    sessions = {name: pl.lit(known["session_id"]).gather(row) for name, row in named.items()}
    return repairs.join(phases, on="rupture").with_columns(**_repaired(), **sessions)


def _onward(began: pl.LazyFrame, values: pl.Series) -> pl.LazyFrame:
    """Return for each start the rated sessions from it on, with whether they meet the repair, and whether they are a
    new lowest value."""
    level, now = pl.col("level"), pl.col("now")
    group = pl.col("rupture").cast(pl.Int64) * _BEYOND
    lowest = ((millionths("now") - group).cum_min().shift() + group) / MILLION
    met = (now > level) | (~pl.col("is_above") & (now == level)) | ((now - pl.col("lowest")).round(6) >= pl.col("rise"))
    return (
        began.select("rupture", "row", "level", "rise", "is_above", at=pl.int_ranges("row", pl.col("last_row") + 1))
        .explode("at")
        .with_columns(now=pl.lit(values).gather("at"))
        .with_columns(lowest=pl.when(pl.col("at") > pl.col("row")).then(lowest))
        .with_columns(
            meets=met.fill_null(False) & (pl.col("at") > pl.col("row")),
            is_lowest=pl.col("lowest").is_null() | (now < pl.col("lowest")),
        )
    )


def _repairs(onward: pl.LazyFrame) -> pl.LazyFrame:
    return onward.group_by("rupture").agg(repair_row=pl.when("meets").then("at").min())


def _is_first() -> pl.Expr:
    """Return whether a start is outside earlier ruptures: those of the same rule and rater are repaired by then."""
    is_new = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in ("rupture_rule", "line"))
    group = is_new.cum_sum().cast(pl.Int64) * _BEYOND
    until = (group + pl.col("repair_row").cast(pl.Int64).fill_null(_BEYOND - 1)).cum_max().shift(fill_value=-1)
    return group + pl.col("row").cast(pl.Int64) >= until


def _phases(onward: pl.LazyFrame) -> pl.LazyFrame:
    return (
        onward.filter(pl.col("repair_row").is_null() | (pl.col("at") < pl.col("repair_row")))
        .group_by("rupture")
        .agg(
            nadir_value=pl.col("now").min(),
            nadir_row=pl.when("is_lowest").then("at").max(),
            length=pl.len().cast(pl.Int32),
        )
    )


def _repaired() -> dict[str, pl.Expr]:
    took = (pl.col("repair_row").cast(pl.Int64) - pl.col("row").cast(pl.Int64)).cast(pl.Int32)
    since = pl.col("last_row").cast(pl.Int64) - pl.col("row").cast(pl.Int64)
    within = pl.col("within")
    is_repaired = (
        pl.when(took <= within).then(pl.lit(True)).when((took > within) | (since >= within)).then(pl.lit(False))
    )
    return {
        "repair_session_count": took,
        "is_repaired": is_repaired,
        "depth": (pl.col("pre_value") - pl.col("nadir_value")).round(6),
        "is_over": pl.col("repair_row").is_not_null(),
    }
