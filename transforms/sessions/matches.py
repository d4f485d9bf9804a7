"""The match report: whether the sources speak of the same people, and which responses meet a session.

Every response of a source is in one state:

    appointment, time, day   matched to a session: by the appointment that it names, by its time, by its day
    waiting                  an appointment that is still to come, or still to be exported, may hold it
    too_early, too_late      before or after the nearest session of its client, and outside the window of its instrument
    no_session               its client has no session that it could belong to, or it has no date
    client_unknown           no appointment of its client is known
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time

import polars as pl

from rapport import transforms
from rapport.transforms.sessions.responses import sessions_of
from rapport.warehouse.clinic_file.clinic import Clinic

MATCHED = ("appointment", "time", "day")
STATES = (*MATCHED, "waiting", "too_early", "too_late", "no_session", "client_unknown")
COUNTS = (
    *("record_count", "client_count", "known_client_count", "response_count"),
    *(f"{state}_count" for state in STATES),
    *("delivered_count", "delivered_matched_count"),
)
_NEED_APPOINTMENTS = [name for name in COUNTS if name not in ("record_count", "client_count", "response_count")]
_TABLES = ("episodes", "appointments", "sessions", "responses")


def matches_of_records(
    records: Mapping[str, pl.DataFrame], clinic: Clinic, known_to: Mapping[str, datetime]
) -> pl.DataFrame:
    """Return the match report of records that are in no warehouse: a row per source. Nothing is written.

    `records`: `client_records`, `episode_records`, `appointment_records` and `response_records`, with the columns of
    their kinds, exported_at and loaded_number, and pseudonyms for ids. `known_to`: per source, the time of its newest
    export.
    """
    ids = pl.concat([frame.select("client_id") for frame in records.values()]).unique()
    births = ids.clear().with_columns(birth_date=pl.lit(None, dtype=pl.Date))
    made = dict(transforms.rows_of_clients({**records, "client_ids": ids, "birth_dates": births}, clinic, _TABLES))
    lazy = {name: frame.lazy() for name, frame in records.items()}
    return finished([match_counts(lazy, made["appointments"].lazy(), made["responses"].lazy(), clinic, known_to)])


def finished(partials: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the match report from the counts of groups of clients: a row per source, in their order, with COUNTS.

    Where nobody has an appointment, whatever needs appointments is null: it could not be counted, and is not zero.
    """
    sums = pl.concat(partials).group_by("source").agg(pl.col(COUNTS).sum()).sort("source")
    if sums["known_client_count"].sum() == 0:
        sums = sums.with_columns(pl.lit(None, dtype=pl.Int64).alias(name) for name in _NEED_APPOINTMENTS)
    return sums


def match_counts(
    records: Mapping[str, pl.LazyFrame],
    appointments: pl.LazyFrame,
    responses: pl.LazyFrame,
    clinic: Clinic,
    known_to: Mapping[str, datetime],
) -> pl.DataFrame:
    """Return the counts of some clients: a row per source with COUNTS. Counts of several groups of clients add up.

    `records`: as in matches_of_records; response_records may have is_new, the responses that tonight brought.
    `appointments`, `responses`: the finished tables of these clients.
    """
    everything = pl.concat([frame.select("source", "client_id") for frame in records.values()])
    known = appointments.select("client_id").unique()
    is_known = everything.join(known.with_columns(is_known=True), on="client_id", how="left")
    people = is_known.group_by("source").agg(
        record_count=pl.len(),
        client_count=pl.col("client_id").n_unique(),
        known_client_count=pl.col("client_id").filter("is_known").n_unique(),
    )
    states = _states(_until(records, known_to), appointments, responses, clinic, known)
    counted = people.join(_by_state(states), on="source", how="left").fill_null(0)
    return counted.select("source", pl.col(COUNTS).cast(pl.Int64)).collect()


def _until(records: Mapping[str, pl.LazyFrame], known_to: Mapping[str, datetime]) -> pl.LazyFrame:
    """Return the response records with `until`: the time up to which their client's appointments are known."""
    ends = pl.LazyFrame(
        {"source": list(known_to), "until": list(known_to.values())},
        schema={"source": pl.String, "until": pl.Datetime("us", "UTC")},
    )
    booked = records["appointment_records"].select("source", "client_id").join(ends, on="source")
    until = booked.group_by("client_id").agg(pl.col("until").max())
    told = records["response_records"]
    is_new = pl.col("is_new") if "is_new" in told.collect_schema() else pl.lit(True)
    return told.with_columns(is_new=is_new).join(until, on="client_id", how="left")


