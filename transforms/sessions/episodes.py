"""Episodes of care: given by the practice system, or derived where it gives none."""

from __future__ import annotations

import polars as pl

from rapport.transforms.sessions.age import years_on
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

NEW_EPISODE_AFTER_DAYS = 90


@table(
    key="episode_id",
    columns=[
        "episode_id!",
        "client_id!",
        "episode_number!",
        "opened_on!",
        "closed_on",
        "closure",
        "presenting_problem",
        "program",
        "referral_source",
        "is_derived!",
        Column("age_at_opening", "integer", "Completed years on the opening day.", unit="years", between=(0, 120)),
    ],
)
def episodes(
    episode_records: pl.LazyFrame,
    appointment_records: pl.LazyFrame,
    birth_dates: pl.LazyFrame,
    clinic: Clinic,
) -> pl.LazyFrame:
    """One row per episode of care. Given episodes win within their dates. Treatment sessions outside them form derived
    episodes: a new one begins after more than 90 days without an attended treatment session. A derived episode has no
    closing day: whether it is open depends on today (main.open_episodes)."""
    given = newest(episode_records, "episode_id").with_columns(is_derived=pl.lit(False))
    outside = _outside_given(treatment_sessions(appointment_records, clinic), given)
    both = pl.concat([given, _derived(outside)], how="diagonal_relaxed")
    return (
        both.join(birth_dates, on="client_id", how="left")
        .with_columns(age_at_opening=years_on("opened_on"))
        .sort("client_id", "opened_on", "is_derived", "loaded_number")
        .with_columns(episode_number=(pl.int_range(pl.len()).over("client_id") + 1).cast(pl.Int32))
    )


def newest(records: pl.LazyFrame, key: str) -> pl.LazyFrame:
    """Return the records; where two sources give one id, the record of the newest export."""
    if records.select(pl.col(key).hash().n_unique() == pl.len()).collect().item():
        return records  # the usual case: no id is given twice
    return records.sort("exported_at", "source").filter(pl.col(key).is_last_distinct())


def treatment_sessions(appointment_records: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return attended appointments whose service counts as treatment: session_id, client_id, session_date."""
    is_treatment = ~pl.col("service").is_in(list(clinic.not_treatment)).fill_null(False)
    return (
        newest(appointment_records, "session_id")
        .filter((pl.col("status") == "attended") & is_treatment)
        .select("session_id", "client_id", "starts_at", "loaded_number", session_date=pl.col("starts_local").dt.date())
    )


def _outside_given(sessions: pl.LazyFrame, given: pl.LazyFrame) -> pl.LazyFrame:
    return within_given(sessions, given, "loaded_number").filter(pl.col("episode_id").is_null())


def within_given(days: pl.LazyFrame, given: pl.LazyFrame, order: str) -> pl.LazyFrame:
    """Return `days` (session_id, client_id, session_date), each with the given episode that contains it: the latest
    opened, and of several the last by `order`."""
    spans = given.select("client_id", "episode_id", "opened_on", "closed_on", turn=order)
    holding = (
        days.select("session_id", "client_id", "session_date")
        .join(spans, on="client_id")
        .filter(
            (pl.col("session_date") >= pl.col("opened_on"))
            & (pl.col("closed_on").is_null() | (pl.col("session_date") <= pl.col("closed_on")))
        )
        .sort("opened_on", "turn")
        .unique("session_id", keep="last")
        .select("session_id", "episode_id")
    )
    return days.join(holding, on="session_id", how="left")


def _derived(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Return one episode per run of sessions without a longer gap. Its id is the first session's id, reversed."""
    gap = (pl.col("session_date") - pl.col("session_date").shift()).dt.total_days().over("client_id")
    is_text = sessions.collect_schema()["session_id"] == pl.String
    return (
        sessions.sort("client_id", "starts_at", "loaded_number")
        .with_columns(starts_new=gap.is_null() | (gap > NEW_EPISODE_AFTER_DAYS))
        .filter("starts_new")
        .select(
            "client_id",
            "loaded_number",
            episode_id=pl.col("session_id").str.reverse() if is_text else _backwards("session_id"),
            opened_on="session_date",
            is_derived=pl.lit(True),
        )
    )


def _backwards(pseudonym: str) -> pl.Expr:
    return pl.col(pseudonym).bin.encode("hex").str.reverse().str.decode("hex")
