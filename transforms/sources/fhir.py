"""FHIR (STU3, R4, R5): Appointment, Encounter, Patient and QuestionnaireResponse as JSON, Bundle or bulk NDJSON.

A resource is a record. Items of a response may be inside items and answers, at any depth; each is found by its linkId.
The log.ndjson of a bulk export has no resources and is skipped. The status entered-in-error retracts a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from rapport.transforms.sources import plain
from rapport.transforms.sources.canonical.answers import from_form
from rapport.transforms.sources.canonical.appointment_rows import with_minutes
from rapport.transforms.sources.canonical.casts import Dialect, text
from rapport.transforms.sources.canonical.dates import in_iso
from rapport.transforms.sources.canonical.ids import with_ids
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.content import Content
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.json_records import open_records
from rapport.transforms.sources.opening.shape import BESIDE, LOST, MARK, Shape, cell
from rapport.transforms.sources.redcap import form_columns
from rapport.transforms.sources.structures.fhir_resources import CODE, COLUMNS, resources, rows_of
from rapport.warehouse.clinic_file.forms import Form
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.schema.records import CONTRADICTED, held_by

IN_ERROR = "entered-in-error"
_IDS = {
    MARK + name: (name, (MARK + name,)) for name in ("appointment_id", "client_id", "therapist_id", "response_id")
} | {MARK + name: ("appointment_id", (MARK + name,)) for name in ("of_appointment", "encounter")}
_PERSON = ["client_id", "birth_date", "sex"]
_BOOKED = ["appointment_id", "client_id", "therapist_id", "starts_at", "ends_at", "duration_minutes", "service"]


def open_fhir(content: Content, source: Source, shape: Shape) -> Export:
    """Open resources as rows of text, with a column for each item that the source's forms name."""
    items = list(dict.fromkeys(link for form in source.forms for link in (*form.items, *dict(form.scores).values())))
    names = {name: place for place, name in enumerate(COLUMNS)}  # a linkId may have such a name too
    header = [*(MARK + name for name in COLUMNS), *items, *(CODE + item for item in items)]
    return open_records(content, header, resources, lambda record: rows_of(record, items), names)


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """Appointments, clients, and the responses of every form that clinic.toml names."""
    export.need(MARK + name for name in COLUMNS)
    words = source.status.columns if source.status else ()
    export.need(words)
    export.need(column for form in source.forms for column in _asked(form))
    export.need(CODE + item for form in source.forms for item in _coded_items(form, tallies))
    dialect = Dialect(source.time_zone, source.nulls, source.decimal, source.writing, has_local_references=True)
    times = [MARK + "starts_at", MARK + "ends_at", *(form.completed_at or MARK + "authored" for form in source.forms)]
    times = [name for name in times if name in export.wanted]
    chunks = (with_ids(chunk, _IDS, dialect, tallies) for chunk in in_iso(export, times, "iso", dialect))
    for chunk in map(_with_unread_retractions, chunks):
        of = {kind: chunk.filter(_column("resource").is_in(list(names))) for kind, names in _KINDS.items()}
        _note_retracted(of, tallies)
        if of["appointments"].height:
            booked = _without_doubles(of["appointments"]).select(
                BESIDE,
                *map(_named, _BOOKED),
                *(cell(column).alias(f"status {n}") for n, column in enumerate(words)),
            )
            yield from plain.canonical("appointments", iter([with_minutes(booked)]), dialect, tallies, source.status)
        if of["clients"].height:
            people = of["clients"].select(BESIDE, *map(_named, _PERSON))
            yield from plain.canonical("clients", iter([people]), dialect, tallies)
        responses = of["responses"].filter(_column("status").ne_missing(IN_ERROR))
        if responses.height and not source.forms:
            tallies.tell(
                "holds questionnaire responses, and no form of clinic.toml reads them; "
                f"add [sources.{source.name}.forms.NAME] (rapport draft lists their linkIds)"
            )
        for form in source.forms:
            told = _without_contradictions(responses, form, tallies)
            yield "responses", _responses(told, form, tallies, dialect)


