"""Records that are spoiled on purpose.

Every planted record is an additional copy of a real one, with a number of its own. Without the planted records, the
exports are exactly the clean demo.
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

SHARE = 0.004
LARGEST_SHARE = 0.03  # the largest share of planted records among all records of the file
DUPLICATE = "duplicate"
NUMBERS_PER_NIGHT = 100_000


class Way:
    """One way to spoil a record: the name of the rule that it breaks, and the changed cells of each copy."""

    def __init__(self, reason: str, *copies: dict[str, str | pl.Expr]) -> None:
        self.reason = reason
        self.copies = copies or ({},)


def first_night_count(row_count: int, ways: Sequence[Way]) -> int:
    """The number of planted records on the first night: each way once where the file is long enough."""
    pairs = sum(len(way.copies) - 1 for way in ways)
    most = int(LARGEST_SHARE / (1 - LARGEST_SHARE) * row_count) - pairs
    return max(0, min(max(len(ways), round(SHARE * row_count)), most))


def later_night_count(row_count: int) -> int:
    """The number of planted records on a later night: at least one, but none in a very short file."""
    return single_count(row_count) if row_count >= 12 else 0


def single_count(row_count: int) -> int:
    return max(1, round(SHARE * row_count)) if row_count else 0


def plant(
    rng: np.random.Generator,
    pool: pl.DataFrame,
    ways: Sequence[Way],
    count: int,
    turn: int,
    *,
    key: str,
    fresh: Callable[[pl.Expr], pl.Expr],
) -> pl.DataFrame:
    """Spoiled copies of `count` records of the pool, each of another client, with new keys."""
    if count == 1:  # a way with two copies would plant two records
        ways = [way for way in ways if len(way.copies) == 1]
    spoil = sampled(rng, pool, count).with_row_index("number").cast({"number": pl.Int64})
    spoil = spoil.with_columns(
        number=pl.col("number") + turn * NUMBERS_PER_NIGHT, turn=(pl.col("number") + turn) % len(ways)
    )
    parts = [spoiled(spoil.filter(pl.col("turn") == at), way, key, fresh) for at, way in enumerate(ways)]
    return pl.concat(parts).drop("turn")


def sampled(rng: np.random.Generator, pool: pl.DataFrame, count: int) -> pl.DataFrame:
    shuffled = pool[rng.permutation(pool.height)[: 20 * count]]
    return shuffled.unique("client", keep="first", maintain_order=True).head(count)


def spoiled(records: pl.DataFrame, way: Way, key: str, fresh: Callable[[pl.Expr], pl.Expr]) -> pl.DataFrame:
    new_key = {} if way.reason == DUPLICATE else {key: fresh(pl.col("number"))}
    copies = []
    for copy, cells in enumerate(way.copies, 1):
        words = {name: pl.lit(cell) if isinstance(cell, str) else cell for name, cell in cells.items()}
        extra = {"reason": pl.lit(way.reason), "copy": pl.lit(copy, pl.Int64)}
        copies.append(records.with_columns(**(new_key | words), **extra))
    return pl.concat(copies)


def unspoiled(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(reason=pl.lit(None, pl.String), copy=pl.lit(0, pl.Int64))


def valid(frame: pl.DataFrame, night: int, since: int | None = None) -> pl.DataFrame:
    """The records in this night's file; with `since`, only those that are new since that day."""
    seen = frame.filter(pl.col("from_day") < night, pl.col("to_day") >= night)
    return seen if since is None else seen.filter(pl.col("from_day") >= since)


def as_text(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The exported cells as texts, so that each of them can be spoiled."""
    return frame.with_columns(pl.col(columns).cast(pl.String).fill_null(""))
