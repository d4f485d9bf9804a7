"""Appointments, and the attended ones as sessions."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from rapport.transforms.sessions.age import band, years_on
from rapport.transforms.sessions.episodes import NEW_EPISODE_AFTER_DAYS, newest, within_given
from rapport.transforms.sessions.visits import therapists_of, with_leads
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table


@table(
    key="session_id",
    columns=[
        "session_id!",
        "appointment_id!",
        "client_id!",
        "therapist_id",
        "episode_id",
        "source!",
        "starts_at!",
        "starts_local!",
        "session_date!",
        Column("weekday", "integer", "Day of the week in the site's zone: 1 Monday to 7 Sunday.", between=(1, 7)),
        Column("hour", "integer", "Hour of the day in the site's zone.", between=(0, 23)),
        "duration_minutes",
        "cancelled_at",
        "status!",
        "status_basis",
        "service",
        "modality",
        "site",
        "is_treatment!",
    ],
)
def appointments(
    appointment_records: pl.LazyFrame, visit_lines: pl.LazyFrame, episodes: pl.LazyFrame, clinic: Clinic
) -> pl.LazyFrame:
    """One row per client and booked slot, with any status. A cancellation by the client with less notice than the
    clinic asks for (cancellation_notice_hours) is a late cancel. An appointment belongs to the given episode that holds
    its day, else to the derived episode that opened before it and has a session in the 90 days before it, else to
    none. Where the lines of a source are visits, lines of one start and end are one slot. Its therapist is the lead:
    whom the client saw in most earlier sessions of the episode, else the one of the line that was loaded first."""
    day = pl.col("starts_local")
    booked = _with_late_cancels(newest(appointment_records, "session_id"), clinic).with_columns(
        session_date=day.dt.date(),
        weekday=day.dt.weekday().cast(pl.Int32),
        hour=day.dt.hour().cast(pl.Int32),
        is_treatment=~pl.col("service").is_in(list(clinic.not_treatment)).fill_null(False),
    )
    given = episodes.filter(~pl.col("is_derived"))
    held = within_given(booked, given, "episode_number")
    inside = held.filter(pl.col("episode_id").is_not_null())
    outside = held.filter(pl.col("episode_id").is_null()).drop("episode_id")
    return with_leads(pl.concat([inside, _in_derived(outside, episodes)], how="diagonal_relaxed"), visit_lines)


def _with_late_cancels(booked: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return appointments with late cancels: cancelled by the client with less notice than the clinic asks for."""
    notice = pl.col("starts_at") - pl.col("cancelled_at")
    is_late = (pl.col("status") == "cancelled_by_client") & (notice < timedelta(hours=clinic.cancellation_notice_hours))
    return booked.with_columns(
        status=pl.when(is_late).then(pl.lit("late_cancel")).otherwise("status"),
        status_basis=pl.when(is_late).then(pl.lit("derived")).otherwise("status_basis"),
    )


def _in_derived(outside: pl.LazyFrame, episodes: pl.LazyFrame) -> pl.LazyFrame:
    """Return the derived episode of each appointment: the last one opened before, while its sessions go on."""
    opened = (
        episodes.filter("is_derived").select("client_id", "episode_id", session_date="opened_on").sort("session_date")
    )
    counted = outside.filter((pl.col("status") == "attended") & pl.col("is_treatment"))
    last = counted.select("client_id", "session_date", last_treated="session_date").sort("session_date")
    ordered = outside.sort("session_date")
    return (
        ordered.join_asof(opened, on="session_date", by="client_id", check_sortedness=False)
        .join_asof(last, on="session_date", by="client_id", check_sortedness=False)
        .with_columns(
            episode_id=pl.when(
                (pl.col("session_date") - pl.col("last_treated")).dt.total_days() <= NEW_EPISODE_AFTER_DAYS
            ).then("episode_id")
        )
        .drop("last_treated")
    )


_EPISODE = ("client_id", "episode_id", "is_treatment")


@table(
    key="session_id",
    columns=[
        "session_id!",
        "appointment_id!",
        "client_id!",
        "therapist_id",
        "episode_id",
        "starts_at!",
        "starts_local!",
        "session_date!",
        Column("ends_at", "instant", "When it ends; an unknown length counts as 60 minutes.", required=True),
        "is_treatment!",
        "client_session_number!",
        "session_number",
        "dyad_session_number",
        Column(
            "days_since_previous",
            "integer",
            "Days since the episode's previous treatment session.",
            unit="days",
            between=(0, None),
        ),
        "service",
        "modality",
        "site",
        "age_band",
    ],
)
def sessions(appointments: pl.LazyFrame, appointment_records: pl.LazyFrame, birth_dates: pl.LazyFrame) -> pl.LazyFrame:
    """One row per attended appointment. All are numbered within their client. Only treatment sessions are numbered
    within their episode and dyad. A session with several therapists is one row, and its therapist is the lead; the
    table session_therapists has them all."""
    loaded = appointment_records.select("source", "session_id", "loaded_number")
    attended = (
        appointments.filter(pl.col("status") == "attended")
        .join(birth_dates, on="client_id", how="left")
        .join(loaded, on=["source", "session_id"], how="left")
        .with_columns(
            ends_at=pl.col("starts_at") + pl.duration(minutes=pl.col("duration_minutes").fill_null(60)),
            age_band=band(years_on("session_date")),
        )
        .sort("client_id", "starts_at", "loaded_number")
        .with_columns(client_session_number=_rank().over("client_id"))
        .sort(*_EPISODE, "client_session_number")
        .with_columns(is_new=pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in _EPISODE))
        .with_columns(episode=pl.col("is_new").cum_sum())
    )
    counted = pl.col("is_treatment") & pl.col("episode_id").is_not_null()
    gap = (pl.col("session_date") - pl.col("session_date").shift()).dt.total_days().cast(pl.Int32)
    return attended.with_columns(
        session_number=pl.when(counted).then(_rank().over("episode")),
        dyad_session_number=pl.when(counted).then(_rank().over("episode", "therapist_id")),
        days_since_previous=pl.when(counted & ~pl.col("is_new")).then(gap),
    )


def _rank() -> pl.Expr:
    return (pl.int_range(pl.len()) + 1).cast(pl.Int32)


@table(
    key="session_id therapist_id",
    columns=[
        "session_id!",
        "therapist_id!",
        "client_id!",
        "episode_id",
        Column(
            "is_lead",
            "truth",
            "True for the therapist whom the table sessions names: the lead, or the only one.",
            required=True,
        ),
    ],
)
def session_therapists(sessions: pl.LazyFrame, visit_lines: pl.LazyFrame) -> pl.LazyFrame:
    """One row per session and therapist who was there. A session has several where the lines of its source are visits,
    and attended lines name several. Every other table counts a session once, for its lead."""
    leads = sessions.filter(pl.col("therapist_id").is_not_null()).select(
        "session_id", "therapist_id", "client_id", "episode_id", is_lead=pl.lit(True)
    )
    named = therapists_of(visit_lines)
    if named.is_empty():
        return leads
    others = (
        named.lazy()
        .join(sessions.select("session_id", "client_id", "episode_id"), on="session_id")
        .join(leads, on=["session_id", "therapist_id"], how="anti")
        .select("session_id", "therapist_id", "client_id", "episode_id", is_lead=pl.lit(False))
    )
    return pl.concat([leads, others])
