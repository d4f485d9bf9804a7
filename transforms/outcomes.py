"""Outcome: how far first and latest scores are apart, and whether that is more than error."""

from __future__ import annotations

import polars as pl

from transforms.nothing import nothing
from warehouse.clinic import Clinic
from warehouse.columns import Column
from warehouse.tables import table

CHANGES = ("improved", "no change", "deteriorated")
CLASSES = ("recovered", "improved", "unchanged", "deteriorated", "harmed")
WHY_NOT = ("one score only", "no reliable change counts", "no cut-off counts")


@table(
    key="episode_id rater instrument scale compared basis",
    columns=[
        "client_id!",
        "episode_id!",
        "rater!",
        "instrument!",
        "scale!",
        "compared!",
        "basis!",
        "score_count!",
        Column("first_scored_on", "date", "Day of the session of the first score.", required=True),
        Column("last_scored_on", "date", "Day of the session of the latest score; null while there is only one."),
        "first_score",
        "last_score",
        Column("total_change", "number", "last_score minus first_score; null while there is only one."),
        Column(
            "improvement",
            "number",
            "total_change with its sign turned where a lower score is better: above 0 is better.",
        ),
        "change_name",
        Column("change_amount", "number", "Its amount."),
        Column(
            "reliable_class",
            "text",
            "Improved or deteriorated by at least the amount (more than it, where its criterion is >), or no change.",
            one_of=CHANGES,
        ),
        Column(
            "cut_off_name",
            "text",
            "Which cut-off counts (table thresholds): of those meant for this client, the one that says most about whom it is for, else the first.",
        ),
        Column("is_case_first", "truth", "Whether the first score is beyond the cut-off; null without one."),
        Column("is_case_last", "truth", "Whether the latest score is; null without one."),
        Column(
            "jacobson_truax_class",
            "text",
            "recovered: improved, and from case to no case. harmed: deteriorated, and from no case to case. Jacobson & Truax 1991.",
            one_of=CLASSES,
        ),
        Column(
            "why_no_class", "text", "Why there is no jacobson_truax_class; null where there is one.", one_of=WHY_NOT
        ),
    ],
)
def outcomes(
    scores: pl.LazyFrame,
    t_scores: pl.LazyFrame,
    sessions: pl.LazyFrame,
    episodes: pl.LazyFrame,
    clients: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """One row per episode, rater and scale of an outcome measure: first and latest score in the episode's sessions, so far.
    Amounts and cut-offs are those for the client's age at the episode's opening, sex, and the rater. Change is over one
    person's own two scores only; goals (gbo) have a row each."""
    return nothing(outcomes, scores)


STATUSES = ("reliable improvement", "no reliable change", "reliable deterioration", "not assessable")
SCHEMES = ("talking_therapies", "under_18")


@table(
    key="episode_id outcome_scheme rater",
    columns=[
        "client_id!",
        "episode_id!",
        Column(
            "outcome_scheme",
            "text",
            "talking_therapies: PHQ-9 and GAD-7 together (M18). under_18: any measure of one rater (M18b).",
            required=True,
            one_of=SCHEMES,
        ),
        "rater!",
        Column("measure_count", "integer", "Measures with two scores.", required=True, between=(0, None)),
        Column(
            "contact_count",
            "integer",
            "Attended treatment sessions of the episode so far; the cohort has at least two.",
            required=True,
            between=(0, None),
        ),
        "closed_on",
        Column(
            "outcome_status",
            "text",
            "What became of the symptoms, so far or to the end.",
            required=True,
            one_of=STATUSES,
        ),
        Column(
            "is_case_at_start",
            "truth",
            "talking_therapies: PHQ-9 at least 10 or GAD-7 at least 8 at first. Null for under_18 and where not assessable.",
        ),
        Column(
            "is_recovered",
            "truth",
            "A case at first, and below both at last. Null where it was no case: not in the denominator.",
        ),
        Column("is_reliably_recovered", "truth", "is_recovered and reliable improvement."),
        Column("why_not_assessable", "text", "Why not; null where it is."),
    ],
)
def reliable_outcomes(
    outcomes: pl.LazyFrame, sessions: pl.LazyFrame, episodes: pl.LazyFrame, clinic: Clinic
) -> pl.LazyFrame:
    """One row per episode, national scheme and rater. A finished course is one that has ended with at least two
    attended treatment appointments: restrict by closed_on and contact_count."""
    return nothing(reliable_outcomes, outcomes)
