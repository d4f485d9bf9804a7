"""The early alliance, from the sessions around the third, as in the literature."""

from __future__ import annotations

import polars as pl

from rapport.transforms.alliance.alliance import LINE
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

RULES = ("session_3", "nearest_of_2_to_4")
_DYAD = ("client_id", "episode_id", "therapist_id")


@table(
    key="session_id rater rater_number instrument scale",
    columns=[
        "client_id!",
        "episode_id!",
        "therapist_id",
        "session_id!",
        "session_number",
        "dyad_session_number!",
        "rater!",
        "rater_number!",
        "instrument!",
        "scale!",
        "score!",
        "pomp!",
        Column(
            "early_rule",
            "text",
            "The session that counts: the dyad's third, or else the nearest rated session of its second to fourth (of "
            "two equally near, the earlier).",
            required=True,
            one_of=RULES,
        ),
        Column(
            "first_three_mean",
            "number",
            "Mean of the scores in the dyad's sessions 1 to 3, if at least two are rated: the alternative definition.",
        ),
        Column(
            "first_three_count",
            "integer",
            "Rated sessions among the dyad's first three.",
            required=True,
            between=(0, 3),
        ),
        Column("is_settled", "truth", "False while a future session could still change the row.", required=True),
    ],
)
def early_alliance(alliance: pl.LazyFrame, sessions: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dyad, person, alliance questionnaire and scale rated in the dyad's second, third or fourth session.
    Research uses the third session most often, or the fourth (Busseri & Tyler 2003); early_rule names it. A dyad
    without a rating in any of them has no row."""
    number = pl.col("dyad_session_number")
    first_four = alliance.filter(number <= 4, pl.col("episode_id").is_not_null()).sort(number)
    candidates = pl.col("dyad_session_number").is_between(2, 4)
    of_first_three = pl.col("score").filter(number <= 3)
    nearest = number.filter(candidates).sort_by((number.filter(candidates) - 3).abs(), maintain_order=True).first()
    summed = first_four.group_by(LINE).agg(
        dyad_session_number=nearest,
        first_three_count=of_first_three.len().cast(pl.Int32),
        mean=of_first_three.mean().round(6),
    )
    held = sessions.group_by(_DYAD).agg(held=number.max())
    return (
        first_four.join(summed, on=[*LINE, "dyad_session_number"], nulls_equal=True)
        .join(held, on=_DYAD, how="left", nulls_equal=True)
        .with_columns(
            early_rule=pl.when(number == 3).then(pl.lit(RULES[0])).otherwise(pl.lit(RULES[1])),
            first_three_mean=pl.when(pl.col("first_three_count") >= 2).then("mean"),
            is_settled=pl.col("held") >= 3,
        )
    )