def _by_state(states: pl.LazyFrame) -> pl.LazyFrame:
    state, is_matched = pl.col("state"), pl.col("state").is_in(MATCHED)
    return (
        states.group_by("source")
        .agg((state == name).sum().alias(f"{name}_count") for name in STATES)
        .join(
            states.group_by("source").agg(
                response_count=pl.len(),
                delivered_count=(pl.col("is_new") & (state != "waiting")).sum(),
                delivered_matched_count=(pl.col("is_new") & is_matched).sum(),
            ),
            on="source",
        )
    )


def _states(
    told: pl.LazyFrame, appointments: pl.LazyFrame, responses: pl.LazyFrame, clinic: Clinic, known: pl.LazyFrame
) -> pl.LazyFrame:
    """Return source, is_new and state of each response record."""
    found = responses.select("response_id", "matched_by")
    each = told.join(found, on="response_id", how="left").collect().lazy()
    matched = each.filter(pl.col("matched_by").is_not_null()).with_columns(state="matched_by")
    others = each.filter(pl.col("matched_by").is_null())
    strangers = others.join(known, on="client_id", how="anti").with_columns(state=pl.lit("client_unknown"))
    unmatched = _unmatched(others.join(known, on="client_id", how="semi"), appointments, clinic)
    return pl.concat([part.select("source", "is_new", "state") for part in (matched, strangers, unmatched)])


def _unmatched(told: pl.LazyFrame, appointments: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return unmatched responses of known clients, with their state."""
    told = told.collect().lazy()
    booked = sessions_of(told, _as_sessions(appointments, "scheduled"), clinic).select(booked="session_id")
    dated = pl.concat([told, booked], how="horizontal").with_columns(when=_when(clinic))
    unknown = appointments.select(appointment_session_id="session_id", is_there=True)
    near = _with_nearest(dated.join(unknown, on="appointment_session_id", how="left"), appointments)
    names, is_since = pl.col("appointment_session_id").is_not_null(), pl.col("when") > pl.col("until")
    may_come = is_since.fill_null(False) & pl.col("is_there").is_null()
    return near.with_columns(
        state=pl.when(pl.col("booked").is_not_null() | may_come)
        .then(pl.lit("waiting"))
        .when(names | pl.col("nearest").is_null())
        .then(pl.lit("no_session"))
        .when(pl.col("nearest") > pl.col("when"))
        .then(pl.lit("too_early"))
        .otherwise(pl.lit("too_late"))
    )


def _when(clinic: Clinic) -> pl.Expr:
    """Return the time of a response. A day alone counts as its midday."""
    midday = (
        pl.col("completed_on").dt.combine(time(12)).dt.replace_time_zone(clinic.time_zone).dt.convert_time_zone("UTC")
    )
    return pl.coalesce("completed_at", midday)


def _as_sessions(appointments: pl.LazyFrame, status: str) -> pl.LazyFrame:
    """Return the appointments of a status as if they were sessions."""
    ends = pl.col("starts_at") + pl.duration(minutes=pl.col("duration_minutes").fill_null(60))
    ordered = appointments.filter(pl.col("status") == status).sort("client_id", "starts_at", "session_id")
    return ordered.with_columns(ends_at=ends, client_session_number=pl.int_range(pl.len()).over("client_id"))


def _with_nearest(told: pl.LazyFrame, appointments: pl.LazyFrame) -> pl.LazyFrame:
    """Return responses with `nearest`: the start of the nearest session of their client, and of their therapist where
    they name one. Of two equally near the earlier counts."""
    held = appointments.filter(pl.col("status") == "attended")
    names = pl.col("therapist_id").is_not_null()
    return pl.concat(
        [
            _nearest(told.filter(names), held, ["client_id", "therapist_id"]),
            _nearest(told.filter(~names), held, ["client_id"]),
        ]
    )


def _nearest(told: pl.LazyFrame, held: pl.LazyFrame, same: list[str]) -> pl.LazyFrame:
    starts = held.select(*same, when="starts_at").sort("when")
    ordered = told.sort("when", nulls_last=True)
    dated, undated = ordered.filter(pl.col("when").is_not_null()), ordered.filter(pl.col("when").is_null())
    for side in ("backward", "forward"):
        there = starts.with_columns(pl.col("when").alias(side))
        dated = dated.join_asof(there, on="when", by=same, strategy=side, check_sortedness=False)
    before, after = pl.col("backward"), pl.col("forward")
    is_after = before.is_null() | (after - pl.col("when") < pl.col("when") - before)
    near = dated.with_columns(nearest=pl.when(is_after).then(after).otherwise(before))
    return pl.concat([near, undated], how="diagonal").select(*told.collect_schema(), "nearest")
