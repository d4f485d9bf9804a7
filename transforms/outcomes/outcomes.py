"""Outcome: the difference between first and latest scores, and whether it is more than error."""

from __future__ import annotations

import polars as pl

from rapport.transforms.scoring.limits_in_use import with_cut_offs, with_limits_of_change
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

CHANGES = ("improved", "no change", "deteriorated")
CLASSES = ("recovered", "improved", "unchanged", "deteriorated", "harmed")
WHY_NOT = ("one score only", "no reliable change counts", "no cut-off counts")
_LINE = ("client_id", "episode_id", "rater", "rater_number", "instrument", "scale", "compared", "basis")


@table(
    key="episode_id rater rater_number instrument scale compared basis",
    columns=[
        "client_id!",
        "episode_id!",
        "rater!",
        "rater_number!",
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
            "total_change, with its sign turned where a lower score is better: above 0 is better.",
        ),
        "change_name",
        Column("change_amount", "number", "The least improvement or worsening beyond error."),
        Column(
            "reliable_class",
            "text",
            "improved or deteriorated by at least change_amount (by more, where its criterion is >), or no change. "
            "Null without two scores or an amount.",
            one_of=CHANGES,
        ),
        Column(
            "cut_off_name",
            "text",
            "The cut-off that counts (table thresholds): of those for this client and rater the one for the most "
            "specific population, else the first.",
        ),
        Column("is_case_first", "truth", "Whether the first score is beyond the cut-off; null without one."),
        Column("is_case_last", "truth", "Whether the latest score is beyond the cut-off; null without one."),
        Column(
            "jacobson_truax_class",
            "text",
            "Jacobson & Truax 1991, J Consult Clin Psychol 59:12-19. recovered: improved, and from case to no case; "
            "harmed: deteriorated, and from no case to case.",
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
    """One row per episode, person and scale of an outcome measure: the first and the latest score so far in the
    episode's sessions. The reliable change (table reliable_changes) and the cut-off are those for the client's age at
    the episode's opening, the client's sex, and the rater. T-scores have rows of their own (compared), and so have
    given scores (basis). Each goal (gbo) is a scale. Scores without a session are left out."""
    lines = (
        _first_and_last(_scored(scores, t_scores, clinic), sessions)
        .join(episodes.select("episode_id", "age_at_opening"), on="episode_id", how="left")
        .join(clients.select("client_id", "sex"), on="client_id", how="left")
        .join(_signs(clinic), on=["instrument", "scale"], how="left")
        .with_columns(total_change=(pl.col("last_score") - pl.col("first_score")).round(6))
        .with_columns(improvement=pl.col("total_change") * pl.col("sign"))
        .sort(_LINE)
        .with_row_index("line")
        .cache()
    )
    limited = with_cut_offs(with_limits_of_change(lines, clinic).cache(), clinic)
    return (
        limited.with_columns(
            reliable_class=_reliable_class(),
            is_case_first=_is_case(pl.col("first_score")),
            is_case_last=_is_case(pl.col("last_score")),
        )
        .with_columns(why_no_class=_why_not())
        .with_columns(jacobson_truax_class=pl.when(pl.col("why_no_class").is_null()).then(_class()))
    )


def _scored(scores: pl.LazyFrame, t_scores: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    measures = [each.name for each in clinic.instruments.values() if each.construct == "outcome"]
    names = ("session_id", "rater", "rater_number", "instrument", "scale", "basis")
    used = pl.col("is_used") & pl.col("session_id").is_not_null() & pl.col("instrument").is_in(measures)
    raw = scores.filter(used, pl.col("score").is_not_null()).select(*names, "score", compared=pl.lit("score"))
    normed = t_scores.filter(used, pl.col("t_score").is_not_null())
    return pl.concat([raw, normed.select(*names, score="t_score", compared=pl.lit("t_score"))])


def _first_and_last(scored: pl.LazyFrame, sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Return the first and latest of a person's scores in an episode."""
    several = pl.len() > 1
    return (
        scored.join(sessions, on="session_id")
        .filter(pl.col("episode_id").is_not_null())
        .sort("client_session_number")
        .group_by(_LINE)
        .agg(
            score_count=pl.len().cast(pl.Int32),
            first_scored_on=pl.col("session_date").first(),
            last_scored_on=pl.when(several).then(pl.col("session_date").last()),
            first_score=pl.col("score").first(),
            last_score=pl.when(several).then(pl.col("score").last()),
        )
    )


def _signs(clinic: Clinic) -> pl.LazyFrame:
    """Return per scale 1 where a higher score is better, else -1. Scales of one instrument may differ in direction."""
    rows = [
        (each.name, scale.name, 1 if scale.direction == "higher_better" else -1)
        for each in clinic.instruments.values()
        for scale in each.scales
    ]
    return pl.LazyFrame(rows, schema={"instrument": pl.String, "scale": pl.String, "sign": pl.Int32}, orient="row")


def _reliable_class() -> pl.Expr:
    better, amount = pl.col("improvement"), pl.col("change_amount")
    beyond = pl.when("is_from").then(better.abs() >= amount).otherwise(better.abs() > amount)
    moved = pl.when(better > 0).then(pl.lit("improved")).otherwise(pl.lit("deteriorated"))
    assessable = better.is_not_null() & amount.is_not_null()
    return pl.when(assessable).then(pl.when(beyond).then(moved).otherwise(pl.lit("no change")))


def _is_case(score: pl.Expr) -> pl.Expr:
    value, operator = pl.col("cut_off_value"), pl.col("operator")
    met = {"<": score < value, "<=": score <= value, ">": score > value, ">=": score >= value}
    return pl.coalesce(pl.when(operator == sign).then(holds) for sign, holds in met.items())


def _why_not() -> pl.Expr:
    return (
        pl.when(pl.col("last_score").is_null())
        .then(pl.lit(WHY_NOT[0]))
        .when(pl.col("change_amount").is_null())
        .then(pl.lit(WHY_NOT[1]))
        .when(pl.col("cut_off_value").is_null())
        .then(pl.lit(WHY_NOT[2]))
    )


def _class() -> pl.Expr:
    changed, was, still = pl.col("reliable_class"), pl.col("is_case_first"), pl.col("is_case_last")
    improved, worse = changed == "improved", changed == "deteriorated"
    return (
        pl.when(improved & was & ~still)
        .then(pl.lit("recovered"))
        .when(improved)
        .then(pl.lit("improved"))
        .when(worse & ~was & still)
        .then(pl.lit("harmed"))
        .when(worse)
        .then(pl.lit("deteriorated"))
        .otherwise(pl.lit("unchanged"))
    )
