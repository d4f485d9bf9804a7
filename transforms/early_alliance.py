"""The early alliance: of the sessions around the third, where research looks."""

from __future__ import annotations

import polars as pl

from transforms.nothing import nothing
from warehouse.columns import Column
from warehouse.tables import table

RULES = ("session_3", "nearest_of_2_to_4")


@table(
    key="session_id rater instrument scale",
    columns=[
        "client_id!",
        "episode_id!",
        "therapist_id",
        "session_id!",
        "dyad_session_number!",
        "rater!",
        "instrument!",
        "scale!",
        "score!",
        "pomp!",
        Column(
            "early_rule",
            "text",
            "Which session speaks: the dyad's third, or else the nearest rated one of its second to fourth (the earlier "
            "of two equally near).",
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
        Column(
            "is_settled",
            "truth",
            "False while a session that is still to come could change the row.",
            required=True,
        ),
    ],
)
def early_alliance(alliance: pl.LazyFrame, sessions: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dyad, rater, alliance questionnaire and scale rated in the dyad's second, third or fourth session.
    Research takes the third session most often, and the fourth (McLeod 2011; Busseri & Tyler 2003); early_rule says
    which it was. A dyad rated in none of them has no row."""
    return nothing(early_alliance, alliance)
