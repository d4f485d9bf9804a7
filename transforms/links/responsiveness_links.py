"""Associations of early responsiveness with staying and with the relationship, in this clinic."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from rapport.transforms.engagement.responsiveness import FACTORS
from rapport.transforms.frames.typed_rows import frame_of_rows
from rapport.transforms.statistics.correlation import correlation
from rapport.transforms.statistics.estimates import first_of_clients
from rapport.transforms.statistics.log_odds import log_odds
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

PREDICTORS = (*FACTORS, "responsiveness_proxy")
ENDINGS = ("more_than_four", "early_termination")
OUTCOMES = (*ENDINGS, "relationship_after_second")


@table(
    per="clinic",
    key="predictor staying",
    columns=[
        Column("predictor", "text", "Of table responsiveness: sessions 1 and 2.", required=True, one_of=PREDICTORS),
        Column(
            "staying",
            "text",
            "The other variable: more than four sessions; an end by the client alone within the first four; or the "
            "client's view of the relationship after session 2.",
            required=True,
            one_of=OUTCOMES,
        ),
        "linked_count!",
        Column("event_count", "integer", "Clients for whom it is true; null for the relationship."),
        "estimate",
        "standard_error",
        "low",
        "high",
        "largest_share",
        "why_no_estimate",
        Column("odds_ratio", "number", "exp(estimate); null for the relationship.", between=(0, None)),
    ],
)
def responsiveness_links(responsiveness: pl.LazyFrame, retention: pl.LazyFrame) -> pl.LazyFrame:
    """One row per early responsiveness measure and other variable. For the two endings estimate is the log-odds
    (logistic regression) per point of an observer's factor, or per 10 percent of maximum of the client-side proxy. For
    the relationship it is the correlation. Each client counts once, with the first episode that has both values. Null
    below 30 clients, below 10 with or without the event, and where nothing varies: why_no_estimate. Elkin et al. 2014
    found positive atmosphere and the global item associated with staying, negative behaviour with early termination,
    and attentiveness and empathic responding with neither. The proxy and the relationship share session 2 and a rater,
    so they are always associated to some degree."""
    ended_alone = pl.col("is_dropout_unilateral") & ~pl.col("has_more_than_four")
    known = retention.select(
        "episode_id", "episode_number", more_than_four="has_more_than_four", early_termination=ended_alone
    )
    columns = ("client_id", "episode_id", *PREDICTORS, "relationship_after_second")
    met = responsiveness.select(columns).join(known, on="episode_id").collect()
    return frame_of_rows(responsiveness_links, [_row(met, one, other) for one in PREDICTORS for other in OUTCOMES])


def _row(met: pl.DataFrame, predictor: str, staying: str) -> Mapping[str, object]:
    both = first_of_clients(met.lazy().drop_nulls([predictor, staying])).collect()
    names = {"predictor": predictor, "staying": staying, "linked_count": both.height}
    if staying not in ENDINGS:
        return names | correlation(both[predictor], both[staying])
    unit = 10 if predictor == "responsiveness_proxy" else 1
    return names | {"event_count": int(both[staying].sum())} | log_odds(both[predictor] / unit, both[staying])
