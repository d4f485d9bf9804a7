"""The questionnaires and their scales, as tables: what warehouse/instruments states."""

from __future__ import annotations

import polars as pl

from warehouse.clinic import Clinic
from warehouse.columns import TIMINGS, Column
from warehouse.instruments import CONSTRUCTS, SCORES
from warehouse.tables import table


@table(
    per="clinic",
    key="instrument",
    columns=[
        "instrument!",
        Column("title", "text", "Its full name.", required=True),
        Column("construct", "text", "What it measures.", required=True, one_of=CONSTRUCTS),
        "item_count!",
        Column("item_minimum", "number", "Lowest answer.", required=True),
        Column("item_maximum", "number", "Highest answer.", required=True),
        Column(
            "direction",
            "text",
            "Whether a higher score is better.",
            required=True,
            one_of=("higher_better", "lower_better"),
        ),
        Column(
            "timing",
            "text",
            "When it is filled in; decides the matching window.",
            required=True,
            one_of=TIMINGS,
        ),
        Column("citation", "text", "Where it is published.", required=True),
        Column("licence", "text", "Who holds the rights, and what they ask.", required=True),
    ],
)
def instruments(clinic: Clinic) -> pl.LazyFrame:
    """One row per questionnaire that Rapport, or the clinic's own folder, describes."""
    rows = [
        {
            "instrument": each.name,
            "item_minimum": float(each.minimum),
            "item_maximum": float(each.maximum),
            **{
                name: getattr(each, name)
                for name in ("title", "construct", "item_count", "direction", "timing", "citation", "licence")
            },
        }
        for each in clinic.instruments.values()
    ]
    return pl.LazyFrame(rows)


@table(
    per="clinic",
    key="instrument scale",
    columns=[
        "instrument!",
        "scale!",
        Column("description", "text", "What the scale is.", required=True),
        Column("items", "text", "Its items' numbers.", required=True),
        "item_count!",
        Column("score_is", "text", "Whether the score is the items' sum or mean.", required=True, one_of=SCORES),
        Column("score_minimum", "number", "Lowest possible score.", required=True),
        Column("score_maximum", "number", "Highest possible score.", required=True),
        "rule!",
    ],
)
def scales(clinic: Clinic) -> pl.LazyFrame:
    """One row per scale of a questionnaire."""
    rows = [
        {
            "instrument": instrument.name,
            "scale": scale.name,
            "description": scale.description,
            "items": " ".join(map(str, scale.items)),
            "item_count": len(scale.items),
            "score_is": scale.score,
            "score_minimum": float(instrument.range_of(scale)[0]),
            "score_maximum": float(instrument.range_of(scale)[1]),
            "rule": scale.missing,
        }
        for instrument in clinic.instruments.values()
        for scale in instrument.scales
    ]
    return pl.LazyFrame(rows)
