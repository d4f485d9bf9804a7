"""REDCap's flat CSV, raw or with labels, and its EAV export: longitudinal events, repeating instruments, timestamps.

A parent row has a blank instrument and instance. A repeat row fills only the columns of its own form. Without repeats
their columns are absent, which is no change of the export. The key of a response is record, event, form and instance. A
project without records exports one line feed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import polars as pl

from rapport.transforms.sources.canonical.answers import CLIENT, RESPONSE, from_form
from rapport.transforms.sources.canonical.casts import (
    Dialect,
    day,
    of_records,
    text,
    translated,
    typed,
    unreadable,
)
from rapport.transforms.sources.canonical.dates import in_iso
from rapport.transforms.sources.canonical.ids import SEPARATOR, formerly, with_ids, with_made_id
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import MARK, NUMBER, cell
from rapport.transforms.sources.plain import birth_date
from rapport.transforms.sources.structures.eav import flat, is_eav
from rapport.warehouse.clinic_file.forms import Form
from rapport.warehouse.clinic_file.sources import ClientColumns, Source

EVENT, REPEAT, INSTANCE = "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"
# The same in an export with labels for headers.
LABELS = {EVENT: "Event Name", REPEAT: "Repeat Instrument", INSTANCE: "Repeat Instance"}
NOT_COMPLETED = "[not completed]"  # a survey opened and saved, not submitted
# Columns beside the export's own: a row's record, and its place in the project.
WHOSE, WHOSE_BEFORE = f"{MARK}record", f"{MARK}record before"
AT_EVENT, AT_REPEAT, AT_INSTANCE = (f"{MARK}{name}" for name in (EVENT, REPEAT, INSTANCE))


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """Responses of every form that clinic.toml names, and client rows. Raises Refused when a column is missing."""
    if not export.header:
        return
    if not source.forms and not source.clients:
        tallies.tell(f"was not read: clinic.toml names none of its forms; add [sources.{source.name}.forms.NAME]")
    structure = LABELS if any(map(export.has, LABELS.values())) and not export.has(EVENT) else {}
    places = [structure.get(name, name) for name in (EVENT, REPEAT, INSTANCE)]
    if is_eav(export):
        fields = [column for column in _columns(source) if column != "record"]
        export = flat(export, places, fields, source.memory)
    record_id = next(name for name in export.header if name)  # R writes row numbers into a nameless first column
    export.passing.update(places)
    export.need([record_id, *_needed(source)])
    export.need_mapped(column for form in source.forms for column in beside_answers(form))
    there = export.want(places)
    dialect = Dialect(source.time_zone, (*source.nulls, NOT_COMPLETED), source.decimal, source.writing)
    record_ids, whose = {WHOSE: ("client_id", (record_id,))}, _carried(source)
    if whose:
        export.lines = None  # whose a line is may stand in another one
    known = pl.DataFrame(schema={WHOSE: pl.String, **dict.fromkeys(whose, pl.String)})
    for chunk in in_iso(export, _times(source), "iso", dialect):
        named = [
            (pl.col(place) if place in there else pl.lit(None, dtype=pl.String)).alias(name)
            for name, place in zip((AT_EVENT, AT_REPEAT, AT_INSTANCE), places, strict=True)
        ]
        rows = chunk.with_columns(*named, formerly((record_id,), dialect).alias(WHOSE_BEFORE))
        rows = with_ids(rows, record_ids, dialect, tallies)
        if whose:
            rows, known = _with_carried(rows, whose, known)
        rows = rows.with_columns(pl.col(AT_REPEAT).str.strip_chars().replace("", None))
        yield from _rows(rows, source, tallies, dialect)


def _carried(source: Source) -> list[str]:
    """The fields of clients' numbers, which hold for all rows of their record."""
    return list(dict.fromkeys([*source.client_id, *(field for form in source.forms for field in form.client_id)]))


