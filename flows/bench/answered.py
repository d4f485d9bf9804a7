"""Ten million random answers for the bench of scores: PHQ-9 and WAI-SR, one answer in a hundred missing."""

from __future__ import annotations

from pathlib import Path

import polars as pl

RESPONSES = {"phq9": 485_000, "wai_sr": 485_000}  # 9 and 12 items: 10,083,000 answers of 10,185,000 asked
SEED = 20261122
_ITEMS = {"phq9": (9, 0, 3), "wai_sr": (12, 1, 5)}


def write_answers(folder: Path, share: float = 1.0) -> None:
    """Write responses.parquet (one row per response, with a list of answers) and items.parquet (one row per answer)."""
    first, frames = 0, []
    for instrument, count in RESPONSES.items():
        frames.append(_responses(instrument, first, int(count * share)))
        first += frames[-1].height
    responses = pl.concat(frames)
    responses.write_parquet(folder / "responses.parquet")
    _one_a_row(responses).write_parquet(folder / "items.parquet")


def _responses(instrument: str, first: int, count: int) -> pl.DataFrame:
    items, low, high = _ITEMS[instrument]
    rows = pl.int_range(count, eager=True)
    answers = [_answers(rows, low, high, SEED + 100 * low + item) for item in range(items)]
    return pl.select(
        response_id=pl.int_range(first, first + count, dtype=pl.Int64),
        instrument=pl.lit(instrument),
        answers=pl.concat_list(answers),
    )


def _answers(rows: pl.Series, low: int, high: int, seed: int) -> pl.Expr:
    drawn = rows.hash(seed)
    answer = (low + drawn % (high - low + 1)).cast(pl.Float32)
    is_missing = drawn // 1_000 % 100 == 0
    return pl.lit(answer.set(is_missing, None))


def _one_a_row(responses: pl.DataFrame) -> pl.DataFrame:
    numbered = responses.with_columns(item=pl.int_ranges(1, pl.col("answers").list.len() + 1, dtype=pl.Int8))
    exploded = numbered.explode("answers", "item").drop_nulls("answers")
    return exploded.select("response_id", "instrument", "item", value=pl.col("answers").cast(pl.Float64))
