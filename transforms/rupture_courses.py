"""How a possible rupture went on: how deep, how long, and whether it was repaired."""

from __future__ import annotations

import polars as pl

_OPEN = 2**62  # a repair that has not come


def courses(starting: pl.LazyFrame, rated: pl.LazyFrame) -> pl.LazyFrame:
    """Each start with nadir_value, nadir_session_id, length, repair_session_id, repair_session_count, is_repaired and
    is_over. A start before the repair of an earlier one by the same rule belongs to that one."""
    began = starting.sort("rupture_rule", "row").with_row_index("rupture").cache()
    onward = _onward(began, rated).cache()
    repairs = began.join(_repairs(onward), on="rupture", how="left", maintain_order="left").filter(_is_first())
    phases = _phases(onward.join(repairs.select("rupture", "repair_row"), on="rupture"))
    return repairs.join(phases, on="rupture").with_columns(**_repaired())


def _onward(began: pl.LazyFrame, rated: pl.LazyFrame) -> pl.LazyFrame:
    """For each start the rated sessions from it on, with whether they meet its repair."""
    later = rated.select("line", "session_id", at="row", now="value")
    sought = began.select("rupture", "line", "row", "level", "rise", "is_above")
    lowest = pl.col("now").cum_min().shift().over("rupture")
    level, now = pl.col("level"), pl.col("now")
    met = (now > level) | (~pl.col("is_above") & (now == level)) | ((now - lowest).round(6) >= pl.col("rise"))
    return (
        sought.join(later, on="line")
        .filter(pl.col("at") >= pl.col("row"))
        .sort("rupture", "at")
        .with_columns(meets=met.fill_null(False) & (pl.col("at") > pl.col("row")))
    )


def _repairs(onward: pl.LazyFrame) -> pl.LazyFrame:
    return (
        onward.filter("meets")
        .group_by("rupture", maintain_order=True)
        .agg(repair_row=pl.col("at").first(), repair_session_id=pl.col("session_id").first())
    )


def _is_first() -> pl.Expr:
    """Not within an earlier one: the earlier ones of the rule and rater are repaired by its start."""
    until = pl.col("repair_row").cast(pl.Int64).fill_null(_OPEN).cum_max().shift(fill_value=-1)
    return pl.col("row").cast(pl.Int64) >= until.over("rupture_rule", "line")


def _phases(onward: pl.LazyFrame) -> pl.LazyFrame:
    lowest = pl.col("now").min()
    return (
        onward.filter(pl.col("repair_row").is_null() | (pl.col("at") < pl.col("repair_row")))
        .group_by("rupture", maintain_order=True)
        .agg(
            nadir_value=lowest,
            nadir_session_id=pl.col("session_id").filter(pl.col("now") == lowest).first(),
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
