"""Retention: attended sessions per episode, more than four sessions, and dropout by six definitions.

There is no one definition of dropout, and the rate depends on it: Swift & Greenberg 2012 (669 studies, 83,834 clients)
found 19.7 % over all, moderated by the definition. So none of the six is called the true one.
"""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from rapport.transforms.sessions.episodes import NEW_EPISODE_AFTER_DAYS
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.tables import table

ENOUGH = 5  # sessions: more than four, Elkin et al. 2014, Psychother Res 24:52-66
RETURN_WITHIN_DAYS = 60
UNILATERAL = ("client_ended", "dropout")
MISSED = ("no_show", "late_cancel", "cancelled_by_client")
DEFINITIONS = ("judged", "missed_last", "below_median", "below_dose", "unchanged", "unilateral")


@table(
    per="clinic",
    key="episode_id",
    columns=[
        "client_id!",
        "episode_id!",
        Column("first_therapist_id", "id", "Therapist of the episode's first treatment session; null where unknown."),
        "episode_number!",
        "opened_on!",
        "closed_on",
        "closure",
        "is_derived!",
        "treatment_session_count!",
        "first_treated_on",
        "last_treated_on",
        Column(
            "has_ended",
            "truth",
            "Closed before today; or no treatment session (or opening) in the last 90 days and no future appointment.",
            required=True,
        ),
        Column(
            "has_more_than_four",
            "truth",
            "At least five attended treatment sessions (Elkin et al. 2014). Null, not yet known, while it can still "
            "happen: fewer so far and not over; null where treatment never began.",
        ),
        Column(
            "is_dropout_judged",
            "truth",
            "D1: closed as 'dropout', as the therapist judges. Null without a closure or a treatment session.",
        ),
        Column(
            "is_dropout_missed_last",
            "truth",
            "D2: the last appointment was missed (no-show, late or client's cancellation) and the client was not seen "
            "again within 60 days. Null during these days, and where the last was attended and the episode is not "
            "over.",
        ),
        Column(
            "is_dropout_below_median",
            "truth",
            "D3: fewer treatment sessions than the median of the clinic's episodes that are over. It depends on the "
            "sample, so it may change from night to night. Null while the episode is below the median and not over.",
        ),
        Column("median_sessions", "number", "The median that D3 compares with tonight; null without episodes."),
        Column(
            "is_dropout_below_dose",
            "truth",
            "D4: a fixed dose, fewer than five treatment sessions. Null while it can still be reached.",
        ),
        Column(
            "is_dropout_unchanged",
            "truth",
            "D5: ended by the client alone and not reliably improved on any measure (after Swift, Callahan & Levine "
            "2009). Null without a closure, or where the end was the client's and no change could be assessed.",
        ),
        Column(
            "is_dropout_unilateral",
            "truth",
            "D6: ended by the client alone (closure client_ended or dropout) rather than as planned or by transfer. "
            "Null without a closure and for 'other'.",
        ),
    ],
)
def retention(
    episodes: pl.LazyFrame,
    sessions: pl.LazyFrame,
    appointments: pl.LazyFrame,
    outcomes: pl.LazyFrame,
    clinic: Clinic,
    as_of: datetime,
) -> pl.LazyFrame:
    """One row per episode that opened by today: attended treatment sessions, whether these are more than four, and
    dropout by the six definitions of Swift & Greenberg 2012, each null where it cannot be assessed (yet)."""
    today = clinic.day_of(as_of)
    told = (
        episodes.filter(pl.col("opened_on") <= today)
        .select("episode_id", "client_id", "episode_number", "opened_on", "closed_on", "closure", "is_derived")
        .join(treated(sessions), on="episode_id", how="left")
        .join(_last_appointments(appointments, sessions, as_of), on="episode_id", how="left")
        .join(_changed(outcomes), on="episode_id", how="left")
        .with_columns(pl.col("treatment_session_count").fill_null(0), has_ended=_is_over(today))
        .with_columns(began=pl.col("treatment_session_count") > 0)
    )
    count, over = pl.col("treatment_session_count"), pl.col("has_ended")
    median = count.filter("began", over).median()
    enough = pl.when("began").then(_settled(count >= ENOUGH, over))
    return told.with_columns(
        median_sessions=median,
        has_more_than_four=enough,
        is_dropout_judged=pl.when("began").then(pl.col("closure") == "dropout"),
        is_dropout_missed_last=pl.when("began").then(_missed_last(today)),
        is_dropout_below_median=pl.when("began").then(_not(_settled(count >= median, over))),
        is_dropout_below_dose=_not(enough),
        is_dropout_unchanged=pl.when("began").then(_unchanged()),
        is_dropout_unilateral=pl.when("began").then(_unilateral()),
    )