def _with_carried(rows: pl.DataFrame, fields: list[str], known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each row with the numbers that it or, before it in the file or in these rows, its record states; and what is
    known of records so far."""
    stated = rows.select(WHOSE, *(cell(field).str.strip_chars().replace("", None).alias(field) for field in fields))
    first = pl.concat([known, stated]).drop_nulls(WHOSE).group_by(WHOSE, maintain_order=True)
    known = first.agg(cell(field).drop_nulls().first().alias(field) for field in fields)
    of_record = rows.select(WHOSE).join(known, on=WHOSE, how="left", maintain_order="left").drop(WHOSE)
    carried = [stated[field].fill_null(of_record[field]).alias(field) for field in fields]
    return rows.with_columns(carried), known


def _columns(source: Source) -> list[str]:
    """Every column that the source's forms and client columns name, each once."""
    return list(dict.fromkeys([*_needed(source), *(each for form in source.forms for each in form_columns(form))]))


def _needed(source: Source) -> list[str]:
    wanted: list[str | None] = [*source.client_id, *(column for form in source.forms for column in needed_of(form))]
    if source.clients:
        wanted += [source.clients.birth_date, source.clients.sex.column if source.clients.sex else None]
    return list(dict.fromkeys(column for column in wanted if column))


def _times(source: Source) -> list[str]:
    born = source.clients.birth_date if source.clients else None
    return [column for column in (*(form.completed_at for form in source.forms), born) if column]


def form_columns(form: Form) -> list[str]:
    """Every column that a form names."""
    return [*needed_of(form), *beside_answers(form)]


def needed_of(form: Form) -> list[str]:
    """The columns without which a form has no responses: who answered, when, and what."""
    rater = None if isinstance(form.rater, str) else form.rater.column
    scores = [column for _, column in form.scores] if not form.items else []
    named = [*form.items, rater, form.completed_at, *form.client_id, *form.response_id, *scores]
    return [column for column in named if column]


def beside_answers(form: Form) -> list[str]:
    """The optional columns that a form names."""
    scores = [column for _, column in form.scores] if form.items else []
    named = [form.therapist_id, form.rater_id, form.appointment_id, form.seconds, form.finished, *scores]
    return [column for column in named if column]


def _rows(rows: pl.DataFrame, source: Source, tallies: Tallies, dialect: Dialect) -> Iterator[tuple[str, pl.DataFrame]]:
    if source.clients:
        people = _named_by(rows, source.client_id, dialect, tallies)
        yield "clients", _clients(people, source.clients, tallies, dialect)
    for form in source.forms:
        on_this_row = pl.col(AT_REPEAT).is_null() | (pl.col(AT_REPEAT) == form.form)
        made = _responses(rows.filter(on_this_row), source, form, tallies, dialect)
        if made.height:
            yield "responses", made


def _responses(rows: pl.DataFrame, source: Source, form: Form, tallies: Tallies, dialect: Dialect) -> pl.DataFrame:
    rows = _named_by(rows, form.client_id or source.client_id, dialect, tallies)
    if form.response_id:
        rows = with_ids(rows, {RESPONSE: ("response_id", form.response_id)}, dialect, tallies)
    else:
        whose, before = pl.col(WHOSE), pl.col(WHOSE_BEFORE)
        rows = with_made_id(rows, RESPONSE, "response", partial(_key, source, form), whose, before, tallies)
    return from_form(rows.lazy(), form, tallies, dialect)


def _named_by(rows: pl.DataFrame, fields: tuple[str, ...], dialect: Dialect, tallies: Tallies) -> pl.DataFrame:
    """The rows with their clients' numbers: of these fields, else the record's own."""
    if not fields:
        return rows.with_columns(pl.col(WHOSE).alias(CLIENT))
    return with_ids(rows, {CLIENT: ("client_id", fields)}, dialect, tallies)


def _key(source: Source, form: Form, whose: pl.Expr) -> pl.Expr:
    """Two projects may share an id space and a form's name, so the source is part of a response's key."""
    record = pl.coalesce(whose, pl.format("\x1e{}", NUMBER))
    place = [pl.col(AT_EVENT).fill_null(""), pl.lit(form.name), pl.col(AT_INSTANCE).fill_null("")]
    return pl.concat_str(pl.lit(source.name), record, *place, separator=SEPARATOR)


def _clients(rows: pl.DataFrame, columns: ClientColumns, tallies: Tallies, dialect: Dialect) -> pl.DataFrame:
    given = [text(name, dialect) for name in (columns.birth_date, columns.sex and columns.sex.column) if name]
    filled = rows.lazy().filter(pl.any_horizontal(expression.is_not_null() for expression in given))
    birth = birth_date(day(columns.birth_date, dialect), tallies) if columns.birth_date else pl.lit(None, dtype=pl.Date)
    made = {
        **of_records(rows),
        "client_id": pl.col(CLIENT),
        "birth_date": birth,
        "sex": translated(columns.sex, dialect) if columns.sex else pl.lit(None, dtype=pl.String),
    }
    flags = {columns.birth_date: unreadable(columns.birth_date, birth, dialect)} if columns.birth_date else {}
    return typed(filled, made, flags)
