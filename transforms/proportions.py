"""The clinic's headline shares, each with its interval."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from transforms.intervals import with_wilson
from transforms.retention import DEFINITIONS
from warehouse.columns import Column
from warehouse.tables import table


@table(
    per="clinic",
    key="measure subject quarter",
    columns=[
        "measure!",
        Column(
            "subject",
            "text",
            "Of what: instrument and rater, or rule; 'all' where nothing is told apart.",
            required=True,
        ),
        Column("quarter", "text", "'2026-Q3' and so on, or 'all' of them.", required=True),
        "numerator_count!",
        "denominator_count!",
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
) -> pl.LazyFrame:
    """One row per headline share, what it is of, and quarter, with Wilson's 95 % interval (M25). more_than_four,
    dropout_<definition>: episodes, by the quarter of opening. attendance, no_show, late_cancel: appointments, by the
    quarter of the episode's opening. reliably_improved, reliably_deteriorated, recovered: episodes that are over, by
    the quarter of the latest score; nhs_<...>: by that of closing. possible_rupture_repaired: by that of its start.
    goal_owned_by_client: goals. questionnaire_received: due occasions. What is not known is in no denominator.
    Appointments, possible ruptures and questionnaires of one client are not independent: there the interval is too
    narrow."""
    parts = [
        *_retention(retention),
        *_engagement(engagement, retention),
        *_outcomes(outcomes, retention),
        *_reliable_outcomes(reliable_outcomes),
        _counted(ruptures, "possible_rupture_repaired", pl.col("is_repaired"), "started_on", "rupture_rule", "rater"),
        *_goals(goals, retention),
        _summed(completion, "questionnaire_received", "received_count", "due_count", "month_on", "instrument", "rater"),
    ]
    by_quarter = pl.concat([part.select(_COLUMNS) for part in parts]).with_columns(quarter=_quarter())
    keys = ["measure", "subject", "quarter"]
    both = pl.concat([by_quarter, by_quarter.with_columns(quarter=pl.lit("all"))]).filter(
        pl.col("quarter").is_not_null()
    )
    counts = pl.col("numerator_count", "denominator_count").sum().cast(pl.Int32)
    return with_wilson(both.group_by(keys).agg(counts).sort(keys).collect()).lazy()


_COLUMNS = ("measure", "subject", "on", "numerator_count", "denominator_count")


def _quarter() -> pl.Expr:
    on = pl.col("on")
    return pl.concat_str(on.dt.year(), pl.lit("-Q"), on.dt.quarter())


def _subject(columns: tuple[str, ...]) -> pl.Expr:
    return pl.concat_str(columns, separator=" ") if columns else pl.lit("all")


def _counted(rows: pl.LazyFrame, measure: str, is_so: pl.Expr, on: str, *of: str) -> pl.LazyFrame:
    """Of the rows of which it is known, those of which it is so: by day, summed at once."""
    return (
        rows.select(*of, is_so=is_so, on=pl.col(on))
        .group_by("on", *of)
        .agg(numerator_count=pl.col("is_so").sum(), denominator_count=pl.col("is_so").count())
        .with_columns(measure=pl.lit(measure), subject=_subject(of))
    )


def _summed(rows: pl.LazyFrame, measure: str, numerator: str, denominator: str, on: str, *of: str) -> pl.LazyFrame:
    return (
        rows.group_by(*of, on=pl.col(on))
        .agg(numerator_count=pl.col(numerator).sum(), denominator_count=pl.col(denominator).sum())
        .with_columns(pl.col("numerator_count", "denominator_count").cast(pl.UInt32))
        .with_columns(measure=pl.lit(measure), subject=_subject(of))
    )


def _retention(retention: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    yield _counted(retention, "more_than_four", pl.col("has_more_than_four"), "opened_on")
    for name in DEFINITIONS:
        yield _counted(retention, f"dropout_{name}", pl.col(f"is_dropout_{name}"), "opened_on")


def _engagement(engagement: pl.LazyFrame, retention: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    dated = engagement.join(retention.select("episode_id", "opened_on"), on="episode_id")
    for measure, column in (("attendance", "attended"), ("no_show", "no_show"), ("late_cancel", "late_cancel")):
        yield _summed(dated, measure, f"{column}_count", "held_open_count", "opened_on")


def _outcomes(outcomes: pl.LazyFrame, retention: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    over = outcomes.join(retention.filter("has_ended").select("episode_id"), on="episode_id", how="semi")
    assessed = over.filter(pl.col("basis") == "computed")
    of = ("instrument", "rater", "scale", "compared")
    for measure, word in (("reliably_improved", "improved"), ("reliably_deteriorated", "deteriorated")):
        yield _counted(assessed, measure, pl.col("reliable_class") == word, "last_scored_on", *of)
    cases = assessed.filter("is_case_first")
    yield _counted(cases, "recovered", pl.col("jacobson_truax_class") == "recovered", "last_scored_on", *of)


def _reliable_outcomes(found: pl.LazyFrame) -> Iterator[pl.LazyFrame]:
    """Finished courses: closed, with at least two attended treatment appointments."""
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