def treated(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Return per treated episode: its number of treatment sessions, first and last day, and first therapist."""
    is_first = pl.col("session_number") == 1
    return (
        sessions.filter(pl.col("session_number").is_not_null())
        .group_by("episode_id")
        .agg(
            treatment_session_count=pl.len().cast(pl.Int32),
            first_treated_on=pl.col("session_date").min(),
            last_treated_on=pl.col("session_date").max(),
            first_therapist_id=pl.col("therapist_id").filter(is_first).first(),
        )
    )


def _last_appointments(appointments: pl.LazyFrame, sessions: pl.LazyFrame, as_of: datetime) -> pl.LazyFrame:
    """Return per episode: whether it has a future appointment, whether its last one so far was missed and on which day,
    and when the client was next seen. Appointments that the clinic cancelled or moved do not count."""
    booked = appointments.filter(pl.col("episode_id").is_not_null()).select(
        "episode_id", "client_id", "starts_at", "session_date", "status"
    )
    ahead = booked.filter(pl.col("starts_at") > as_of, pl.col("status") == "scheduled")
    kept_or_missed = pl.col("status").is_in(["attended", *MISSED])
    so_far = booked.filter(pl.col("starts_at") <= as_of, kept_or_missed)
    last = (
        so_far.filter(pl.col("starts_at") == pl.col("starts_at").max().over("episode_id"))
        .group_by("episode_id", "client_id")
        .agg(
            is_missed=pl.col("status").is_in(MISSED).all(),
            last_booked_on=pl.col("session_date").max(),
            last_booked_at=pl.col("starts_at").max(),
        )
    )
    has_booking = ahead.select("episode_id", has_booking=pl.lit(True)).unique()
    return (
        last.join(_seen_again(last, sessions), on="episode_id", how="left")
        .drop("client_id")
        .join(has_booking, on="episode_id", how="full", coalesce=True)
    )


def _seen_again(last: pl.LazyFrame, sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Return the client's next attended day after a missed last appointment, in any episode."""
    return (
        last.filter("is_missed")
        .join(sessions.select("client_id", "starts_at", "session_date"), on="client_id")
        .filter(pl.col("starts_at") > pl.col("last_booked_at"))
        .group_by("episode_id")
        .agg(seen_again_on=pl.col("session_date").min())
    )


def _changed(outcomes: pl.LazyFrame) -> pl.LazyFrame:
    """Return per episode whether any measure improved reliably; null where none could be assessed."""
    assessed = outcomes.filter(pl.col("reliable_class").is_not_null())
    return assessed.group_by("episode_id").agg(is_improved=(pl.col("reliable_class") == "improved").any())


def _is_over(today: date) -> pl.Expr:
    latest = pl.max_horizontal("last_treated_on", "opened_on")
    silent = (pl.lit(today) - latest).dt.total_days() > NEW_EPISODE_AFTER_DAYS
    has_closed = (pl.col("closed_on") < today).fill_null(False)
    return has_closed | (silent & pl.col("has_booking").is_null())


def _settled(reached: pl.Expr, over: pl.Expr) -> pl.Expr:
    """Return true once reached, false once it can no longer be reached, null in between."""
    return pl.when(reached).then(True).when(over).then(False)


def _not(known: pl.Expr) -> pl.Expr:
    return ~known


def _missed_last(today: date) -> pl.Expr:
    days = (pl.lit(today) - pl.col("last_booked_on")).dt.total_days()
    returned = (pl.col("seen_again_on") - pl.col("last_booked_on")).dt.total_days() <= RETURN_WITHIN_DAYS
    missed = pl.when(returned.fill_null(False)).then(False).when(days > RETURN_WITHIN_DAYS).then(True)
    return pl.when("is_missed").then(missed).when(pl.col("has_ended") & pl.col("is_missed").is_not_null()).then(False)


def _unchanged() -> pl.Expr:
    ended_alone = pl.col("closure").is_in(UNILATERAL)
    return pl.when(ended_alone).then(~pl.col("is_improved")).when(pl.col("closure").is_not_null()).then(False)


def _unilateral() -> pl.Expr:
    return pl.when(pl.col("closure").is_not_null() & (pl.col("closure") != "other")).then(
        pl.col("closure").is_in(UNILATERAL)
    )
