"""Does a better alliance go before better weeks, within a person, and the other way round? And between persons?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import polars as pl

from transforms.correlation import correlation
from transforms.intervals import Z_95
from transforms.outcome_scores import lower_is_better
from transforms.therapist_values import residual_outcomes
from transforms.typed import of_rows
from transforms.within_person import within
from warehouse.clinic import Clinic
from warehouse.columns import RATERS, Column
from warehouse.tables import table

LINKS = ("alliance_to_outcome", "outcome_to_alliance", "between")
MODELS = ("lagged", "lagged_detrended", "change_detrended", "correlation")
ENOUGH_PERSONS = 30
TREND = ["session", "log_session"]


@table(
    per="clinic",
    key="instrument rater outcome_instrument outcome_rater link model",
    columns=[
        "instrument!",
        "rater!",
        Column("outcome_instrument", "text", "The outcome measure.", required=True),
        Column("outcome_rater", "text", "Who rates the outcome.", required=True, one_of=RATERS),
        Column(
            "link",
            "text",
            "Within persons, from this session's alliance to the next session's outcome or the reverse; or between "
            "persons, early alliance with the intake-adjusted outcome at the end.",
            required=True,
            one_of=LINKS,
        ),
        Column(
            "model",
            "text",
            "lagged: the next value on this one of both, with person dummies; biased where few sessions carry over or "
            "share a trend (Nickell 1981, Econometrica 49:1417-1426). lagged_detrended: the same with session number "
            "and its logarithm. change_detrended: the change until the next session, without the lag, for what carries "
            "over whole. correlation: Pearson's.",
            required=True,
            one_of=MODELS,
        ),
        "linked_count!",
        Column(
            "adjacent_count",
            "integer",
            "Adjacent sessions; for between, the episodes.",
            required=True,
            between=(0, None),
        ),
        "estimate",
        "standard_error",
        "low",
        "high",
    ],
)
def alliance_outcome_links(
    alliance: pl.LazyFrame,
    outcome_scores: pl.LazyFrame,
    early_alliance: pl.LazyFrame,
    outcomes: pl.LazyFrame,
    retention: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """One row per alliance questionnaire and outcome measure (total scales) that meet in adjacent treatment sessions,
    direction and model (M20). Within: percent-of-maximum points of the one at session s + 1 per point of the other at
    s, outcomes turned so that higher is better, errors clustered by person; null below 30 persons. Between: the
    correlation with its error and interval by Fisher's z; published are .28 in adults (Flückiger et al. 2018, 295
    studies) and .19 in youth (Karver et al. 2018, 28 studies). Read lagged_detrended first: in simulated clinics
    without any effect the plain lagged model finds one (python -m flows.demo.recovery). Error in the ratings draws
    estimates towards 0. An association in time, not a proof of cause."""
    rated, outcome = _rated(alliance), _outcome(outcome_scores, clinic)
    episodes = rated.select("episode_id").unique().sort("episode_id").with_row_index("episode")
    lines = _lines(rated, episodes), _lines(outcome, episodes)
    rows = [*_within(*lines), *_between(early_alliance, residual_outcomes(outcomes, retention, clinic))]
    return of_rows(alliance_outcome_links, rows)


def _rated(alliance: pl.LazyFrame) -> pl.DataFrame:
    totals = alliance.filter(pl.col("scale") == "total", pl.col("session_number").is_not_null())
    return totals.select("instrument", "rater", "episode_id", session="session_number", alliance="pomp").collect()


def _outcome(outcome_scores: pl.LazyFrame, clinic: Clinic) -> pl.DataFrame:
    """Percent of maximum, turned so that higher is better."""
    turned = pl.when(pl.col("instrument").is_in(lower_is_better(clinic))).then(100 - pl.col("pomp")).otherwise("pomp")
    return outcome_scores.select(
        "instrument", "rater", "episode_id", session="session_number", outcome=turned
    ).collect()


def _lines(rated: pl.DataFrame, episodes: pl.DataFrame) -> dict[tuple, pl.DataFrame]:
    """Per instrument and rater, in order, with numbers for the episodes: joins on numbers are cheap."""
    numbered = rated.join(episodes, on="episode_id").drop("episode_id").rename({"episode": "episode_id"})
    ordered = numbered.sort("episode_id", "session")
    return dict(sorted(ordered.partition_by("instrument", "rater", as_dict=True, include_key=False).items()))


def _within(lines: dict[tuple, pl.DataFrame], outcomes: dict[tuple, pl.DataFrame]) -> Iterator[dict]:
    for (whose, rated), (whose_outcome, outcome) in product(lines.items(), outcomes.items()):
        met = adjacent(rated, outcome)
        for link, model in product(LINKS[:2], MODELS[:3]) if met.height else ():
            kept = met.filter(pl.col("next_outcome" if link == LINKS[0] else "next_alliance").is_not_null())
            persons = kept["episode_id"].n_unique()
            found = lag(kept, link, model) if persons >= ENOUGH_PERSONS else {}
            yield _names(whose, whose_outcome, link, model) | {
                "linked_count": persons,
                "adjacent_count": kept.height,
                **{name: round(value, 9) for name, value in found.items()},
            }


def adjacent(rated: pl.DataFrame, outcome: pl.DataFrame) -> pl.DataFrame:
    """Sessions with both, and what the next session of the episode (number + 1) has. Both are in the order of episodes
    and sessions, and so is what comes of them."""
    told = rated.with_columns(next_alliance=_next("alliance"))
    both = told.join(
        outcome.with_columns(next_outcome=_next("outcome")), on=["episode_id", "session"], maintain_order="left"
    )
    known = both.filter(pl.col("next_alliance").is_not_null() | pl.col("next_outcome").is_not_null())
    return known.with_columns(pl.col("session").cast(pl.Float64), log_session=pl.col("session").log())


def _next(name: str) -> pl.Expr:
    is_next = (pl.col("episode_id").shift(-1) == pl.col("episode_id")) & (pl.col("session").diff(-1) == -1)
    return pl.when(is_next).then(pl.col(name).shift(-1))


def lag(met: pl.DataFrame, link: str, model: str) -> dict[str, float]:
    """estimate, standard_error, low and high of one link by one model; empty where nothing varies."""
    cause, effect = ("alliance", "outcome") if link == LINKS[0] else ("outcome", "alliance")
    told = met.with_columns(change=pl.col(f"next_{effect}") - pl.col(effect))
    result, also = {
        "lagged": (f"next_{effect}", [effect]),
        "lagged_detrended": (f"next_{effect}", [effect, *TREND]),
        "change_detrended": ("change", TREND),
    }[model]
    found = within(told, result, [cause, *also], "episode_id").get(cause)
    if found is None:
        return {}
    estimate, error = found
    spread = Z_95 * error
    return {"estimate": estimate, "standard_error": error, "low": estimate - spread, "high": estimate + spread}


def _between(early_alliance: pl.LazyFrame, residuals: pl.LazyFrame) -> Iterator[dict]:
    """Early alliance and residual outcome of episodes that are over; of several dyads in one the first rated counts."""
    early = (
        early_alliance.filter(pl.col("scale") == "total")
        .sort("episode_id", "session_id")
        .unique(["episode_id", "instrument", "rater"], keep="first", maintain_order=True)
        .select("episode_id", "instrument", "rater", early="pomp")
    )
    outcome = residuals.filter(pl.col("scale") == "total").select(
        "episode_id", "value", outcome_instrument="instrument", outcome_rater="rater"
    )
    keys = ["instrument", "rater", "outcome_instrument", "outcome_rater"]
    met = early.join(outcome, on="episode_id").sort("episode_id").collect()
    for (*whose, instrument, rater), pairs in sorted(met.partition_by(keys, as_dict=True).items()):
        found = correlation(pairs["early"], pairs["value"]) if pairs.height >= ENOUGH_PERSONS else {}
        counts = {"linked_count": pairs.height, "adjacent_count": pairs.height}
        yield _names(tuple(whose), (instrument, rater), "between", "correlation") | counts | found


def _names(whose: tuple, whose_outcome: tuple, link: str, model: str) -> dict[str, str]:
    (instrument, rater), (outcome_instrument, outcome_rater) = whose, whose_outcome
    return {
        "instrument": instrument,
        "rater": rater,
        "outcome_instrument": outcome_instrument,
        "outcome_rater": outcome_rater,
        "link": link,
        "model": model,
    }
