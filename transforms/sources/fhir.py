"""FHIR (STU3, R4, R5): Appointment, Encounter, Patient and QuestionnaireResponse as JSON, Bundle or bulk NDJSON.

A resource is a record. Items of a response nest to any depth, under items and under answers; each is found by its
linkId. A bulk export's log.ndjson has no resources and is passed over; entered-in-error takes back what was said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from transforms.sources import plain
from transforms.sources.answers import from_form
from transforms.sources.appointments import with_minutes
from transforms.sources.casts import Dialect, text
from transforms.sources.content import Content
from transforms.sources.fhir_resources import COLUMNS, resources, rows_of
from transforms.sources.json_records import open_records
from transforms.sources.opened import RECORD, Opened, Shape
from transforms.sources.task import Task
from warehouse.forms import Form
from warehouse.sources import Source

IN_ERROR = "entered-in-error"
_BOOKED = ["appointment_id", "client_id", "therapist_id", "starts_at", "ends_at", "duration_minutes", "service"]


def open_fhir(content: Content, source: Source, shape: Shape) -> Opened:
    """Open resources as rows of text, with a column for each item that the source's forms name."""
    items = list(dict.fromkeys(item for form in source.forms for item in form.items))
    return open_records(content, [*COLUMNS, *items], resources, lambda record: rows_of(record, items))


def read(opened: Opened, source: Source, task: Task) -> Iterator[tuple[str, pl.DataFrame]]:
    """Appointments, clients, and the responses of every form that clinic.toml names."""
    opened.need(opened.header)
    dialect = Dialect(source.time_zone, source.nulls, source.decimal)
    for chunk in opened.chunks:
        of = {kind: chunk.filter(pl.col("resource").is_in(list(names))) for kind, names in _KINDS.items()}
        _note_retracted(of, task)
        if of["appointments"].height:
            booked = _without_doubles(of["appointments"]).select(
                RECORD, *_BOOKED, *(pl.col(c).alias(f"status {n}") for n, c in enumerate(source.status.columns))
            )
            yield from plain.canonical("appointments", iter([with_minutes(booked)]), dialect, task, source.status)
        if of["clients"].height:
            yield from plain.canonical("clients", iter([of["clients"]]), dialect, task)
        said = of["responses"].filter(pl.col("status").ne_missing(IN_ERROR))
        for form in source.forms:
            yield "responses", _responses(said, form, task, dialect)


_KINDS = {
    "appointments": ("Appointment", "Encounter"),
    "clients": ("Patient",),
    "responses": ("QuestionnaireResponse",),
}


def _without_doubles(booked: pl.DataFrame) -> pl.DataFrame:
    """Without encounters of an appointment that stands beside them: that is one session."""
    told = booked.filter(pl.col("resource") == "Appointment")["appointment_id"]
    return booked.filter(~pl.col("of_appointment").is_in(told.drop_nulls().implode()).fill_null(False))


def _note_retracted(of: dict[str, pl.DataFrame], task: Task) -> None:
    for kind in ("appointments", "responses"):
        wrong = of[kind].filter(pl.col("status") == IN_ERROR)
        if wrong.height:
            columns = ("appointment_id", "client_id") if kind == "appointments" else ("response_id", "client_id")
            task.retracted.append((kind, wrong.select(columns)))


def _responses(said: pl.DataFrame, form: Form, task: Task, dialect: Dialect) -> pl.DataFrame:
    """A form's responses: those to its questionnaire, or where clinic.toml does not name it, those with its items."""
    if form.form:
        asked = text("questionnaire", dialect)
        said = said.filter((asked == form.form) | asked.str.ends_with("/" + form.form))
    told = replace(
        form,
        completed_at=form.completed_at or (None if form.completed_on else "authored"),
        appointment_id=form.appointment_id or "encounter",
        therapist_id=form.therapist_id,
        finished="finished",
    )
    made = from_form(said.lazy(), told, task, dialect)
    return made if form.form else made.filter(pl.col("answers").list.drop_nulls().list.len() > 0)
