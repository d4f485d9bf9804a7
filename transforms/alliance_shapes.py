"""The course of the alliance over a dyad: stable, growing, declining, or bent."""

from __future__ import annotations

import polars as pl

from transforms.nothing import nothing
from warehouse.columns import Column
from warehouse.tables import table

SHAPES = ("stable", "growth", "decline", "U", "inverted U")
STABLE_BELOW = 10.0  # percent of maximum; Rapport's own: no published rule gives one


@table(
    key="first_session_id rater instrument scale",
    columns=[
        "client_id!",
        "episode_id!",
        "therapist_id",
        "first_session_id!",
        "rater!",
        "instrument!",
        "scale!",
        "score_count!",
        Column(
            "slope",
            "number",
            "Least-squares slope of pomp on the dyad's session number; null below four scores.",
            unit="percent of maximum per session",
        ),
        Column(
            "curvature",
            "number",
            "Least-squares coefficient of the squared session number (centred); above 0 opens upwards. Null below five "
            "scores.",
            unit="percent of maximum per session squared",
        ),
        Column(
            "is_bent",
            "truth",
            "True when curvature differs from 0 (two-sided t-test at .05, scores minus 3 degrees of freedom).",
        ),
        Column(
            "fitted_range",
            "number",
            "Highest minus lowest value of the fitted line, or of the fitted parabola where it is bent.",
            unit="percent of maximum",
            between=(0, None),
        ),
        Column(
            "shape",
            "text",
            "stable: fitted_range below 10 percent of maximum (Rapport's own limit). U, inverted U: "
            "bent, and the turn lies between the first and the last rated session. Else growth or decline. Null below "
            "four scores.",
            one_of=SHAPES,
        ),
    ],
)
def alliance_shapes(alliance: pl.LazyFrame) -> pl.LazyFrame:
    """One row per dyad, rater, alliance questionnaire and scale. Shapes after Kivlighan & Shaughnessy 2000 and Stiles et
    al. 2004 (recalled), fitted to each dyad alone and not by clustering; a single fall and return is a possible rupture
    (table ruptures) and here often stable."""
    return nothing(alliance_shapes, alliance)
