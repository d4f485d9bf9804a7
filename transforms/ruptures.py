"""Possible ruptures of the alliance, and their repairs, by every rule side by side."""

from __future__ import annotations

import polars as pl

from transforms.nothing import nothing
from warehouse.clinic import Clinic
from warehouse.columns import Column
from warehouse.tables import table


@table(
    key="rupture_rule rater instrument start_session_id",
    columns=[
        "client_id!",
        "episode_id!",
        "therapist_id",
        "rupture_rule!",
        "rater!",
        "instrument!",
        "scale!",
        "compared!",
        Column("start_session_id", "id", "The session in which the possible rupture shows first.", required=True),
        Column(
            "start_session_number", "integer", "dyad_session_number of that session.", required=True, between=(1, None)
        ),
        Column("started_on", "date", "Day of that session.", required=True),
        Column(
            "pre_value", "number", "What is compared, at the rater's last score before it; null where it is the first."
        ),
        Column(
            "nadir_value",
            "number",
            "The worst value from its start to the session before its repair; of a reported "
            "rupture the highest intensity, 1-5.",
        ),
        Column("nadir_session_id", "id", "The first session with that value."),
        Column("depth", "number", "pre_value minus nadir_value; null without a pre_value, and for reported ruptures."),
        Column(
            "length",
            "integer",
            "Rated sessions from its start to the one before its repair, or to the last so far.",
            unit="sessions",
            required=True,
            between=(1, None),
        ),
        Column(
            "is_repaired",
            "truth",
            "True when repaired within the rule's number of rated sessions after its start; false when so many passed "
            "without; null while, and where, the record ends before either: not known.",
        ),
        Column(
            "repair_session_id",
            "id",
            "The first session that meets the rule's repair, whenever it came; null until then.",
        ),
        Column(
            "repair_session_count",
            "integer",
            "Rated sessions from the start to the repair.",
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
    """One row per dyad, rule and possible rupture: a fall in a score stands in for what happened between two people, and
    how many are found depends on the rule (Gumz et al. 2012), so each row names its rule (rupture_rules). Consecutive
    rated sessions that meet the rule are one; a session without a rating is no recovery; limits come from earlier
    sessions only. Sessions without a number in their episode are left out."""
    return nothing(ruptures, alliance)
