"""The clinicians' worklist before the next sessions. It is never a table: it is written to the private tree only.

It does not monitor risk: no answer about suicide or self-harm adds a client to it or removes a client from it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl

from rapport.transforms.scoring.score_bands import holds
from rapport.transforms.sessions.raters import PERSON
from rapport.warehouse.clinic_file.clinic import Clinic

SEEN_WITHIN_DAYS, DUE_WITHIN_DAYS = 14, 7
OUT_OF_CONTACT_DAYS, MEDIAN_GAPS = 30, 2
BELOW, FELL = "alliance below its cut-off", "alliance fell by its step"
NOT_ON_TRACK, OUT_OF_CONTACT = "not on track", "out of contact"
COLUMNS = ("client_id", "therapist_id", "what", "instrument", "rater", "rater_number", "score", "since_on", "data_on")
_WHOSE = ["client_id", "instrument", *PERSON]


def worklist(
    appointments: pl.LazyFrame,
    sessions: pl.LazyFrame,
    alliance: pl.LazyFrame,
    score_bands: pl.LazyFrame,
    progress: pl.LazyFrame,
    retention: pl.LazyFrame,
    engagement: pl.LazyFrame,
    clinic: Clinic,
    as_of: datetime,
) -> pl.LazyFrame:
    """Return one line per client and reason (COLUMNS), for clients with an episode that is not over.

    Three reasons are for clients seen in the last 14 days or due in the next 7. The latest alliance score (client's or
    caregiver's, total) is beyond its questionnaire's cut-off, with the session since when. The latest alliance score
    fell by the step that the questionnaire states. The client is not on track. The fourth reason is for all: the last
    session is more than 30 days and twice the usual gap ago, and no appointment is booked. data_on is the day of the
    score, or of the last session: it shows the age of the reason."""
    today = clinic.day_of(as_of)
    ahead = _ahead(appointments, as_of).cache()
    near = _near(ahead, sessions, today).cache()
    last = _last_session(sessions).cache()
    rated = (
        alliance.filter(pl.col("scale") == "total", pl.col("rater").is_in(["client", "caregiver"]))
        .join(near, on="client_id", how="semi")
        .cache()
    )
    lines = [
        _below(rated, score_bands),
        _fell(rated, clinic),
        _not_on_track(progress.join(near, on="client_id", how="semi"), retention),
        _out_of_contact(retention, engagement, ahead, last, today),
    ]
    therapists = last.select("client_id", "therapist_id")
    joined = pl.concat(lines, how="diagonal_relaxed").join(therapists, on="client_id", how="left")
    return joined.select(COLUMNS)


def _near(ahead: pl.LazyFrame, sessions: pl.LazyFrame, today: date) -> pl.LazyFrame:
    """Return the clients who were seen lately or are due soon."""
    seen = sessions.filter(pl.col("session_date").is_between(today - timedelta(days=SEEN_WITHIN_DAYS), today))
    due = ahead.filter(pl.col("session_date") <= today + timedelta(days=DUE_WITHIN_DAYS))
    return pl.concat([seen.select("client_id"), due.select("client_id")]).unique()


def _ahead(appointments: pl.LazyFrame, as_of: datetime) -> pl.LazyFrame:
    """Return the booked appointments in the future."""
    booked = appointments.filter(pl.col("status") == "scheduled", pl.col("starts_at") > as_of)
    return booked.select("client_id", "session_date")


def _last_session(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Return per client the latest attended session, its therapist and day."""
    number = pl.col("client_session_number")
    return sessions.filter(number == number.max().over("client_id")).select("client_id", "therapist_id", "session_date")


def _latest(rated: pl.LazyFrame) -> pl.LazyFrame:
    """Return the latest score of each client, instrument and person."""
    number = pl.col("client_session_number")
    return rated.filter(number == number.max().over(_WHOSE))


def _below(rated: pl.LazyFrame, score_bands: pl.LazyFrame) -> pl.LazyFrame:
    """Return latest scores beyond a cut-off, with the first session of the unbroken run of such scores."""
    judged = score_bands.filter("is_used", pl.col("is_case").is_not_null(), pl.col("basis") == "computed").select(
        "session_id", "instrument", *PERSON, "scale", "threshold", "is_case"
    )
    whose = [*_WHOSE, "episode_id", "threshold"]
    told = rated.join(judged, on=["session_id", "instrument", *PERSON, "scale"])
    last_well = pl.col("session_date").filter(~pl.col("is_case")).max().over(whose)
    run = told.filter(pl.col("is_case") & (pl.col("session_date") > last_well.fill_null(date.min)))
    started = run.group_by(whose).agg(since_on=pl.col("session_date").min())
    now = _latest(rated).select(*_WHOSE, "episode_id", "score", data_on="session_date")
    return (
        started.join(now, on=[*_WHOSE, "episode_id"])
        .group_by(*_WHOSE, "score", "data_on")
        .agg(pl.col("since_on").min())
        .with_columns(what=pl.lit(BELOW))
    )


def _fell(rated: pl.LazyFrame, clinic: Clinic) -> pl.LazyFrame:
    """Return latest scores that fell by the threshold of change in the instrument's file."""
    steps = [
        (pl.col("instrument") == each.name) & holds(pl.col("change"), at.case)
        for each in clinic.instruments.values()
        for at in each.thresholds
        if at.of == "change" and at.scale == "total" and at.case and clinic.uses(each, at)
    ]
    fell = _latest(rated).filter(pl.any_horizontal(pl.lit(False), *steps))
    return fell.select(*_WHOSE, "score", pl.lit(FELL).alias("what"), since_on="session_date", data_on="session_date")


def _not_on_track(progress: pl.LazyFrame, retention: pl.LazyFrame) -> pl.LazyFrame:
    under_way = retention.filter(~pl.col("has_ended")).select("episode_id")
    told = progress.filter("is_not_on_track").join(under_way, on="episode_id", how="semi")
    return told.select(
        *_WHOSE,
        pl.lit(NOT_ON_TRACK).alias("what"),
        score="latest_score",
        since_on="latest_on",
        data_on="latest_on",
    )


def _out_of_contact(
    retention: pl.LazyFrame,
    engagement: pl.LazyFrame,
    ahead: pl.LazyFrame,
    last: pl.LazyFrame,
    today: date,
) -> pl.LazyFrame:
    """Return clients who are out of contact, measured from the last session of any kind."""
    under_way = retention.filter(~pl.col("has_ended"), pl.col("treatment_session_count") > 0)
    usual = engagement.select("episode_id", "median_gap_days")
    days = (pl.lit(today) - pl.col("session_date")).dt.total_days()
    allowed = pl.max_horizontal(pl.lit(OUT_OF_CONTACT_DAYS), MEDIAN_GAPS * pl.col("median_gap_days").fill_null(0))
    return (
        under_way.select("client_id", "episode_id")
        .join(usual, on="episode_id", how="left")
        .join(last, on="client_id")
        .filter(days > allowed)
        .join(ahead, on="client_id", how="anti")
        .select("client_id", pl.lit(OUT_OF_CONTACT).alias("what"), since_on="session_date", data_on="session_date")
        .unique()
    )
