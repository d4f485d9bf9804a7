"""Possible ruptures of the alliance and their repairs, by every rule."""

from __future__ import annotations

import polars as pl

from rapport.transforms.ruptures.counted_rules import compared, instruments_of, is_used
from rapport.transforms.ruptures.reported_ruptures import reported
from rapport.transforms.ruptures.rupture_courses import courses
from rapport.transforms.ruptures.rupture_starts import starts, with_limits
from rapport.transforms.sessions.raters import PERSON
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

_DYAD = ("client_id", "episode_id", "therapist_id")
_LINE = ("compared", *_DYAD, *PERSON, "instrument")


@table(
    key="rupture_rule rater rater_number instrument start_session_id",
    columns=[
        "client_id!",
        "episode_id!",
        "therapist_id",
        "rupture_rule!",
        "rater!",
        "rater_number!",
        "instrument!",
        "scale!",
        "compared!",
        Column("start_session_id", "id", "The first session of the possible rupture.", required=True),
        Column(
            "start_session_number", "integer", "dyad_session_number of that session.", required=True, between=(1, None)
        ),
        Column("started_on", "date", "Day of that session.", required=True),
        Column(
            "pre_value",
            "number",
            "The compared value at the rater's last score before the start; for control limits the mean of all earlier "
            "scores. Null where there is none.",
        ),
        Column(
            "nadir_value",
            "number",
            "The lowest value from its start to the session before its repair; of a reported rupture the highest "
            "intensity, 1-5.",
        ),
        Column("nadir_session_id", "id", "The first session with that value."),
        Column("depth", "number", "pre_value minus nadir_value; null without a pre_value, and for reported ruptures."),
        Column(
            "length",
            "integer",
            "Rated sessions from its start to the one before its repair, or to the last so far; for reported ruptures, "
            "the sessions after which it is reported.",
            unit="sessions",
            required=True,
            between=(1, None),
        ),
        Column(
            "is_repaired",
            "truth",
            "True when repaired within the rule's number of rated sessions after its start; false when these passed "
            "without a repair. Null where the record ends before: not known.",
        ),
        Column(
            "repair_session_id", "id", "The first session that meets the rule's repair, however late; null until then."
        ),
        Column(
            "repair_session_count",
            "integer",
            "Rated sessions from the start to that one.",
            unit="sessions",
            between=(0, None),
        ),
        Column("is_over", "truth", "True when no later session can change the row.", required=True),
    ],
)
def ruptures(
    alliance: pl.LazyFrame,
    scores: pl.LazyFrame,
    sessions: pl.LazyFrame,
    response_records: pl.LazyFrame,
    responses: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """One row per dyad, person, rule and possible rupture. A fall in a score is only a sign of a rupture between two
    people, and the number of ruptures depends on the rule (Gumz et al. 2012), so each row names its rule
    (rupture_rules). Consecutive rated sessions that meet a rule are one rupture, and so is a start before the repair. A
    session without a rating is no recovery. Limits come from earlier sessions only. Only treatment sessions count."""
    rated = with_limits(_rated(_values(alliance, response_records, responses, clinic))).collect().lazy()
    by_score = [rule for rule in clinic.rupture_rules if rule.kind != "report"]
    began = pl.concat([starts(rated, rule, clinic) for rule in by_score])
    found = _until_windows_close(courses(began, rated), sessions, clinic).with_columns(
        start_session_id="session_id", start_session_number="session", started_on="session_date"
    )
    told = [reported(scores, sessions, rule, clinic) for rule in clinic.rupture_rules if rule.kind == "report"]
    return pl.concat([each.select(ruptures.column_names) for each in (found, *told)])


def _values(
    alliance: pl.LazyFrame, response_records: pl.LazyFrame, responses: pl.LazyFrame, clinic: Clinic
) -> pl.LazyFrame:
    """Return the compared values: totals, and the lowest item where a rule needs it."""
    totals = alliance.filter(pl.col("scale") == "total", pl.col("dyad_session_number").is_not_null())
    totals = totals.with_columns(compared=pl.lit("score"), value=pl.col("score"))
    asked = {
        each.name
        for rule in clinic.rupture_rules
        for each in instruments_of(rule, clinic)
        if compared(rule, each) == "lowest_item" and is_used(rule, each, clinic)
    }
    if not asked:
        return totals
    lowest = (
        response_records.filter(pl.col("instrument").is_in(asked))
        .select("source", "response_id", lowest=pl.col("answers").list.min().cast(pl.Float64).round(4))
        .join(responses.filter("is_used"), on=["source", "response_id"])
        .select("session_id", *PERSON, "instrument", "lowest")
    )
    items = totals.join(lowest, on=["session_id", *PERSON, "instrument"])
    return pl.concat([totals, items.with_columns(compared=pl.lit("lowest_item"), value="lowest").drop("lowest")])


def _rated(values: pl.LazyFrame) -> pl.LazyFrame:
    """Return the values in order, numbered by row and by line (one person's values in a dyad)."""
    is_new = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in _LINE)
    return (
        values.select(*_LINE, "scale", "session_id", "session_date", "value", session="dyad_session_number")
        .sort(*_LINE, "session")
        .with_row_index("row")
        .with_columns(line=is_new.cum_sum())
        .with_columns(last_row=pl.col("row").max().over("line"))
    )


def _until_windows_close(found: pl.LazyFrame, sessions: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Set is_over to false for a sudden loss until the two sessions after it are past: its rule uses them too."""
    sudden = [rule.name for rule in clinic.rupture_rules if rule.kind == "sudden_loss"]
    held = sessions.group_by(_DYAD).agg(held=pl.col("dyad_session_number").max())
    is_open = pl.col("rupture_rule").is_in(sudden) & (pl.col("held") < pl.col("session") + 2)
    return found.join(held, on=_DYAD, how="left", nulls_equal=True).with_columns(is_over=pl.col("is_over") & ~is_open)
