"""Appointments: the status that their export gives, as far as the export could know it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

import polars as pl

from rapport.transforms.sources.canonical.bounds import out_of_time
from rapport.transforms.sources.canonical.casts import (
    MINUTE,
    Dialect,
    instant,
    listed,
    local_day,
    of_records,
    typed,
    unreadable,
    utc,
    word,
)
from rapport.transforms.sources.canonical.status_words import meaning
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.shape import RECORD, SENT
from rapport.transforms.sources.speed import fast_casts
from rapport.warehouse.clinic_file.statuses import ATTENDED_IF_PAST, CANCELLED, IGNORED, Statuses
from rapport.warehouse.schema.columns import SHARED, STATUSES
from rapport.warehouse.schema.records import CANCELLED_BY_UNKNOWN, held_by

TEXTS = ["service", "modality", "site"]
LONGEST = 1e9  # minutes, far beyond the column's limit: a longer one is out of range too
HELD = ("attended", "no_show", ATTENDED_IF_PAST)  # statuses that nobody can know before the appointment begins
MINUTES = SHARED["duration_minutes"].between or (0, LONGEST)
MIDDAY = timedelta(hours=12)  # an appointment of which only the day is told is on that day in every zone
DAY_S_END = timedelta(hours=23, minutes=59, seconds=59)  # a cancellation of which only the day is told


def read(chunk: pl.DataFrame, dialect: Dialect, tallies: Tallies, statuses: Statuses | None = None) -> pl.DataFrame:
    """Appointments of a chunk with the plain format's columns. With statuses, their columns are `status 0`, `status 1`
    and so on.
    """
    starts, cancelled = fast_casts.time(chunk, "starts_at", dialect), fast_casts.time(chunk, "cancelled_at", dialect)
    minutes = fast_casts.duration(chunk, "duration_minutes", dialect, MINUTE)
    stated, by_unknown = _stated(statuses, dialect)
    columns = {
        **of_records(chunk),
        "appointment_id": pl.col("appointment_id"),
        "client_id": pl.col("client_id"),
        "therapist_id": pl.col("therapist_id"),
        "starts_at": starts.at,
        "starts_local": starts.local,
        "duration_minutes": minutes.value.clip(-LONGEST, LONGEST).cast(pl.Int32),
        "cancelled_at": cancelled.at,
        "stated": stated,
        **{name: listed(name, tallies.lists[name], dialect) for name in TEXTS},
        "clock_change": starts.change,
    }
    if SENT in chunk.columns:
        columns["sent_at"] = instant(SENT, dialect)
    columns |= _days_alone(columns, starts, cancelled, dialect)
    flags = {
        "starts_at": None if starts.is_read else unreadable("starts_at", columns["starts_at"], dialect),
        "cancelled_at": None if cancelled.is_read else unreadable("cancelled_at", columns["cancelled_at"], dialect),
        "duration_minutes": minutes.unreadable,
    }
    flags |= out_of_time({name: columns[name] for name in ("starts_at", "cancelled_at")}, tallies)
    flags[held_by(CANCELLED_BY_UNKNOWN, "status")] = by_unknown
    frame = _sent_before(typed(chunk.lazy(), columns, flags), tallies)
    count_texts(frame, chunk, TEXTS, tallies)
    if statuses:
        frame = frame.filter(pl.col("stated").ne_missing(IGNORED))
    return _became(tallies.counted(frame), tallies, statuses)


def _sent_before(frame: pl.DataFrame, tallies: Tallies) -> pl.DataFrame:
    """The rows without times of messages beyond the night's clock: one wrong clock would stand above all messages."""
    if "sent_at" not in frame.columns:
        return frame
    is_beyond = pl.col("sent_at") > tallies.as_of
    if frame.select(is_beyond.any()).item():
        tallies.tell(
            "has messages that were sent after the night's clock (MSH-7); their order is that of their file: "
            "correct the sending system's clock"
        )
    return frame.with_columns(sent_at=pl.when(~is_beyond).then("sent_at"))


