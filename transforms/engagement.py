"""Engagement as behaviour: coming, missing, pausing, answering."""

from __future__ import annotations

import polars as pl

from transforms.nothing import nothing
from warehouse.columns import Column
from warehouse.tables import table

LATE_CANCEL_HOURS = (
    24  # the usual rule of a day's notice; a late_cancel that the export names counts as one whatever its time
)


def _count(name: str, text: str) -> Column:
    return Column(name, "integer", text, required=True, between=(0, None))


def _share(name: str, text: str) -> Column:
    return Column(name, "number", text, between=(0, 1))


@table(
    key="episode_id",
    columns=[
        "client_id!",
        "episode_id!",
        _count("attended_count", "Treatment appointments attended, late but seen included."),
        _count("no_show_count", "Treatment appointments missed without a word."),
        _count("late_cancel_count", "Cancelled by the client less than 24 hours before, or called late by the export."),
        _count(
            "timely_cancel_count",
            "Cancelled by the client in time, or at a time that nobody recorded; not in held_open_count.",
        ),
        _count("clinic_cancel_count", "Cancelled by the clinic; not in held_open_count."),
        _count("rescheduled_count", "Moved to another slot; not in held_open_count."),
        _count(
            "unconfirmed_count",
            "Still called scheduled by the export, whether past or to come; in no share. View unconfirmed_appointments has those whose time is past.",
        ),
        _count(
            "held_open_count",
            "The shares' denominator: attended + no-show + late cancel (NHS Talking Therapies codes 5, 6, 3, 7 and late 2).",
        ),
        _share("attendance_share", "attended_count / held_open_count; null where that is 0."),
        _share("no_show_share", "no_show_count / held_open_count; null where that is 0."),
        _share("late_cancel_share", "late_cancel_count / held_open_count; null where that is 0."),
        Column(
            "median_gap_days",
            "number",
            "Median of the days between attended treatment sessions; null below two.",
            unit="days",
            between=(0, None),
        ),
        Column("longest_gap_days", "integer", "The longest of them.", unit="days", between=(0, None)),
        Column(
            "weekly_density",
            "number",
            "Sessions per week: attended_count / (days from first to last / 7 + 1), so that weekly sessions make 1. Null below two.",
            unit="sessions per week",
            between=(0, None),
        ),
        _count(
            "questionnaire_count",
            "Questionnaires with an answer that belong to these sessions, whoever filled them in.",
        ),
        _count("answered_session_count", "Of the attended treatment sessions, those with such a questionnaire."),
        _share(
            "answered_session_share",
            "answered_session_count / attended_count; null where that is 0. Against what was due: table completion.",
        ),
    ],
)
def engagement(appointments: pl.LazyFrame, sessions: pl.LazyFrame, responses: pl.LazyFrame) -> pl.LazyFrame:
    """One row per episode with a treatment appointment. Cancellations in time and by the clinic are counted apart and are
    in no denominator. Some practice systems delete early cancellations, and a record that vanished is in history only:
    counts of cancellations are lower bounds."""
    return nothing(engagement, appointments)
