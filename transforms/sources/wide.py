"""The wide format: one row per response, one column per item, mapped in clinic.toml. The commonest real export."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rapport.transforms.sources.canonical.answers import CLIENT, RESPONSE, SEPARATOR, from_form
from rapport.transforms.sources.canonical.casts import Dialect, identifiers, text
from rapport.transforms.sources.canonical.dates import in_iso
from rapport.transforms.sources.canonical.midnights import WRITTEN
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import NUMBER
from rapport.transforms.sources.redcap import form_columns
from rapport.warehouse.clinic_file.forms import Form
from rapport.warehouse.clinic_file.sources import Source


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """One response per filled-in row and form. Raises Refused when a column is missing."""
    if not export.header:
        return
    export.need(list(dict.fromkeys(c for form in source.forms for c in form_columns(form) if c)))
    dialect = Dialect(source.time_zone, source.nulls, source.decimal)
    times = [form.completed_at for form in source.forms if form.completed_at]
    for chunk in in_iso(export, times, source.dates, dialect):
        for form in source.forms:
            rows = _keyed(chunk, source, form, dialect)
            yield "responses", from_form(rows, form, tallies, dialect)


def _keyed(rows: pl.DataFrame, source: Source, form: Form, dialect: Dialect) -> pl.LazyFrame:
    """A response's id: its own column, else source, client, form and time of completion."""
    when = f"{WRITTEN}{form.completed_at}" if f"{WRITTEN}{form.completed_at}" in rows.columns else form.completed_at
    client = identifiers(form.client_id, dialect)
    made = pl.concat_str(
        pl.lit(source.name),
        pl.coalesce(client, pl.format("\x1e{}", NUMBER)),
        pl.lit(form.name),
        text(when, dialect).fill_null("") if when else pl.lit(form.completed_on or ""),
        separator=SEPARATOR,
    )
    given = identifiers(form.response_id, dialect) if form.response_id else made
    return rows.lazy().with_columns(client.alias(CLIENT), given.alias(RESPONSE))
