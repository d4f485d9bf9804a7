"""Collaboration: agreement on goals and tasks, and homework."""

from __future__ import annotations

import polars as pl

from rapport.transforms.sessions.raters import of_counted_raters
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

_PERCENT = "percent of maximum"
SCALES = ("goal", "task")


@table(
    key="session_id rater rater_number instrument",
    columns=[
        "client_id!",
        "session_id!",
        "episode_id",
        "therapist_id",
        "session_number",
        "session_date!",
        "rater!",
        "rater_number!",
        "instrument!",
        Column("goal_pomp", "number", "The scale goal: agreement on goals.", unit=_PERCENT, between=(0, 100)),
        Column("task_pomp", "number", "The scale task: agreement on tasks.", unit=_PERCENT, between=(0, 100)),
        Column(
            "collaboration_pomp",
            "number",
            "Mean of goal_pomp and task_pomp; null unless there are both.",
            unit=_PERCENT,
            between=(0, 100),
        ),
        Column(
            "goal_difference",
            "number",
            "The rater's goal_pomp minus the therapist's, on the same questionnaire about the same session: 0 is "
            "agreement. Null for the therapist, and where the therapist did not rate.",
            unit=_PERCENT,
            between=(-100, 100),
        ),
        Column(
            "task_difference",
            "number",
            "The rater's task_pomp minus the therapist's, likewise.",
            unit=_PERCENT,
            between=(-100, 100),
        ),
        Column(
            "homework_done",
            "number",
            "Homework since the last session, as recorded at this session by any rater (questionnaire homework): 0 not "
            "done, 1 done in part, 2 done; of several records the highest. Null where none was recorded.",
            between=(0, 2),
        ),
    ],
)
def collaboration(alliance: pl.LazyFrame, scores: pl.LazyFrame, other_raters: pl.LazyFrame) -> pl.LazyFrame:
    """One row per session, person and alliance questionnaire with a score of its goal or task scale (the WAI family,
    after Bordin 1979). Goal agreement between any two raters, and over a dyad, is in alliance_agreement and
    alliance_congruence, scale goal."""
    rated = alliance.filter(pl.col("scale").is_in(SCALES)).group_by(*_OF_PERSON).agg(**_by_scale())
    theirs = of_counted_raters(rated.filter(pl.col("rater") == "therapist"), other_raters).select(
        "session_id", "instrument", therapist_goal="goal_pomp", therapist_task="task_pomp"
    )
    homework = (
        scores.filter(pl.col("instrument") == "homework", "is_used", pl.col("score").is_not_null())
        .group_by("session_id")
        .agg(homework_done=pl.col("score").max())
    )
    return (
        rated.join(theirs, on=["session_id", "instrument"], how="left")
        .join(homework, on="session_id", how="left")
        .with_columns(
            collaboration_pomp=((pl.col("goal_pomp") + pl.col("task_pomp")) / 2).round(6),
            **{f"{scale}_difference": _from_therapist(scale) for scale in SCALES},
        )
    )


_OF_PERSON = (
    *("client_id", "session_id", "episode_id", "therapist_id", "session_number", "session_date"),
    *("rater", "rater_number", "instrument"),
)


def _by_scale() -> dict[str, pl.Expr]:
    return {f"{scale}_pomp": pl.col("pomp").filter(pl.col("scale") == scale).first() for scale in SCALES}


def _from_therapist(scale: str) -> pl.Expr:
    difference = (pl.col(f"{scale}_pomp") - pl.col(f"therapist_{scale}")).round(6)
    return pl.when(pl.col("rater") != "therapist").then(difference)
