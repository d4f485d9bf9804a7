"""Collaboration: agreement on goals and tasks, goals and who owns them, homework."""

from __future__ import annotations

import polars as pl

from transforms.nothing import nothing
from warehouse.clinic import Clinic
from warehouse.columns import Column
from warehouse.tables import table

OWNERS = ("client", "caregiver", "therapist", "other")


@table(
    key="session_id rater instrument",
    columns=[
        "client_id!",
        "session_id!",
        "episode_id",
        "therapist_id",
        "session_number",
        "session_date!",
        "rater!",
        "instrument!",
        Column(
            "goal_pomp",
            "number",
            "The goal scale: agreement on where to go.",
            unit="percent of maximum",
            between=(0, 100),
        ),
        Column(
            "task_pomp",
            "number",
            "The task scale: agreement on the way there.",
            unit="percent of maximum",
            between=(0, 100),
        ),
        Column(
            "collaboration_pomp",
            "number",
            "Mean of goal_pomp and task_pomp; null unless there are both.",
            unit="percent of maximum",
            between=(0, 100),
        ),
        Column(
            "goal_difference",
            "number",
            "The rater's goal_pomp minus the therapist's on the same questionnaire about the same session: goal agreement. "
            "Null for the therapist and where the therapist did not rate.",
            unit="percent of maximum",
            between=(-100, 100),
        ),
        Column(
            "task_difference",
            "number",
            "The rater's task_pomp minus the therapist's, likewise.",
            unit="percent of maximum",
            between=(-100, 100),
        ),
        Column(
            "homework",
            "number",
            "Homework since the last session, as recorded at this one by anybody: 0 not done, 1 in part, 2 done; the highest. Null where not recorded.",
            between=(0, 2),
        ),
    ],
)
def collaboration(alliance: pl.LazyFrame, scores: pl.LazyFrame) -> pl.LazyFrame:
    """One row per session, rater and alliance questionnaire with a goal or a task scale (the WAI family, after Bordin
    1979). Goal agreement between any two raters, and over a dyad: alliance_agreement and alliance_congruence, scale
    goal."""
    return nothing(collaboration, alliance)


@table(
    key="episode_id rater goal",
    columns=[
        "client_id!",
        "episode_id!",
        "rater!",
        Column(
            "goal",
            "integer",
            "Which of the goals, 1 to 3, in the order in which they were set.",
            required=True,
            between=(1, 3),
        ),
        Column(
            "owner", "text", "Whose goal it is, as stated at its first rating; null where nobody says.", one_of=OWNERS
        ),
        "score_count!",
        "first_score",
        "last_score",
        Column(
            "goal_change",
            "number",
            "last_score minus first_score, 0-10 points; null while there is one.",
            between=(-10, 10),
        ),
        Column(
            "is_reliably_nearer",
            "truth",
            "Whether goal_change is at least the amount that counts (reliable_changes: 3 points, NHS England MHSDS).",
        ),
    ],
)
def goals(scores: pl.LazyFrame, sessions: pl.LazyFrame, response_records: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """One row per episode, rater and goal of Goal-Based Outcomes (Law & Jacob 2015): 0 not met at all to 10 reached. A goal
    keeps its number through an episode. The share of goals that the client owns is a measure of collaboration."""
    return nothing(goals, scores)
