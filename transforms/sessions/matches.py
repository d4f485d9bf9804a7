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
from dataclasses import dataclass
from datetime import datetime, time

import polars as pl

from rapport import transforms
from rapport.transforms.sessions.responses import sessions_of
from rapport.transforms.sessions.visits import by_visit
from rapport.warehouse.clinic_file.clinic import Clinic

MATCHED = ("appointment", "time", "day")
STATES = (*MATCHED, "waiting", "too_early", "too_late", "no_session", "client_unknown")
COUNTS = (
    *("record_count", "client_count", "known_client_count", "response_count"),
    *(f"{state}_count" for state in STATES),
    # Of the responses of its newest delivery, without those that wait; and of these, why they may not match.
    *("delivery_count", "delivery_matched_count", "delivery_unknown_count", "delivery_day_only_count"),
)
_NEED_APPOINTMENTS = [name for name in COUNTS if name not in ("record_count", "client_count", "response_count")]
_TABLES = ("episodes", "appointments", "sessions", "responses")


@dataclass(frozen=True)
class Told:
    """What the match report needs of some clients. Rows that match are counted before, and need not be in memory."""

    people: pl.DataFrame  # source, client_id, record_count, appointment_count
    matched: pl.DataFrame  # source, matched_by, is_new, response_count
    unmatched: pl.DataFrame  # response records without a session, with is_new: whether its newest delivery brought it
    appointments: pl.DataFrame  # the finished table, of the clients of `unmatched` at least


def matches_of_records(
    records: Mapping[str, pl.DataFrame], clinic: Clinic, known_to: Mapping[str, datetime]
) -> pl.DataFrame:
    """Return the match report of records that are in no warehouse: a row per source. The arguments are those of
    told_by_records and match_counts."""
    return finished([match_counts(told_by_records(records, clinic), clinic, known_to)])


def told_by_records(records: Mapping[str, pl.DataFrame], clinic: Clinic) -> Told:
    """Return what the records of some clients tell. Their tables are computed for it.

    `records`: `client_records`, `episode_records`, `appointment_records` and `response_records`, with the columns of
    their kinds, exported_at and loaded_number, and pseudonyms for ids. Without is_new, every response is new.
    """
    ids = pl.concat([frame.select("client_id") for frame in records.values()]).unique()
    births = ids.clear().with_columns(birth_date=pl.lit(None, dtype=pl.Date))
    booked = records["appointment_records"]
    visits = by_visit(booked, booked.clear(), clinic.visit_sources, clinic.not_treatment)
    given = {**records, **visits, "client_ids": ids, "birth_dates": births}
    made = dict(transforms.rows_of_clients(given, clinic, _TABLES))
    responses = records["response_records"]
    if "is_new" not in responses.columns:
        responses = responses.with_columns(is_new=True)
    found = responses.join(made["responses"].select("response_id", "matched_by"), on="response_id", how="left")
    is_matched = pl.col("matched_by").is_not_null()
    matched = found.filter(is_matched).group_by("source", "matched_by", "is_new").agg(response_count=pl.len())
    return Told(_people(records), matched, found.filter(~is_matched), made["appointments"])


def _people(records: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return source, client_id, record_count and appointment_count."""
    everything = pl.concat(
        frame.select("source", "client_id", is_booked=pl.lit(name == "appointment_records"))
        for name, frame in records.items()
    )
    return everything.group_by("source", "client_id").agg(record_count=pl.len(), appointment_count=pl.sum("is_booked"))


def finished(partials: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the match report from the counts of groups of clients: a row per source, in their order, with COUNTS.

    Where nobody has an appointment, whatever needs appointments is null: it could not be counted, and is not zero.
    """
    sums = pl.concat(partials).group_by("source").agg(pl.col(COUNTS).sum()).sort("source")
    if sums["known_client_count"].sum() == 0:
        sums = sums.with_columns(pl.lit(None, dtype=pl.Int64).alias(name) for name in _NEED_APPOINTMENTS)
    return sums


def match_counts(told: Told, clinic: Clinic, known_to: Mapping[str, datetime]) -> pl.DataFrame:
    """Return the counts of some clients: a row per source with COUNTS. Counts of several groups of clients add up.

    `known_to`: per source, the time of its newest export.
    """
    until = _until(told.people, known_to)
    is_known = told.people.join(until, on="client_id", how="left")
    people = is_known.group_by("source").agg(
        record_count=pl.sum("record_count"),
        client_count=pl.len(),
        known_client_count=pl.col("is_known").sum(),
    )
    counted = people.join(_by_state(_states(told, until, clinic)), on="source", how="left").fill_null(0)
    return counted.select("source", pl.col(COUNTS).cast(pl.Int64))


def _until(people: pl.DataFrame, known_to: Mapping[str, datetime]) -> pl.DataFrame:
    """Return the clients with an appointment: is_known, and `until`, the time up to which theirs are known."""
    ends = pl.DataFrame(
        {"source": list(known_to), "until": list(known_to.values())},
        schema={"source": pl.String, "until": pl.Datetime("us", "UTC")},
    )
    booked = people.filter(pl.col("appointment_count") > 0).join(ends, on="source", how="left")
    return booked.group_by("client_id").agg(pl.max("until"), is_known=pl.lit(True))


def _by_state(states: pl.DataFrame) -> pl.DataFrame:
    state, count = pl.col("state"), pl.col("response_count")
    is_matched, delivered = state.is_in(MATCHED), pl.col("is_new") & (state != "waiting")
    return states.group_by("source").agg(
        *(count.filter(state == name).sum().alias(f"{name}_count") for name in STATES),
        response_count=count.sum(),
        delivery_count=count.filter(delivered).sum(),
        delivery_matched_count=count.filter(delivered & is_matched).sum(),
        delivery_unknown_count=count.filter(delivered & (state == "client_unknown")).sum(),
        delivery_day_only_count=count.filter(delivered & ~is_matched & pl.col("has_day_only")).sum(),
    )


def _states(told: Told, until: pl.DataFrame, clinic: Clinic) -> pl.DataFrame:
    """Return source, is_new, state, has_day_only and response_count of the responses."""
    has_day_only = pl.col("completed_at").is_null() & pl.col("completed_on").is_not_null()
    others = told.unmatched.with_columns(has_day_only=has_day_only, response_count=1)
    strangers = others.join(until, on="client_id", how="anti").with_columns(state=pl.lit("client_unknown"))
    known = others.join(until, on="client_id").lazy()
    unmatched = _unmatched(known, told.appointments.lazy(), clinic).collect()
    matched = told.matched.with_columns(state="matched_by", has_day_only=False)
    each = pl.col("source", "is_new", "state", "has_day_only"), pl.col("response_count").cast(pl.Int64)
    return pl.concat(part.select(*each) for part in (matched, strangers, unmatched))


def _unmatched(told: pl.LazyFrame, appointments: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return unmatched responses of known clients, with their state."""
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
