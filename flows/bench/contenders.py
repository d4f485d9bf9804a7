"""Scores three ways, each in a process of its own: `python -m rapport.flows.bench.contenders <way> <folder>`.

Each computes one row per response and scale from the same answers: score, item mean, percent of maximum possible
(POMP), and the number of answered items. A scale needs all of its items. Reading and writing files is not measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl

from rapport.flows.bench.answered import write_answers
from rapport.flows.bench.measured import Measured, measured

COLUMNS = ("response_id", "scale", "score", "item_mean", "pomp", "answered_count")
# The parts' items: hand-written, as in an analyst's SQL.
WAI_SR = {"task": (1, 2, 10, 12), "bond": (3, 5, 7, 9), "goal": (4, 6, 8, 11)}


def answers(folder: Path, share: str) -> Measured:
    """Write the input, in a process of its own."""
    write_answers(folder, float(share))
    return {}


def rapport(folder: Path) -> Measured:
    """Compute the table `scores` as a night does."""
    from rapport.transforms.scoring.scores import scores  # noqa: PLC0415
    from rapport.warehouse.clinic_file.clinic import clinic_of  # noqa: PLC0415

    made = {}
    declared = clinic_of({"time_zone": "UTC", "licences": ["wai_sr"]}, folder)
    records, responses = _as_the_night_has_them(pl.read_parquet(folder / "responses.parquet"))

    def run() -> dict[str, int]:
        made["scores"] = scores(responses.lazy(), records.lazy(), declared).select(scores.column_names).collect()
        return {"scores": made["scores"].height}

    figures = measured(run)
    _write(made["scores"], folder / "rapport.parquet")
    return figures


def _as_the_night_has_them(drawn: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    given = pl.List(pl.Struct({"scale": pl.String, "score": pl.Float64}))
    records = drawn.with_columns(source=pl.lit("bench"), given_scores=pl.lit(None, dtype=given))
    counted = (pl.col("answers").list.len() - pl.col("answers").list.eval(pl.element().is_null()).list.sum()).cast(
        pl.Int32
    )
    responses = drawn.select(
        "response_id",
        "instrument",
        source=pl.lit("bench"),
        client_id=pl.col("response_id") // 30,
        session_id=pl.col("response_id"),
        rater=pl.lit("client"),
        completed_at=pl.lit(None, dtype=pl.Datetime("us", "UTC")),
        completed_on=pl.lit(None, dtype=pl.Date),
        is_used=pl.lit(value=True),
        answered_count=counted,
    )
    return records, responses


def pandas(folder: Path, way: str = "by_key") -> Measured:
    """Compute scores with a vectorised groupby over one row per answer."""
    from rapport.flows.bench import pandas_scores  # noqa: PLC0415

    answered = pandas_scores.items(folder)
    made = {}

    def run() -> dict[str, int]:
        made["scores"] = getattr(pandas_scores, way)(answered)
        return {"scores": len(made["scores"])}

    figures = measured(run)
    _write(pandas_scores.as_polars(made["scores"]), folder / f"pandas_{way}.parquet")
    return figures


def sql(folder: Path) -> Measured:
    """Compute scores with hand-written SQL in DuckDB, with two threads as in the night."""
    import duckdb  # noqa: PLC0415

    from rapport.warehouse.store.one_row import one_row  # noqa: PLC0415

    con = duckdb.connect(config={"threads": 2})
    con.execute("SET preserve_insertion_order = false")
    con.execute(f"CREATE TABLE responses AS FROM read_parquet('{folder / 'responses.parquet'}')")
    selects = [_select("phq9", "total", "answers", 9, 0, 27), _select("wai_sr", "total", "answers", 12, 12, 60)]
    for scale, numbers in WAI_SR.items():
        picked = f"[{', '.join(f'answers[{number}]' for number in numbers)}]"
        selects.append(_select("wai_sr", scale, picked, 4, 4, 20))

    def run() -> dict[str, int]:
        con.execute(f"CREATE TABLE scores AS {' UNION ALL '.join(selects)}")
        return {"scores": one_row(con, "SELECT count(*) FROM scores")[0]}

    figures = measured(run)
    _write(pl.DataFrame(con.sql(f"SELECT {', '.join(COLUMNS)} FROM scores")), folder / "sql.parquet")
    return figures


def _select(instrument: str, scale: str, picked: str, size: int, low: int, high: int) -> str:
    return f"""
        SELECT response_id, '{scale}' AS scale, round(total, 6) AS score, round(total / {size}, 9) AS item_mean,
            round(100 * (total - {low}) / ({high} - {low}), 9) AS pomp, answered_count
        FROM (SELECT response_id, answered_count, CASE WHEN answered_count = {size} THEN list_sum(picked) END AS total
              FROM (SELECT response_id, picked, list_count(picked) AS answered_count
                    FROM (SELECT response_id, {picked} AS picked FROM responses WHERE instrument = '{instrument}')))"""


def _write(scores: pl.DataFrame, path: Path) -> None:
    kept = scores.select(
        pl.col("response_id").cast(pl.Int64),
        "scale",
        pl.col("score", "item_mean", "pomp").cast(pl.Float64),
        pl.col("answered_count").cast(pl.Int32),
    )
    kept.sort("response_id", "scale").write_parquet(path)


WAYS: dict[str, Callable[..., Measured]] = {"answers": answers, "rapport": rapport, "pandas": pandas, "sql": sql}

if __name__ == "__main__":
    json.dump(WAYS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:]), sys.stdout)
