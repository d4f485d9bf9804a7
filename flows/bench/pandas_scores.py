"""Scores as an analyst computes them in pandas: a vectorised groupby over one row per answer.

`by_key` joins the answers to a table of scales, and works for any questionnaire. `by_hand` is written for these two
questionnaires, and is the fastest pandas code that we found.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

TASK, BOND, GOAL = (1, 2, 10, 12), (3, 5, 7, 9), (4, 6, 8, 11)
SCALES = pd.DataFrame(
    [
        ("phq9", "total", tuple(range(1, 10)), 0, 27),
        ("wai_sr", "total", tuple(range(1, 13)), 12, 60),
        ("wai_sr", "task", TASK, 4, 20),
        ("wai_sr", "bond", BOND, 4, 20),
        ("wai_sr", "goal", GOAL, 4, 20),
    ],
    columns=["instrument", "scale", "item", "low", "high"],
).assign(size=lambda scales: scales["item"].map(len))


def items(folder: Path) -> pd.DataFrame:
    """One row per answer; the instrument as a category."""
    read = pl.read_parquet(folder / "items.parquet")
    code = read["instrument"].eq("wai_sr").cast(pl.Int8).to_numpy()
    numbers = {name: read[name].to_numpy() for name in ("response_id", "item", "value")}
    return pd.DataFrame({**numbers, "instrument": pd.Categorical.from_codes(code, ["phq9", "wai_sr"])})


def by_key(answers: pd.DataFrame) -> pd.DataFrame:
    """Scores from each answer joined to all of its scales, with one groupby."""
    key = SCALES[["instrument", "scale", "item"]].explode("item").astype({"item": np.int8})
    key["instrument"] = key["instrument"].astype(answers["instrument"].dtype)
    key["scale"] = key["scale"].astype("category")
    counted = answers.merge(key, on=["instrument", "item"])
    groups = counted.groupby(["response_id", "instrument", "scale"], sort=False, observed=True)
    sums = groups["value"].agg(["sum", "count"]).reset_index()
    return _scored(sums.merge(SCALES.drop(columns="item"), on=["instrument", "scale"]))


def by_hand(answers: pd.DataFrame) -> pd.DataFrame:
    """Scores from two groupbys: the three WAI-SR subscales and the PHQ-9 by whole numbers, then the WAI-SR total."""
    place = np.zeros((2, 13), dtype=np.int8)  # the row of SCALES
    for row, numbers in ((2, TASK), (3, BOND), (4, GOAL)):
        place[1, list(numbers)] = row
    rows = place[answers["instrument"].cat.codes, answers["item"]]
    parts = answers.groupby([answers["response_id"], rows], sort=False)["value"].agg(["sum", "count"])
    parts = parts.rename_axis(["response_id", "row"]).reset_index()
    of_wai = answers[answers["instrument"] == "wai_sr"]
    totals = of_wai.groupby("response_id", sort=False)["value"].agg(["sum", "count"]).reset_index().assign(row=1)
    both = pd.concat([parts, totals], ignore_index=True)
    facts = {name: SCALES[name].to_numpy()[both["row"]] for name in ("low", "high", "size")}
    return _scored(both.assign(**facts, scale=pd.Categorical.from_codes(both["row"], _DISTINCT)))


_DISTINCT = ["total of the PHQ-9", "total", "task", "bond", "goal"]


def _scored(sums: pd.DataFrame) -> pd.DataFrame:
    """Scores of complete scales; null where an item is missing."""
    score = sums["sum"].where(sums["count"] == sums["size"])
    sums["score"], sums["item_mean"] = score.round(6), (score / sums["size"]).round(9)
    sums["pomp"] = (100 * (score - sums["low"]) / (sums["high"] - sums["low"])).round(9)
    return sums


def as_polars(scored: pd.DataFrame) -> pl.DataFrame:
    """The result as a polars frame, for comparison. This is not measured."""
    names = ("response_id", "score", "item_mean", "pomp")
    frame = pl.DataFrame({name: scored[name].to_numpy() for name in names} | {"answered_count": scored["count"].values})
    scale = pl.Series(np.asarray(scored["scale"].astype(object))).str.replace(" of the PHQ-9", "")
    return frame.with_columns(pl.col("score", "item_mean", "pomp").fill_nan(None), scale=scale)