def _with_unread_retractions(chunk: pl.DataFrame) -> pl.DataFrame:
    """A retraction whose id cannot be read loses its status. So it is held and told, as a record without an id is."""
    if LOST not in chunk.columns:
        return chunk
    is_lost = (_column("status") == IN_ERROR) & (pl.col(LOST).list.len() > 0)
    under = {MARK + "status", "status"} & set(chunk.columns)  # its own name, and the one that clinic.toml may use
    return chunk.with_columns(pl.when(~is_lost.fill_null(False)).then(pl.col(name)).alias(name) for name in under)


def _asked(form: Form) -> list[str]:
    """The columns that a form names. Client and id of a response are in the resource itself."""
    return form_columns(replace(form, client_id=(), response_id=()))


def _column(name: str) -> pl.Expr:
    """One of COLUMNS."""
    return pl.col(MARK + name)


def _named(name: str) -> pl.Expr:
    return _column(name).alias(name)


_KINDS = {
    "appointments": ("Appointment", "Encounter"),
    "clients": ("Patient",),
    "responses": ("QuestionnaireResponse",),
}


def _without_doubles(booked: pl.DataFrame) -> pl.DataFrame:
    """Without the encounters whose appointment is in the file too: both are one session."""
    told = booked.filter(_column("resource") == "Appointment").select(_column("appointment_id")).to_series()
    return booked.filter(~_column("of_appointment").is_in(told.drop_nulls().implode()).fill_null(False))


def _note_retracted(of: dict[str, pl.DataFrame], tallies: Tallies) -> None:
    for kind in ("appointments", "responses"):
        wrong = of[kind].filter(_column("status") == IN_ERROR)
        if wrong.height:
            columns = ("appointment_id", "client_id") if kind == "appointments" else ("response_id", "client_id")
            tallies.retracted.append((kind, wrong.select(map(_named, columns))))


def _coded_items(form: Form, tallies: Tallies) -> list[str]:
    """The items with public codes. Their answers' points can be compared with the codes."""
    return list(form.items) if tallies.instruments[form.instrument].codes else []


def _without_contradictions(responses: pl.DataFrame, form: Form, tallies: Tallies) -> pl.DataFrame:
    """With the items in LOST whose points contradict their public code."""
    codes = {code: float(points) for code, points in tallies.instruments[form.instrument].codes}
    marks = []
    for item in _coded_items(form, tallies):
        meant = cell(CODE + item).replace_strict(codes, default=None, return_dtype=pl.Float64)
        is_other = meant != cell(item).cast(pl.Float64, strict=False)
        marks.append(pl.when(is_other).then(pl.lit(held_by(CONTRADICTED, item))))
    if not marks:
        return responses
    lost = [pl.col(LOST).fill_null([])] if LOST in responses.columns else []
    return responses.with_columns(pl.concat_list(*marks, *lost).list.drop_nulls().alias(LOST))


def _responses(said: pl.DataFrame, form: Form, tallies: Tallies, dialect: Dialect) -> pl.DataFrame:
    """A form's responses: those to its questionnaire. Where clinic.toml names none, those with the form's items."""
    if form.form:
        asked = text(MARK + "questionnaire", dialect)
        said = said.filter((asked == form.form) | asked.str.ends_with("/" + form.form))
    told = replace(
        form,
        completed_at=form.completed_at or (None if form.completed_on else MARK + "authored"),
        appointment_id=form.appointment_id or MARK + "encounter",
        finished=MARK + "finished",
    )
    made = from_form(said.lazy(), told, tallies, dialect)
    is_answered = pl.col("answers").list.drop_nulls().list.len() > 0
    return made if form.form else made.filter(is_answered.fill_null(False) | pl.col("given_scores").is_not_null())
