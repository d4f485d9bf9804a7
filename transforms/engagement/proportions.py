"""The clinic's main shares, each with its interval."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rapport.transforms.engagement.retention import DEFINITIONS
from rapport.transforms.frames.ids_as_numbers import as_numbers
from rapport.transforms.sessions.raters import of_counted_raters
from rapport.transforms.statistics.intervals import with_wilson
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table


@table(
    per="clinic",
    key="measure subject quarter",
    columns=[
        "measure!",
        Column(
            "subject",
            "text",
            "What the share is about: instrument and rater, or rule; 'all' where there is no such distinction.",
            required=True,
        ),
        Column("quarter", "text", "The quarter, such as '2026-Q3', or 'all'.", required=True),
        "numerator_count!",
        "denominator_count!",
        "client_count",
        "share",
        "low",
        "high",
    ],
)
def proportions(
    retention: pl.LazyFrame,
    engagement: pl.LazyFrame,
    outcomes: pl.LazyFrame,
    reliable_outcomes: pl.LazyFrame,
    ruptures: pl.LazyFrame,
    goals: pl.LazyFrame,
    completion: pl.LazyFrame,
    other_raters: pl.LazyFrame,
) -> pl.LazyFrame:
    """One row per main share, subject and quarter, with Wilson's 95 % interval (M25). more_than_four,
    dropout_<definition>: episodes, by the quarter of opening. attendance, no_show, late_cancel: appointments, by the
    quarter of the episode's opening. reliably_improved, reliably_deteriorated, recovered: episodes that are over, by
    the quarter of the latest score. nhs_<...>: by the quarter of closing. possible_rupture_repaired: by the quarter of
    the rupture's start. goal_owned_by_client: goals. questionnaire_received: due occasions. Unknown cases are in no
    denominator. client_count is the number of clients in the denominator; null for questionnaire_received, whose table
    has no clients. Where one client has several cases, they are not independent, and the interval is too narrow."""
    outcomes, reliable_outcomes, ruptures, goals = (
        of_counted_raters(rated, other_raters) for rated in (outcomes, reliable_outcomes, ruptures, goals)
    )
    parts = [
        *_retention(retention),
        *_engagement(engagement, retention),
        *_outcomes(outcomes, retention),
        *_reliable_outcomes(reliable_outcomes),
        _counted(ruptures, "possible_rupture_repaired", pl.col("is_repaired"), "started_on", "rupture_rule", "rater"),
        *_goals(goals, retention),
        _completion(completion),
    ]
    return with_wilson(pl.concat(parts).sort("measure", "subject", "quarter").collect()).lazy()


def _by_quarter(told: pl.LazyFrame, measure: str, of: tuple[str, ...]) -> pl.LazyFrame:
    """Return the sums by quarter, and over all, of rows with `on` (a day), client_id and the two counts."""
    on, counts = pl.col("on"), pl.col("numerator_count", "denominator_count")
    clients = pl.col("client_id").filter(pl.col("denominator_count") > 0)
    sums = [counts.sum().cast(pl.Int32), clients.n_unique().cast(pl.Int32).alias("client_count")]
    numbered = told.with_columns(as_numbers("client_id"), quarter=on.dt.year() * 4 + on.dt.quarter() - 1)
    name = pl.concat_str(pl.col("quarter") // 4, pl.lit("-Q"), pl.col("quarter") % 4 + 1)
    dated = numbered.filter(on.is_not_null()).group_by(*of, "quarter").agg(sums).with_columns(quarter=name)
    whole = numbered.with_columns(quarter=pl.lit("all")).group_by(*of, "quarter").agg(sums)
    return pl.concat([part.select(_subject(of), *_COUNTED, measure=pl.lit(measure)) for part in (dated, whole)])


_COUNTED = ("quarter", "numerator_count", "denominator_count", "client_count")


def _subject(columns: tuple[str, ...]) -> pl.Expr:
    return (pl.concat_str(columns, separator=" ") if columns else pl.lit("all")).alias("subject")


def _counted(rows: pl.LazyFrame, measure: str, is_so: pl.Expr, on: str, *of: str) -> pl.LazyFrame:
    """Return the two counts of rows for which `is_so` is known: rows where it is true, and all of them."""
    counts = {"numerator_count": is_so.cast(pl.Int32), "denominator_count": is_so.is_not_null().cast(pl.Int32)}
    return _by_quarter(rows.select("client_id", *of, on=pl.col(on), **counts), measure, of)


def _completion(completion: pl.LazyFrame) -> pl.LazyFrame:
    """Return the counts of table completion, which has no clients."""
    of, unknown = ("instrument", "rater"), pl.lit(None, dtype=pl.Int32)
    counts = {"numerator_count": "received_count", "denominator_count": "due_count"}
    told = completion.select(*of, on="month_on", client_id=pl.lit(None, dtype=pl.Binary), **counts)
    return _by_quarter(told, "questionnaire_received", of).with_columns(client_count=unknown)


def _retention(retention: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    yield _counted(retention, "more_than_four", pl.col("has_more_than_four"), "opened_on")
    for name in DEFINITIONS:
        yield _counted(retention, f"dropout_{name}", pl.col(f"is_dropout_{name}"), "opened_on")


def _engagement(engagement: pl.LazyFrame, retention: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    dated = engagement.join(retention.select("episode_id", "opened_on"), on="episode_id")
    for measure, column in (("attendance", "attended"), ("no_show", "no_show"), ("late_cancel", "late_cancel")):
        counts = {"numerator_count": f"{column}_count", "denominator_count": "held_open_count"}
        yield _by_quarter(dated.select("client_id", on="opened_on", **counts), measure, ())


def _outcomes(outcomes: pl.LazyFrame, retention: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    over = outcomes.join(retention.filter("has_ended").select("episode_id"), on="episode_id", how="semi")
    assessed = over.filter(pl.col("basis") == "computed")
    of = ("instrument", "rater", "scale", "compared")
    for measure, word in (("reliably_improved", "improved"), ("reliably_deteriorated", "deteriorated")):
        yield _counted(assessed, measure, pl.col("reliable_class") == word, "last_scored_on", *of)
    cases = assessed.filter("is_case_first")
    yield _counted(cases, "recovered", pl.col("jacobson_truax_class") == "recovered", "last_scored_on", *of)


def _reliable_outcomes(found: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Yield the shares of finished courses: closed, with at least two attended treatment appointments."""
    finished = found.filter(
        pl.col("closed_on").is_not_null(),
        pl.col("contact_count") >= 2,
        pl.col("outcome_status") != "not assessable",
    )
    of = ("outcome_scheme", "rater")
    for measure in ("reliable improvement", "reliable deterioration"):
        is_so = pl.col("outcome_status") == measure
        yield _counted(finished, f"nhs_{measure.replace(' ', '_')}", is_so, "closed_on", *of)
    for measure in ("recovered", "reliably_recovered"):
        yield _counted(finished, f"nhs_{measure}", pl.col(f"is_{measure}"), "closed_on", *of)


def _goals(goals: pl.LazyFrame, retention: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    dated = goals.join(retention.select("episode_id", "opened_on"), on="episode_id")
    yield _counted(dated, "goal_owned_by_client", pl.col("goal_owner") == "client", "opened_on")
    yield _counted(dated, "goal_reliably_nearer", pl.col("is_reliably_nearer"), "opened_on")
