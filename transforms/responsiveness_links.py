"""Does early responsiveness go with staying, in this clinic?"""

from __future__ import annotations

from math import exp

import polars as pl

from transforms.correlation import correlation
from transforms.intervals import Z_95
from transforms.responsiveness import FACTORS
from transforms.typed import of_rows
from warehouse.columns import Column
from warehouse.tables import table

PREDICTORS = (*FACTORS, "responsiveness_proxy")
ENDINGS = ("more_than_four", "early_termination")
OUTCOMES = (*ENDINGS, "relationship_after_second")
ENOUGH_PERSONS = 30
ENOUGH_OF_EACH = (
    10  # events, and non-events: below it a logistic estimate is badly biased (Peduzzi et al. 1996, recalled)
)


@table(
    per="clinic",
    key="predictor staying",
    columns=[
        Column("predictor", "text", "Of table responsiveness: sessions 1 and 2.", required=True, one_of=PREDICTORS),
        Column(
            "staying",
            "text",
            "What it goes with: more than four sessions; the client ending alone within the first four; or the "
            "client's view of the relationship after session 2.",
            required=True,
            one_of=OUTCOMES,
        ),
        "linked_count!",
        Column("event_count", "integer", "Of them, those of which it is true; null for the relationship."),
        "estimate",
        "standard_error",
        "low",
        "high",
        Column("odds_ratio", "number", "exp(estimate); null for the relationship.", between=(0, None)),
    ],
)
def responsiveness_links(responsiveness: pl.LazyFrame, retention: pl.LazyFrame) -> pl.LazyFrame:
    """One row per early responsiveness measure and what it might go with. For the two endings estimate is the log-odds
    (logistic regression) per point of an observer's factor, or per 10 percent of maximum of the client-side proxy; for
    the relationship it is the correlation. Null below 30 episodes, or below 10 with or 10 without the event, or where
    nothing varies. Elkin et al. 2014 found positive atmosphere and the global item to go with staying, negative
    behaviour with early termination, and attentiveness and empathic responding with neither. The proxy and the
    relationship share session 2 and a rater, so they always go together somewhat."""
    ended_alone = pl.col("is_dropout_unilateral") & ~pl.col("has_more_than_four")
    known = retention.select(
        "episode_id", "has_more_than_four", more_than_four="has_more_than_four", early_termination=ended_alone
    ).drop("has_more_than_four")
    columns = ("episode_id", *PREDICTORS, "relationship_after_second")
    met = responsiveness.select(columns).join(known, on="episode_id").sort("episode_id").collect()
    return of_rows(responsiveness_links, [_row(met, one, other) for one in PREDICTORS for other in OUTCOMES])


def _row(met: pl.DataFrame, predictor: str, staying: str) -> dict:
    both = met.select(predictor, staying).drop_nulls()
    names = {"predictor": predictor, "staying": staying, "linked_count": both.height}
    if staying not in ENDINGS:
        return names | (correlation(both[predictor], both[staying]) if both.height >= ENOUGH_PERSONS else {})
    events = int(both[staying].sum())
    unit = 10 if predictor == "responsiveness_proxy" else 1
    return names | {"event_count": events} | log_odds(both[predictor] / unit, both[staying])


def log_odds(predictor: pl.Series, is_so: pl.Series) -> dict[str, float]:
    """estimate, standard_error, low, high and odds_ratio of a logistic regression; empty where there is too little,
    nothing varies, or the predictor tells the two apart without error (then no estimate is finite)."""
    from statsmodels.discrete.discrete_model import Logit  # noqa: PLC0415  costly to import

    events, count = int(is_so.sum()), len(is_so)
    if count < ENOUGH_PERSONS or min(events, count - events) < ENOUGH_OF_EACH or predictor.n_unique() < 2:
        return {}
    if _separates(predictor, is_so):
        return {}
    design = pl.DataFrame({"constant": pl.repeat(1.0, count, eager=True), "predictor": predictor - predictor.mean()})
    fitted = Logit(is_so.cast(pl.Float64).to_numpy(), design.to_numpy()).fit(disp=0)
    estimate, error = float(fitted.params[1]), float(fitted.bse[1])
    ends = {"low": estimate - Z_95 * error, "high": estimate + Z_95 * error}
    made = {"estimate": estimate, "standard_error": error, **ends, "odds_ratio": exp(estimate)}
    return {name: round(value, 9) for name, value in made.items()}


def _separates(predictor: pl.Series, is_so: pl.Series) -> bool:
    """Whether all of one kind lie above (or at) all of the other."""
    with_it, without = predictor.filter(is_so), predictor.filter(~is_so)
    return with_it.min() >= without.max() or with_it.max() <= without.min()