def _stated(statuses: Statuses | None, dialect: Dialect) -> tuple[pl.Expr, pl.Expr | None]:
    """What the export says became of it, and whether it was cancelled by somebody unknown; None where it cannot be."""
    if statuses is None:
        return word("status", STATUSES, dialect), None
    meant = meaning(statuses, [f"status {place}" for place in range(len(statuses.columns))], dialect)
    if statuses.cancelled or CANCELLED not in statuses.words.values():
        return meant, None
    by_unknown = meant == CANCELLED
    return pl.when(~by_unknown).then(meant), by_unknown


def _days_alone(
    columns: dict[str, Any], starts: fast_casts.Time, cancelled: fast_casts.Time, dialect: Dialect
) -> dict[str, pl.Expr]:
    """A day without a time. An appointment is taken to be at midday, a cancellation at the day's end."""
    found = {}
    if not starts.is_read:
        midday = local_day("starts_at", dialect).cast(pl.Datetime("us")) + pl.lit(MIDDAY)
        found["starts_local"] = pl.coalesce(columns["starts_local"], midday)
        found["starts_at"] = pl.coalesce(columns["starts_at"], utc(midday, dialect.time_zone))
    if not cancelled.is_read:
        end = local_day("cancelled_at", dialect).cast(pl.Datetime("us")) + pl.lit(DAY_S_END)
        found["cancelled_at"] = pl.coalesce(columns["cancelled_at"], utc(end, dialect.time_zone))
    return found


def _became(frame: pl.DataFrame, tallies: Tallies, statuses: Statuses | None) -> pl.DataFrame:
    """The status, and whether the export states it.

    A future appointment is scheduled. So is one that was attended or missed in an export from before it began: some
    systems create appointments as attended, and only a later export can know.
    """
    stated, starts = pl.col("stated"), pl.col("starts_at")
    to_come = starts > tallies.as_of
    known = stated.is_in([*STATUSES, ATTENDED_IF_PAST])
    told_early = (starts > tallies.known_at) & stated.is_in(list(HELD)) if statuses else pl.lit(False)
    waits = stated.is_in([s for s in STATUSES if s != "scheduled" and s not in HELD]) if statuses else pl.lit(True)
    _remember_when_to_reread(frame.filter(to_come & waits & (stated != "scheduled")), tallies)
    status = (
        pl.when((to_come & known) | told_early).then(pl.lit("scheduled"))
        .when(stated == ATTENDED_IF_PAST).then(pl.lit("attended"))
        .otherwise(stated)
    )  # fmt: skip
    basis = pl.when(status == stated).then(pl.lit("stated")).when(status.is_not_null()).then(pl.lit("derived"))
    return frame.with_columns(status=status, status_basis=basis).drop("stated")


def with_minutes(named: pl.DataFrame) -> pl.DataFrame:
    """The length of an appointment that has an end and no length. An end that no session can have gives null."""
    if "ends_at" not in named.columns:
        return named
    form = "%Y-%m-%d %H:%M"
    starts, ends = (
        pl.col(name).str.replace("T", " ", literal=True).str.slice(0, 16).str.to_datetime(form, strict=False)
        for name in ("starts_at", "ends_at")
    )
    minutes = (ends - starts).dt.total_minutes()
    lasted = pl.when(minutes.is_between(*MINUTES)).then(minutes).cast(pl.String)
    if "duration_minutes" in named.columns:
        lasted = pl.coalesce("duration_minutes", lasted)
    return named.with_columns(duration_minutes=lasted).drop("ends_at")


def _remember_when_to_reread(still_to_come: pl.DataFrame, tallies: Tallies) -> None:
    first = cast("datetime | None", still_to_come["starts_at"].min())
    if first is not None:
        tallies.rereads_at = min(first, tallies.rereads_at or first)


def count_texts(frame: pl.DataFrame, chunk: pl.DataFrame, columns: list[str], tallies: Tallies) -> None:
    """Count the texts that are not in the clinic's lists. Frame and chunk have the same rows."""
    for name in columns:
        other = frame.select(RECORD, word=chunk[name].str.strip_chars()).filter(frame[name] == "other")
        tallies.count_unlisted(name, other.filter(~pl.col("word").is_in([*tallies.lists[name], "other"]))[RECORD])
