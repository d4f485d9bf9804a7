"""A simulated clinic as record frames, as a night would have read them, without files and without a night.

The questionnaires follow from the course. Each of the four lines of the SRS is the alliance. Each of the four lines of
the ORS is the absence of symptoms. Each line has a small error of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rapport import transforms
from rapport.flows.demo import course
from rapport.flows.demo.bookings import DAY_OF_SLOT
from rapport.transforms.sessions.visits import by_visit
from rapport.warehouse.clinic_file.clinic import Clinic, clinic_of
from rapport.warehouse.schema.columns import SQL_TYPES
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.schema.tables import Table

FIRST_DAY = date(2024, 1, 8)
AS_OF = datetime(2027, 1, 1, tzinfo=UTC)  # long after the last session
ALLIANCE_ERROR, SYMPTOM_ERROR = 0.2, 0.6  # standard deviation of the error of each line, in centimetres
_TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "UUID": pl.String,
    "VARCHAR": pl.String,
    "INTEGER": pl.Int32,
    "DOUBLE": pl.Float64,
    "DATE": pl.Date,
    "BOOLEAN": pl.Boolean,
    "TIMESTAMPTZ": pl.Datetime("us", "UTC"),
    "TIMESTAMP": pl.Datetime("us"),
    "FLOAT[]": pl.List(pl.Float32),
    "VARCHAR[]": pl.List(pl.String),
    "STRUCT(scale VARCHAR, score DOUBLE)[]": pl.List(pl.Struct({"scale": pl.String, "score": pl.Float64})),
}


@dataclass(frozen=True)
class Simulated:
    """A clinic's records, with its true therapist effects and ruptures."""

    records: dict[str, pl.LazyFrame]
    therapist_effects: pl.DataFrame  # therapist_id, true_effect in points of alliance (0-10)
    sessions: pl.DataFrame  # client_id, session_id, is_ruptured (at the session's end), in order


def simulated(seed: int, truth: course.Planted, clients: int, therapists: int) -> Simulated:
    """Simulate one clinic. The same seed gives the same clinic."""
    rng = np.random.default_rng(seed)
    effects = rng.normal(0, truth.therapist_sd, therapists)
    whose = rng.integers(0, therapists, clients)
    run = course.courses(rng, effects[whose], rng.random(clients) < 0.75, truth)
    slots = _slots(run, whose)
    held = slots.filter(pl.col("status") >= course.RESCHEDULED, pl.col("service") == course.THERAPY)
    frames = {
        "client": pl.LazyFrame({"client_id": [f"c{at}" for at in range(clients)]}),
        "episode": _episodes(run, slots),
        "appointment": _appointments(slots),
        "response": _responses(rng, held),
    }
    kinds = ("clients", "episodes", "appointments", "responses")
    records = {f"{name}_records": _filled(kind, frames[name]) for name, kind in zip(frames, kinds, strict=True)}
    records["client_ids"] = frames["client"]
    booked = records["appointment_records"].collect()
    records |= {name: frame.lazy() for name, frame in by_visit(booked, booked.clear(), (), ()).items()}
    records["birth_dates"] = pl.LazyFrame(schema={"client_id": pl.String, "birth_date": pl.Date})
    names = [f"t{at}" for at in range(therapists)]
    true = pl.DataFrame({"therapist_id": names, "true_effect": effects})
    return Simulated(records, true, held.select("client_id", "session_id", "is_ruptured"))


def declared() -> Clinic:
    """A clinic file with the licences of the simulated questionnaires."""
    services = list(course.SERVICES[1:])
    return clinic_of({"time_zone": "UTC", "licences": ["srs", "ors"], "not_treatment": services}, Path())


def tables_of(clinic: Simulated, wanted: tuple[str, ...]) -> dict[str, pl.DataFrame]:
    """Compute the wanted tables of a simulated clinic with the night's own functions, and only the tables that they
    need."""
    made = {table.name: table for table in transforms.tables()}
    known: dict[str, Any] = {**clinic.records, "clinic": declared(), "as_of": AS_OF}
    needed = _needed(wanted, made)
    for name, table in made.items():
        if name in needed:
            found = table(**{each: known[each] for each in table.reads}).select(table.column_names)
            known[name] = found.collect().lazy()
    return {name: known[name].collect() for name in wanted}


