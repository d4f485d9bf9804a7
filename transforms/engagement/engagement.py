"""Engagement as behaviour: attended and missed appointments, gaps, and answered questionnaires."""

from __future__ import annotations

import polars as pl

from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table


def _count(name: str, text: str) -> Column:
    return Column(name, "integer", text, required=True, between=(0, None))


def _share(name: str, text: str) -> Column:
    return Column(name, "number", text, between=(0, 1))


@table(
    key="episode_id",
    columns=[
        "client_id!",
        "episode_id!",
        _count("attended_count", "Attended treatment appointments, also with a late arrival."),
        _count("no_show_count", "Treatment appointments that the client missed."),
        _count(
            "late_cancel_count",
            "Cancelled by the client with less notice than the clinic asks for (cancellation_notice_hours in "
            "clinic.toml, 24 by default), or called a late cancel by the export.",
        ),
        _count(
            "timely_cancel_count",
            "Cancelled by the client earlier, or at a time that nobody recorded; in no share's denominator.",
        ),
        _count("clinic_cancel_count", "Cancelled by the clinic; in no share's denominator."),
        _count("rescheduled_count", "Moved to another slot; in no share's denominator."),
        _count(
            "unconfirmed_count",
            "Still scheduled in the export, in the future or past; in no share. Past ones: view "
            "unconfirmed_appointments.",
        ),
        _count(
            "held_open_count",
            "The shares' denominator: attended, no-show and late cancel (NHS Talking Therapies: 5 and 6, 3 and 7, and "
            "2 when late).",
        ),
        _share("attendance_share", "attended_count / held_open_count; null where that is 0."),
        _share("no_show_share", "no_show_count / held_open_count; null where that is 0."),
        _share("late_cancel_share", "late_cancel_count / held_open_count; null where that is 0."),
        Column(
            "median_gap_days",
            "number",
            "Median of the days from one attended treatment session to the next; null below two.",
            unit="days",
            between=(0, None),
        ),
        Column("longest_gap_days", "integer", "The longest of these gaps.", unit="days", between=(0, None)),
        Column(
            "weekly_density",
            "number",
            "attended_count / (days from first to last session / 7 + 1): weekly sessions give 1. Null below two.",
            unit="sessions per week",
            between=(0, None),
        ),
        _count("questionnaire_count", "Questionnaires with an answer that belong to these sessions, from any rater."),
        _count("answered_session_count", "Attended treatment sessions with such a questionnaire."),
        _share(
            "answered_session_share",
            "answered_session_count / attended_count; null where that is 0. Against what was due: table completion.",
        ),
    ],
)
def engagement(appointments: pl.LazyFrame, sessions: pl.LazyFrame, responses: pl.LazyFrame) -> pl.LazyFrame:
    """One row per episode with a treatment appointment. Cancellations in time or by the clinic are counted separately
    and are in no denominator. Some practice systems delete early cancellations, and a vanished record is in history
    only. So counts of cancellations are lower bounds."""
    became = (
        appointments.filter("is_treatment", pl.col("episode_id").is_not_null())
        .group_by("client_id", "episode_id")
        .agg(**_counts())
        .with_columns(held_open_count=pl.sum_horizontal("attended_count", "no_show_count", "late_cancel_count"))
    )
    treated = sessions.filter(pl.col("session_number").is_not_null())
    joined = became.join(_rhythm(treated), on="episode_id", how="left")
    joined = joined.join(_answered(treated, responses), on="episode_id", how="left")
    return joined.with_columns(pl.col("questionnaire_count", "answered_session_count").fill_null(0)).with_columns(
        attendance_share=_of("attended_count", "held_open_count"),
        no_show_share=_of("no_show_count", "held_open_count"),
        late_cancel_share=_of("late_cancel_count", "held_open_count"),
        answered_session_share=_of("answered_session_count", "attended_count"),
    )


def _counts() -> dict[str, pl.Expr]:
    status = pl.col("status")
    counted = {
        "attended_count": status == "attended",
        "no_show_count": status == "no_show",
        "late_cancel_count": status == "late_cancel",
        "timely_cancel_count": status == "cancelled_by_client",
        "clinic_cancel_count": status == "cancelled_by_clinic",
        "rescheduled_count": status == "rescheduled",
        "unconfirmed_count": status == "scheduled",
    }
    return {name: condition.sum().cast(pl.Int32) for name, condition in counted.items()}


def _rhythm(treated: pl.LazyFrame) -> pl.LazyFrame:
    """Return the gaps and the density of each episode's sessions."""
    gap, day = pl.col("days_since_previous"), pl.col("session_date")
    weeks = (day.max() - day.min()).dt.total_days() / 7 + 1
    return treated.group_by("episode_id").agg(
        median_gap_days=gap.median(),
        longest_gap_days=gap.max(),
        weekly_density=pl.when(pl.len() > 1).then((pl.len() / weeks).round(6)),
    )


def _answered(treated: pl.LazyFrame, responses: pl.LazyFrame) -> pl.LazyFrame:
    return (
        responses.filter(pl.col("answered_count") > 0)
        .select("session_id")
        .join(treated.select("session_id", "episode_id"), on="session_id")
        .group_by("episode_id")
        .agg(
            questionnaire_count=pl.len().cast(pl.Int32),
            answered_session_count=pl.col("session_id").n_unique().cast(pl.Int32),
        )
    )


def _of(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then((pl.col(part) / pl.col(whole)).round(9))
