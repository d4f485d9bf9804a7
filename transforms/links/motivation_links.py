"""Associations of early motivation with the alliance and with staying, across clients."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import polars as pl

from rapport.transforms.frames.typed_rows import frame_of_rows
from rapport.transforms.statistics.correlation import correlation
from rapport.transforms.statistics.estimates import first_of_clients
from rapport.transforms.statistics.log_odds import log_odds
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

PREDICTORS = ("client_early_change", "caregiver_early_change", "first_gap", "gap_change")
ALLIANCES = ("client_alliance", "caregiver_alliance")
STAYING = "more_than_four"


def motivated_episodes(motivation: pl.LazyFrame, retention: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per episode and motivation scale: early change, alliance and staying."""
    stayed = retention.select("episode_id", "episode_number", pl.col("has_more_than_four").alias(STAYING))
    columns = ("client_id", "episode_id", "instrument", "scale", *PREDICTORS, *ALLIANCES)
    return motivation.select(columns).join(stayed, on="episode_id")


@table(
    per="clinic",
    partial=motivated_episodes,
    key="instrument scale motivation linked",
    columns=[
        "instrument!",
        "scale!",
        Column("motivation", "text", "A column of table motivation.", required=True, one_of=PREDICTORS),
        Column(
            "linked",
            "text",
            "The other variable: early alliance as client or caregiver sees it, or staying more than four sessions.",
            required=True,
            one_of=(*ALLIANCES, STAYING),
        ),
        "linked_count!",
        "estimate",
        "standard_error",
        "low",
        "high",
        "largest_share",
        "why_no_estimate",
    ],
)
def motivation_links(partials: pl.LazyFrame) -> pl.LazyFrame:
    """One row per motivation scale, early change or gap, and other variable: Pearson's correlation with the early
    alliance (Fisher's interval), or the log-odds of staying more than four sessions per 10 percent of maximum (logistic
    regression). Each client counts once, with the first episode that has both values. Null below 30 clients, below 10
    that stayed or 10 that did not, and where nothing varies: why_no_estimate. Change and alliance are from the same
    weeks: which comes first is not known."""
    parts = sorted(partials.collect().partition_by("instrument", "scale", as_dict=True).items())
    pairs = list(product(PREDICTORS, (*ALLIANCES, STAYING)))
    return frame_of_rows(motivation_links, [_row(names, each, *pair) for names, each in parts for pair in pairs])


def _row(names: tuple[object, ...], met: pl.DataFrame, predictor: str, linked: str) -> Mapping[str, object]:
    both = first_of_clients(met.lazy().drop_nulls([predictor, linked])).collect()
    is_staying = linked == STAYING
    found = log_odds(both[predictor] / 10, both[linked]) if is_staying else correlation(both[predictor], both[linked])
    told = {"instrument": names[0], "scale": names[1], "motivation": predictor, "linked": linked}
    found.pop("odds_ratio", None)
    return told | {"linked_count": both.height} | found
