"""Motivation of child and caregiver early in therapy, with the early alliance."""

from __future__ import annotations

import polars as pl

from rapport.transforms.sessions.raters import PERSON, of_counted_raters
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

EARLY_UNTIL = 6  # sessions of the episode: Rapport's own
RATERS = ("client", "caregiver")


def _pomp(name: str, text: str) -> Column:
    return Column(name, "number", text, unit="percent of maximum", between=(0, 100))


def _difference(name: str, text: str) -> Column:
    return Column(name, "number", text, unit="percent of maximum", between=(-200, 200))


@table(
    key="episode_id instrument scale",
    columns=[
        "client_id!",
        "episode_id!",
        "instrument!",
        "scale!",
        _pomp("client_first_pomp", "The client's first motivation in sessions 1 to 6."),
        _pomp("client_early_pomp", "The client's last motivation in sessions 1 to 6; null while it is the first."),
        _difference("client_early_change", "client_early_pomp minus client_first_pomp."),
        _pomp("caregiver_first_pomp", "The caregiver's first motivation in sessions 1 to 6."),
        _pomp("caregiver_early_pomp", "The caregiver's last in sessions 1 to 6; null while it is the first."),
        _difference("caregiver_early_change", "caregiver_early_pomp minus caregiver_first_pomp."),
        _difference(
            "first_gap",
            "caregiver_first_pomp minus client_first_pomp: caregivers are nearly always more motivated (Breda & Riemer "
            "2012).",
        ),
        _difference("early_gap", "caregiver_early_pomp minus client_early_pomp."),
        _difference("gap_change", "early_gap minus first_gap: below 0 the gap became smaller."),
        _pomp(
            "client_alliance", "The client's early alliance (early_alliance, total) with the episode's first therapist."
        ),
        _pomp("caregiver_alliance", "The caregiver's early alliance, likewise."),
    ],
)
def motivation(
    scores: pl.LazyFrame,
    sessions: pl.LazyFrame,
    early_alliance: pl.LazyFrame,
    other_raters: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """One row per episode and motivation scale rated by client or caregiver in the episode's first six treatment
    sessions: the early change, the gap between the two, and the early alliance. The question is whether the
    relationship makes change easier. Six sessions is Rapport's own limit. Scores with an unknown range (no pomp) are
    left out."""
    measures = [each.name for each in clinic.instruments.values() if each.construct == "motivation"]
    early = sessions.filter(pl.col("session_number") <= EARLY_UNTIL)
    rated = (
        scores.filter(pl.col("instrument").is_in(measures), pl.col("rater").is_in(RATERS), "is_used")
        .filter(pl.col("pomp").is_not_null())
        .select("session_id", *PERSON, "instrument", "scale", "pomp", "basis")
        .join(early, on="session_id")
        .pipe(of_counted_raters, other_raters)
        .sort("session_number", "basis")
        .unique(["session_id", "rater", "instrument", "scale"], keep="first", maintain_order=True)
    )
    summed = rated.group_by("client_id", "episode_id", "instrument", "scale").agg(**_first_and_early())
    return (
        summed.join(_alliances(of_counted_raters(early_alliance, other_raters)), on="episode_id", how="left")
        .with_columns(
            **{f"{rater}_early_change": _minus(f"{rater}_early_pomp", f"{rater}_first_pomp") for rater in RATERS},
            first_gap=_minus("caregiver_first_pomp", "client_first_pomp"),
            early_gap=_minus("caregiver_early_pomp", "client_early_pomp"),
        )
        .with_columns(gap_change=_minus("early_gap", "first_gap"))
    )


def _first_and_early() -> dict[str, pl.Expr]:
    """Return each rater's first and early motivation. Rows are in the order of the sessions."""
    made = {}
    for rater in RATERS:
        told = pl.col("pomp").filter(pl.col("rater") == rater)
        made[f"{rater}_first_pomp"] = told.first()
        made[f"{rater}_early_pomp"] = pl.when(told.len() > 1).then(told.last())
    return made


def _alliances(early_alliance: pl.LazyFrame) -> pl.LazyFrame:
    """Return each rater's early alliance in the episode: the first one; of several questionnaires the first by name."""
    told = early_alliance.filter(pl.col("scale") == "total", pl.col("rater").is_in(RATERS))
    ordered = told.sort("session_number", "instrument")
    of = {f"{rater}_alliance": pl.col("pomp").filter(pl.col("rater") == rater).first() for rater in RATERS}
    return ordered.group_by("episode_id").agg(**of)


def _minus(one: str, other: str) -> pl.Expr:
    return (pl.col(one) - pl.col(other)).round(6)
