"""REDCap's export as entities, attributes and values: a row per filled-in field, made into the flat export's rows.

What is blank has no row, nor has a box that is not ticked; a ticked one has a row with its code. The rows of one record
may stand anywhere, so the file is gathered first; of each only the fields that clinic.toml names.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from transforms.sources.opened import RECORD, Opened

NAMED = ("record", "field_name", "value")
TICKED = "___"  # between a field and the code of its box


def is_eav(opened: Opened) -> bool:
    return set(NAMED) <= set(opened.header)


def flat(opened: Opened, places: list[str], fields: list[str]) -> Opened:
    """The same export with a column for each of the fields; `places` are event, form and instance."""
    opened.lines = None  # a record is many lines
    opened.need([*NAMED, *opened.want(places)])
    there = [place for place in places if place in opened.header]
    made = Opened(opened.path, ["record", *there, *fields])
    made.chunks = _gathered(opened, there, made)
    return made


def _gathered(opened: Opened, places: list[str], made: Opened) -> Iterator[pl.DataFrame]:
    if chunks := list(opened.chunks):
        yield _pivoted(pl.concat(chunks), places, made)


def _pivoted(rows: pl.DataFrame, places: list[str], made: Opened) -> pl.DataFrame:
    fields = [name for name in made.header if name not in ("record", *places)]
    entity = ["record", *places]
    name, code = pl.col("field_name").str.strip_chars(), pl.col("value").str.strip_chars().str.to_lowercase()
    box = pl.concat_str(name, code.str.replace("-", "_", literal=True), separator=TICKED)
    told = rows.with_columns(
        field=pl.when(name.is_in(fields)).then(name).when(box.is_in(fields)).then(box),
        told=pl.when(name.is_in(fields)).then("value").otherwise(pl.lit("1")),
    )
    grouped = told.group_by(entity, maintain_order=True).agg(
        pl.col(RECORD).min(),
        pl.len().cast(pl.Int32).alias("record_count"),
        *(pl.col("told").filter(pl.col("field") == field).first().alias(field) for field in fields),
    )
    return grouped.with_columns(_unticked(fields))


def _unticked(fields: list[str]) -> list[pl.Expr]:
    """A box without a row is not ticked where its record says anything that is asked for; else nobody asked."""
    boxes = [field for field in fields if TICKED in field]
    says = pl.any_horizontal(pl.col(field).is_not_null() for field in fields)
    return [pl.when(says).then(pl.col(box).fill_null("0")).alias(box) for box in boxes]
