"""Is the relationship a change facilitator? Early motivation, the alliance and staying, across clients."""

from __future__ import annotations

from itertools import product

import polars as pl

from transforms.correlation import correlation
from transforms.responsiveness_links import ENOUGH_PERSONS, log_odds
from transforms.typed import of_rows
from warehouse.columns import Column
from warehouse.tables import table

PREDICTORS = ("client_early_change", "caregiver_early_change", "first_gap", "gap_change")
ALLIANCES = ("client_alliance", "caregiver_alliance")
STAYING = "more_than_four"


@table(
    per="clinic",
    key="instrument scale motivation linked",
    columns=[
        "instrument!",
        "scale!",
        Column("motivation", "text", "A column of table motivation.", required=True, one_of=PREDICTORS),
        Column(
            "linked",
            "text",
            "What it goes with: the early alliance as client or caregiver sees it, or staying more than four sessions.",
            required=True,
            one_of=(*ALLIANCES, STAYING),
        ),
        "linked_count!",
        "estimate",
        "standard_error",
        "low",
        "high",
    ],
)
def motivation_links(motivation: pl.LazyFrame, retention: pl.LazyFrame) -> pl.LazyFrame:
    """One row per motivation scale, early change or gap, and what it might go with: Pearson's correlation with the
    early alliance (Fisher's interval), or the log-odds of staying more than four sessions per 10 percent of maximum
    (logistic regression). Null below 30 episodes, or below 10 that stayed or 10 that did not. Change and alliance are
    of the same weeks: which comes first is not known."""
    stayed = retention.select("episode_id", pl.col("has_more_than_four").alias(STAYING))
    columns = ("episode_id", "instrument", "scale", *PREDICTORS, *ALLIANCES)
    met = motivation.select(columns).join(stayed, on="episode_id", how="left").sort("episode_id").collect()
    parts = sorted(met.partition_by("instrument", "scale", as_dict=True).items())
    pairs = list(product(PREDICTORS, (*ALLIANCES, STAYING)))
    return of_rows(motivation_links, [_row(names, each, *pair) for names, each in parts for pair in pairs])


def _row(names: tuple, met: pl.DataFrame, predictor: str, linked: str) -> dict:
    both = met.select(predictor, linked).drop_nulls()
    found = {}
    if linked == STAYING:
        found = log_odds(both[predictor] / 10, both[linked])
    elif both.height >= ENOUGH_PERSONS:
        found = correlation(both[predictor], both[linked])
    told = {"instrument": names[0], "scale": names[1], "motivation": predictor, "linked": linked}
    found.pop("odds_ratio", None)
    return told | {"linked_count": both.height} | found
