"""Associations of the alliance with the next session's outcome and the reverse, within persons; and between persons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import polars as pl

from rapport.transforms.frames.ids_as_numbers import as_numbers
from rapport.transforms.frames.typed_rows import frame_of_rows
from rapport.transforms.scoring.outcome_scores import lower_is_better
from rapport.transforms.sessions.raters import of_counted_raters
from rapport.transforms.sessions.session_places import Places
from rapport.transforms.statistics.correlation import correlation
from rapport.transforms.statistics.estimates import Found, estimated, first_of_clients, why_none
from rapport.transforms.statistics.students_t import critical_t_at
from rapport.transforms.statistics.within_person import centred, within
from rapport.transforms.therapists.therapist_values import residual_outcomes
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import NO_WIDTH, RATERS, Column
from rapport.warehouse.schema.tables import table

LINKS = ("alliance_to_outcome", "outcome_to_alliance", "between")
MODELS = ("lagged", "lagged_detrended", "change_detrended", "correlation")
LEAST_PAIRS = 2  # of adjacent sessions: one pair has no information after the episode's own mean is taken out
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
            "lagged: the next value regressed on this session's values of both, with episode dummies; biased with few "
            "sessions that carry over or share a trend (Nickell 1981, Econometrica 49:1417-1426). lagged_detrended: "
            "the same with session number and its logarithm. change_detrended: the change until the next session, "
            "without the lag, for values that carry over in full. correlation: Pearson's.",
            required=True,
            one_of=MODELS,
        ),
        "linked_count!",
        "client_count!",
        Column(
            "adjacent_count",
            "integer",
            "Pairs of adjacent sessions with a value of the effect; for between, the episodes.",
            required=True,
            between=(0, None),
        ),
        "estimate",
        "standard_error",
        "degrees_of_freedom",
        "low",
        "high",
        "largest_share",
        "why_no_estimate",
    ],
)
def alliance_outcome_links(
    alliance: pl.LazyFrame,
    outcome_scores: pl.LazyFrame,
    early_alliance: pl.LazyFrame,
    outcomes: pl.LazyFrame,
    other_raters: pl.LazyFrame,
    retention: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """One row per alliance questionnaire and outcome measure (total scales) that meet in adjacent treatment sessions,
    direction and model (M20). Within: percent-of-maximum points of the one at session s + 1 per point of the other at
    s, outcomes turned so that higher is better. Only episodes with two such pairs or more, between which the predictor
    differs, are in it; errors are clustered by client, the interval is Student's. Between: the correlation over
    clients, each with the first episode that has both, with Fisher's interval; published are .28 in adults (Flückiger
    et al. 2018, 295 studies) and .19 in youth (Karver et al. 2018, 28 studies). Null below 30 clients, where one client
    makes more than half of the predictor's squares, and without an error: why_no_estimate. Read lagged_detrended first:
    in simulated clinics without any effect the plain lagged model finds one (make truth). Error in the
    ratings draws estimates towards 0. An association in time, not a proof of cause."""
    rated = _rated(of_counted_raters(alliance, other_raters))
    outcome = _outcome(of_counted_raters(outcome_scores, other_raters), clinic)
    places = Places(rated)
    lines = _by_line(places, rated), _by_line(places, outcome)
    early = of_counted_raters(early_alliance, other_raters)
    residuals = residual_outcomes(outcomes, other_raters, retention, clinic)
    rows = [*_within(places, *lines), *_between(early, residuals)]
    return frame_of_rows(alliance_outcome_links, rows)


def _rated(alliance: pl.LazyFrame) -> pl.DataFrame:
    totals = alliance.filter(pl.col("scale") == "total", pl.col("session_number").is_not_null())
    return (
        totals.select("instrument", "rater", "client_id", "episode_id", "session_number", value="pomp")
        .with_columns(as_numbers("client_id", "episode_id"))
        .collect()
    )


def _outcome(outcome_scores: pl.LazyFrame, clinic: Clinic) -> pl.DataFrame:
    """Return outcomes in percent of maximum, turned so that higher is better."""
    turned = pl.when(pl.col("instrument").is_in(lower_is_better(clinic))).then(100 - pl.col("pomp")).otherwise("pomp")
    named = outcome_scores.select("instrument", "rater", "episode_id", "session_number", value=turned)
    return named.with_columns(as_numbers("episode_id")).collect()


def _by_line(places: Places, scored: pl.DataFrame) -> dict[tuple[object, ...], pl.Series]:
    """Return per instrument and rater the value at each place, null where there is none."""
    placed = places.placed(scored).select("instrument", "rater", "place", "value")
    parts = placed.partition_by("instrument", "rater", as_dict=True, include_key=False)
    return {whose: places.at(part["place"], part["value"]) for whose, part in sorted(parts.items())}


def _within(
    places: Places, lines: dict[tuple[object, ...], pl.Series], outcomes: dict[tuple[object, ...], pl.Series]
) -> Iterator[Mapping[str, object]]:
    for (whose, rated), (whose_outcome, outcome) in product(lines.items(), outcomes.items()):
        met = adjacent(places, rated, outcome)
        for link in LINKS[:2] if met.height else ():
            kept = contributing(met, link)
            counts = {
                "linked_count": kept["episode"].n_unique(),
                "client_count": kept["client"].n_unique(),
                "adjacent_count": kept.height,
            }
            told = centred(kept, [*VALUES, *TREND])
            for model in MODELS[:3]:
                yield {**_names(whose, whose_outcome, link, model), **counts, **lag(told, link, model)}


def adjacent(places: Places, rated: pl.Series, outcome: pl.Series) -> pl.DataFrame:
    """Return the sessions with both values, each with the values of the episode's next session (number + 1), in the
    order of episodes."""
    at = (rated.is_not_null() & outcome.is_not_null()).arg_true()
    met = places.frame[at].with_columns(
        alliance=rated[at], outcome=outcome[at], next_alliance=rated[at + 1], next_outcome=outcome[at + 1]
    )
    known = met.filter(pl.col("next_alliance").is_not_null() | pl.col("next_outcome").is_not_null())
    return known.with_columns(log_session=pl.col("session").log())


def contributing(met: pl.DataFrame, link: str) -> pl.DataFrame:
    """Return the pairs of adjacent sessions with a value of the effect, from episodes with information: at least two
    such pairs, with different values of the cause."""
    cause, effect = _cause_and_effect(link)
    known = met.filter(pl.col(f"next_{effect}").is_not_null())
    differs = pl.col(cause).max() - pl.col(cause).min() > NO_WIDTH
    return known.filter(((pl.len() >= LEAST_PAIRS) & differs).over("episode"))


def _cause_and_effect(link: str) -> tuple[str, str]:
    return ("alliance", "outcome") if link == LINKS[0] else ("outcome", "alliance")


def lag(told: pl.DataFrame, link: str, model: str) -> Found:
    """Return one link by one model, from `centred` values: largest_share, degrees_of_freedom and the estimate with its
    interval; or why_no_estimate."""
    cause, effect = _cause_and_effect(link)
    change = pl.col(f"next_{effect}") - pl.col(effect)
    result, also = {
        "lagged": (f"next_{effect}", [effect]),
        "lagged_detrended": (f"next_{effect}", [effect, *TREND]),
        "change_detrended": ("change", TREND),
    }[model]
    client_count = told["client"].n_unique()
    found = within(told.with_columns(change=change), result, cause, also)
    share = round(found.largest_share, 9) if found else None
    if (why := why_none(client_count, share)) or not found:
        return {"largest_share": share, "why_no_estimate": why}
    degrees = client_count - 1
    spread = critical_t_at(degrees) * found.standard_error
    ends = (found.estimate - spread, found.estimate + spread)
    made = estimated(found.estimate, found.standard_error, *ends, degrees_of_freedom=degrees)
    return {"largest_share": share, **made}


def _between(early_alliance: pl.LazyFrame, residuals: pl.LazyFrame) -> Iterator[Mapping[str, object]]:
    """Yield the correlations of early alliance and residual outcome over clients. A client counts with the first
    episode that is over and has both values, and with the first rated dyad in it."""
    early = (
        early_alliance.filter(pl.col("scale") == "total")
        .select("episode_id", "session_number", "instrument", "rater", "pomp")
        .with_columns(as_numbers("episode_id"))
        .group_by("episode_id", "instrument", "rater")
        .agg(early=pl.col("pomp").min_by("session_number"))
    )
    outcome = residuals.filter(pl.col("scale") == "total").select(
        "client_id", "episode_id", "episode_number", "value", outcome_instrument="instrument", outcome_rater="rater"
    )
    keys = ["instrument", "rater", "outcome_instrument", "outcome_rater"]
    met = first_of_clients(early.join(outcome, on="episode_id"), *keys).collect()
    for (*whose, instrument, rater), pairs in sorted(met.partition_by(keys, as_dict=True).items()):
        counts = dict.fromkeys(("linked_count", "client_count", "adjacent_count"), pairs.height)
        found = correlation(pairs["early"], pairs["value"])
        yield {**_names(whose, (instrument, rater), "between", "correlation"), **counts, **found}


def _names(whose: Sequence[object], whose_outcome: Sequence[object], link: str, model: str) -> Mapping[str, object]:
    (instrument, rater), (outcome_instrument, outcome_rater) = whose, whose_outcome
    return {
        "instrument": instrument,
        "rater": rater,
        "outcome_instrument": outcome_instrument,
        "outcome_rater": outcome_rater,
        "link": link,
        "model": model,
    }
