"""The practice system's appointment export, in the plain format."""

import numpy as np
import polars as pl

from rapport.flows.demo import course
from rapport.flows.demo.bookings import DAY
from rapport.flows.demo.defects import Way, as_text, first_night_count, later_night_count, plant, unspoiled, valid
from rapport.flows.demo.nights import FOREVER, Export, comma_separated, export_lines
from rapport.flows.demo.people import Practice, therapist_ids

COLUMNS = (
    "appointment_id",
    "client_id",
    "starts_at",
    "status",
    "therapist_id",
    "duration_minutes",
    "cancelled_at",
    "service",
    "modality",
    "site",
)
WAYS = (
    Way("client_id_missing", {"client_id": ""}),
    Way("status_unknown", {"status": "rebooked_by_fax"}),
    Way("unreadable", {"starts_at": "2026-02-31T10:00:00"}),
    Way("duplicate"),
    Way("duration_minutes_out_of_range", {"duration_minutes": "6000"}),
    Way("appointment_id_missing", {"appointment_id": ""}),
    Way("conflicting_duplicate", {"duration_minutes": "45"}, {"duration_minutes": "50"}),
    Way("starts_at_missing", {"starts_at": ""}),
    Way("duration_minutes_out_of_range", {"duration_minutes": "0"}),
    Way("unreadable", {"starts_at": "soon"}),
    Way("unreadable", {"cancelled_at": "soon"}),
)


def fresh_id(number: pl.Expr) -> pl.Expr:
    """An appointment number that the practice has not used."""
    return pl.lit("A") + (9_000_000 + number).cast(pl.String)


def rows(clinic: Practice, appointments: pl.DataFrame) -> pl.DataFrame:
    """Every version of every appointment: booked, then with its status after its day, then sometimes corrected."""
    rng = clinic.chance("appointments")
    known = appointments.with_columns(cancelled=cancelled(rng, appointments), corrected=corrected(rng, appointments))
    late = known.filter(pl.col("corrected") < FOREVER)
    status = pl.col("status").replace_strict(dict(enumerate(course.STATUSES)), return_dtype=pl.String)
    cancel = pl.when(pl.col("status") != course.NO_SHOW).then("cancelled")
    return pl.concat(
        [
            version(known, clinic, begin="known", end="day", status=pl.lit("scheduled"), cancelled=pl.lit(None)),
            version(known, clinic, begin="day", end="corrected", status=status, cancelled=cancel),
            version(
                late,
                clinic,
                begin="corrected",
                end=None,
                status=pl.lit("late_cancel"),
                cancelled=pl.col("cancelled"),
            ),
        ]
    ).sort("order", "from_day")


def version(known: pl.DataFrame, clinic: Practice, *, begin: str, end: str | None, **said: pl.Expr) -> pl.DataFrame:
    """The exported rows that are valid from the day `begin` to the day `end`, if a night lies between."""
    until = pl.col(end) if end else pl.lit(FOREVER)
    known = known.filter(pl.col(begin) < clinic.last, until >= clinic.nights[0])
    return known.select(
        appointment_id=pl.lit("A") + pl.col("appointment").cast(pl.String).str.zfill(7),
        client_id="client_id",
        starts_at=local_time(pl.col("starts")),
        status=said["status"],
        therapist_id=therapist_ids(pl.col("therapist")),
        duration_minutes="minutes",
        cancelled_at=local_time(said["cancelled"]),
        service=pl.col("service").replace_strict(dict(enumerate(course.SERVICES)), return_dtype=pl.String),
        modality="modality",
        site="site",
        client="client",
        record=pl.col("appointment").cast(pl.Int64),
        order=pl.col("appointment").cast(pl.Int64),
        from_day=pl.col(begin).cast(pl.Int64),
        to_day=until.cast(pl.Int64),
    )


def local_time(minutes: pl.Expr) -> pl.Expr:
    return (minutes.cast(pl.Int64) * 60_000).cast(pl.Datetime("ms")).dt.to_string("%Y-%m-%dT%H:%M:%S")


def cancelled(rng: np.random.Generator, appointments: pl.DataFrame) -> pl.Series:
    """The minute of each cancellation, always in waking hours. A late one is on the evening before or that morning."""
    count = appointments.height
    day, starts = appointments["day"].to_numpy(), appointments["starts"].to_numpy()
    waking = 480 + rng.integers(0, 720, count)
    ahead = (day - rng.integers(2, 7, count)) * DAY + waking
    evening = starts - DAY + rng.integers(60, 120, count)
    late = np.where(rng.random(count) < 0.5, evening, starts - rng.integers(15, 60, count))
    status = appointments["status"].to_numpy()
    when = np.where(np.isin(status, (course.NO_SHOW, course.LATE_CANCEL)), late, ahead)
    return pl.Series(when).set(pl.Series(status == course.ATTENDED), None)


def corrected(rng: np.random.Generator, appointments: pl.DataFrame) -> pl.Series:
    """The day on which the practice corrects a no-show to a late cancellation, for one no-show in ten."""
    missed = (appointments["status"] == course.NO_SHOW).to_numpy() & (rng.random(appointments.height) < 0.1)
    return pl.Series(np.where(missed, appointments["day"] + rng.integers(1, 6, appointments.height), FOREVER))


def planted(clinic: Practice, real: pl.DataFrame) -> list[pl.DataFrame]:
    """The spoiled records of each night's file. The next export does not repeat them."""
    rng = clinic.chance("spoiled appointments")
    parts, before = [], None
    for turn, night in enumerate(clinic.nights):
        pool = valid(real, night, before)
        count = first_night_count(pool.height, WAYS) if before is None else later_night_count(pool.height)
        extra = plant(rng, as_text(pool, COLUMNS), WAYS, count, turn, key="appointment_id", fresh=fresh_id)
        parts.append(extra.with_columns(from_day=pl.lit(night - 1, pl.Int64), to_day=pl.lit(night, pl.Int64)))
        before = night
    return parts


def export(clinic: Practice, appointments: pl.DataFrame, clean: bool, is_whole: bool = False) -> Export:
    real = rows(clinic, appointments)
    parts = [unspoiled(real)] + ([] if clean else planted(clinic, real))
    lines = export_lines(parts, comma_separated(COLUMNS))
    return Export("appointments_%Y-%m-%d.csv", ",".join(COLUMNS), lines, is_whole)