def _needed(wanted: tuple[str, ...], tables: Mapping[str, Table]) -> set[str]:
    found, waiting = set(), [name for name in wanted if name in tables]
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting += [read for read in tables[name].reads if read in tables and read not in found]
    return found


def _slots(run: course.Courses, whose: np.ndarray) -> pl.DataFrame:
    """One row per appointment, by client and slot."""
    client, slot = np.nonzero(run.status >= 0)
    cells = {
        name: getattr(run, name)[client, slot] for name in ("status", "service", "alliance", "severity", "is_ruptured")
    }
    day = pl.lit(FIRST_DAY) + pl.duration(days=pl.col("day") + pl.col("client") % 7)
    frame = pl.DataFrame({"client": client, "slot": slot, "day": DAY_OF_SLOT[slot], "whose": whose[client], **cells})
    return frame.with_columns(
        client_id=pl.format("c{}", "client"),
        episode_id=pl.format("e{}", "client"),
        therapist_id=pl.format("t{}", "whose"),
        session_id=pl.format("s{}-{}", "client", "slot"),
        starts_local=day.cast(pl.Datetime("us")) + pl.duration(hours=10),
    )


def _appointments(slots: pl.DataFrame) -> pl.LazyFrame:
    words = {at: word if word != "rescheduled" else "attended" for at, word in enumerate(course.STATUSES)}
    return slots.lazy().select(
        *("client_id", "therapist_id", "session_id", "starts_local"),
        appointment_id="session_id",
        starts_at=pl.col("starts_local").dt.replace_time_zone("UTC"),
        duration_minutes=pl.lit(50),
        status=pl.col("status").replace_strict(words, return_dtype=pl.String),
        service=pl.col("service").replace_strict(dict(enumerate(course.SERVICES)), return_dtype=pl.String),
    )


def _episodes(run: course.Courses, slots: pl.DataFrame) -> pl.LazyFrame:
    closure = pl.Series([course.CLOSURES[at] for at in run.closure])
    spans = slots.group_by("client", "client_id", "episode_id", maintain_order=True).agg(
        opened_on=pl.col("starts_local").min().dt.date(),
        closed_on=pl.col("starts_local").max().dt.date() + pl.duration(days=10),
    )
    return spans.with_columns(closure=closure.gather(spans["client"])).lazy()


def _responses(rng: np.random.Generator, held: pl.DataFrame) -> pl.LazyFrame:
    alliance = _lines(rng, held["alliance"].to_numpy(), ALLIANCE_ERROR)
    symptoms = _lines(rng, 10 * (1 - held["severity"].to_numpy()), SYMPTOM_ERROR)
    forms = [_form(held, "srs", alliance, after="50m"), _form(held, "ors", symptoms, after="-5m")]
    return pl.concat(forms).lazy()


def _lines(rng: np.random.Generator, felt: np.ndarray, error: float) -> np.ndarray:
    marked = felt[:, None] + error * rng.standard_normal((len(felt), 4))
    return np.clip(np.round(marked, 1), 0, 10).astype(np.float32)


def _form(held: pl.DataFrame, instrument: str, lines: np.ndarray, after: str) -> pl.DataFrame:
    return held.select(
        "client_id",
        "therapist_id",
        response_id=pl.concat_str(pl.lit(instrument), "session_id"),
        instrument=pl.lit(instrument),
        rater=pl.lit("client"),
        appointment_session_id="session_id",
        completed_at=pl.col("starts_local").dt.offset_by(after).dt.replace_time_zone("UTC"),
        answers=pl.Series(lines, dtype=pl.Array(pl.Float32, 4)).cast(pl.List(pl.Float32)),
    ).with_columns(completed_on=pl.col("completed_at").dt.date())


def _filled(kind: str, frame: pl.LazyFrame) -> pl.LazyFrame:
    """The frame with all columns of its record table. Columns that are not simulated are null."""
    there = frame.collect_schema().names()
    stated = {column.name: _TYPES[SQL_TYPES[column.type]] for column in KINDS[kind].columns}
    absent = {name: pl.lit(None, dtype=dtype) for name, dtype in stated.items() if name not in there}
    absent["source"] = pl.lit("simulated")
    cast: dict[Any, Any] = {name: dtype for name, dtype in stated.items() if name in there}
    absent |= {"exported_at": pl.lit(AS_OF), "loaded_number": pl.int_range(pl.len(), dtype=pl.Int64)}
    return frame.with_columns(**absent).cast(cast)
