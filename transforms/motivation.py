"""Motivation of child and caregiver early in therapy, and the alliance beside it."""

from __future__ import annotations

import polars as pl

from transforms.nothing import nothing
from warehouse.clinic import Clinic
from warehouse.columns import Column
from warehouse.tables import table

EARLY_UNTIL = 6  # sessions; Rapport's own


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
        _pomp(
            "caregiver_early_pomp", "The caregiver's last motivation in sessions 1 to 6; null while it is the first."
        ),
        _difference("caregiver_early_change", "caregiver_early_pomp minus caregiver_first_pomp."),
        _difference(
            "first_gap",
            "caregiver_first_pomp minus client_first_pomp: caregivers are nearly always the more motivated (Breda & Riemer 2012).",
        ),
        _difference("early_gap", "caregiver_early_pomp minus client_early_pomp."),
        _difference("gap_change", "early_gap minus first_gap: below 0 they drew together, or the client caught up."),
        _pomp(
            "client_alliance",
            "The client's early alliance (table early_alliance, total) in the episode's first dyad that has one.",
        ),
        _pomp("caregiver_alliance", "The caregiver's early alliance, likewise."),
    ],
)
def motivation(
    scores: pl.LazyFrame, sessions: pl.LazyFrame, early_alliance: pl.LazyFrame, clinic: Clinic
) -> pl.LazyFrame:
    """One row per episode and motivation scale rated by client or caregiver in the episode's first six treatment sessions:
    the early change of both, the gap between them, and the early alliance beside it, to ask whether the relationship
    makes change easier. Across clients: table motivation_links."""
    return nothing(motivation, scores)
