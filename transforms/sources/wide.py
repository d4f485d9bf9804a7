"""The wide format: one row per response, one column per item, named in clinic.toml. It is the commonest real export."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rapport.transforms.sources.canonical.answers import CLIENT, RESPONSE, from_form
from rapport.transforms.sources.canonical.casts import Dialect, text
from rapport.transforms.sources.canonical.dates import in_iso
from rapport.transforms.sources.canonical.ids import SEPARATOR, formerly, with_ids, with_made_id
from rapport.transforms.sources.canonical.midnights import WRITTEN
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import NUMBER
from rapport.transforms.sources.redcap import beside_answers, needed_of
from rapport.warehouse.clinic_file.forms import Form
from rapport.warehouse.clinic_file.sources import Source


def read(export: Export, source: Source, tallies: Tallies) -> Iterator[tuple[str, pl.DataFrame]]:
    """One response per filled-in row and form. Raises Refused when a column is missing."""
    if not export.header:
        return
    export.need(column for form in source.forms for column in needed_of(form))
    export.need_mapped(column for form in source.forms for column in beside_answers(form))
    dialect = Dialect(source.time_zone, source.nulls, source.decimal, source.writing)
    times = [form.completed_at for form in source.forms if form.completed_at]
    for chunk in in_iso(export, times, source.dates, dialect):
        for form in source.forms:
            rows = _keyed(chunk, source, form, dialect, tallies)
            yield "responses", from_form(rows.lazy(), form, tallies, dialect)


def _keyed(chunk: pl.DataFrame, source: Source, form: Form, dialect: Dialect, tallies: Tallies) -> pl.DataFrame:
    """A response's id: its own column, else source, client, form and time of completion."""
    rows = with_ids(chunk, {CLIENT: ("client_id", form.client_id)}, dialect, tallies)
    if form.response_id:
        return with_ids(rows, {RESPONSE: ("response_id", form.response_id)}, dialect, tallies)
    written = f"{WRITTEN}{form.completed_at}"
    column = written if written in rows.columns else form.completed_at
    when = text(column, dialect).fill_null("") if column else pl.lit(form.completed_on or "")

    def made(client: pl.Expr) -> pl.Expr:
        whose = pl.coalesce(client, pl.format("\x1e{}", NUMBER))
        return pl.concat_str(pl.lit(source.name), whose, pl.lit(form.name), when, separator=SEPARATOR)

    return with_made_id(rows, RESPONSE, "response", made, pl.col(CLIENT), formerly(form.client_id, dialect), tallies)
