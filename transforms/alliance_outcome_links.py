"""Does a better alliance go before better weeks, within a person, and the other way round? And between persons?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import polars as pl

from transforms.correlation import correlation
from transforms.intervals import Z_95
from transforms.light_ids import light
from transforms.outcome_scores import lower_is_better
from transforms.session_places import Places
from transforms.therapist_values import residual_outcomes
from transforms.typed import of_rows
from transforms.within_person import centred, within
from warehouse.clinic import Clinic
from warehouse.columns import RATERS, Column
from warehouse.tables import table

LINKS = ("alliance_to_outcome", "outcome_to_alliance", "between")
MODELS = ("lagged", "lagged_detrended", "change_detrended", "correlation")
ENOUGH_PERSONS = 30
TREND = ["session", "log_session"]
VALUES = ["alliance", "outcome", "next_alliance", "next_outcome"]


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
    places = Places(rated)
    lines = _by_line(places, rated), _by_line(places, outcome)
    rows = [*_within(places, *lines), *_between(early_alliance, residual_outcomes(outcomes, retention, clinic))]
    return of_rows(alliance_outcome_links, rows)


def _rated(alliance: pl.LazyFrame) -> pl.DataFrame:
    totals = alliance.filter(pl.col("scale") == "total", pl.col("session_number").is_not_null())
    return (
        totals.select("instrument", "rater", "episode_id", "session_number", value="pomp")
        .with_columns(light("episode_id"))
        .collect()
    )


def _outcome(outcome_scores: pl.LazyFrame, clinic: Clinic) -> pl.DataFrame:
    """Percent of maximum, turned so that higher is better."""
    turned = pl.when(pl.col("instrument").is_in(lower_is_better(clinic))).then(100 - pl.col("pomp")).otherwise("pomp")
    named = outcome_scores.select("instrument", "rater", "episode_id", "session_number", value=turned)
    return named.with_columns(light("episode_id")).collect()


def _by_line(places: Places, scored: pl.DataFrame) -> dict[tuple, pl.Series]:
    """Per instrument and rater the value at each place, null where there is none."""
    placed = places.placed(scored).select("instrument", "rater", "place", "value")
    parts = placed.partition_by("instrument", "rater", as_dict=True, include_key=False)
    return {whose: places.at(part["place"], part["value"]) for whose, part in sorted(parts.items())}


def _within(places: Places, lines: dict[tuple, pl.Series], outcomes: dict[tuple, pl.Series]) -> Iterator[dict]:
    for (whose, rated), (whose_outcome, outcome) in product(lines.items(), outcomes.items()):
        met = adjacent(places, rated, outcome)
        for link in LINKS[:2] if met.height else ():
            kept = met.filter(pl.col(f"next_{_cause_and_effect(link)[1]}").is_not_null())
            persons = kept["episode"].n_unique()
            told = centred(kept, [*VALUES, *TREND], "episode")
            for model in MODELS[:3]:
                found = lag(told, link, model) if persons >= ENOUGH_PERSONS else {}
                counts = {"linked_count": persons, "adjacent_count": kept.height}
                rounded = {name: round(value, 9) for name, value in found.items()}
                yield _names(whose, whose_outcome, link, model) | counts | rounded


def adjacent(places: Places, rated: pl.Series, outcome: pl.Series) -> pl.DataFrame:
    """Sessions with both, and what the next session of the episode (number + 1) has, in the order of episodes."""
    at = (rated.is_not_null() & outcome.is_not_null()).arg_true()
    met = places.frame[at].with_columns(
        alliance=rated[at], outcome=outcome[at], next_alliance=rated[at + 1], next_outcome=outcome[at + 1]
    )
    known = met.filter(pl.col("next_alliance").is_not_null() | pl.col("next_outcome").is_not_null())
    return known.with_columns(log_session=pl.col("session").log())


def _cause_and_effect(link: str) -> tuple[str, str]:
    return ("alliance", "outcome") if link == LINKS[0] else ("outcome", "alliance")


def lag(told: pl.DataFrame, link: str, model: str) -> dict[str, float]:
    """estimate, standard_error, low and high of one link by one model, from what is `centred`; empty where nothing
    varies."""
    cause, effect = _cause_and_effect(link)
    change = pl.col(f"next_{effect}") - pl.col(effect)
    result, also = {
        "lagged": (f"next_{effect}", [effect]),
        "lagged_detrended": (f"next_{effect}", [effect, *TREND]),
        "change_detrended": ("change", TREND),
    }[model]
    found = within(told.with_columns(change=change), result, [cause, *also]).get(cause)
    if found is None:
        return {}
    estimate, error = found
    spread = Z_95 * error
    return {"estimate": estimate, "standard_error": error, "low": estimate - spread, "high": estimate + spread}


def _between(early_alliance: pl.LazyFrame, residuals: pl.LazyFrame) -> Iterator[dict]:
    """Early alliance and residual outcome of episodes that are over; of several dyads in one the first rated counts."""
    early = (
        early_alliance.filter(pl.col("scale") == "total")
        .select("episode_id", "session_id", "instrument", "rater", "pomp")
        .with_columns(light("episode_id", "session_id"))
        .group_by("episode_id", "instrument", "rater")
        .agg(early=pl.col("pomp").min_by("session_id"))
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
