"""REDCap's export as entities, attributes and values: one row per filled-in field, here made into the rows of the flat
export.

A blank field has no row, nor has a box that is not ticked; a ticked box has a row with its code. The rows of one record
may be anywhere, so the file is read whole first, with only the fields that clinic.toml names.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from rapport.transforms.sources.opening.bounded import held
from rapport.transforms.sources.opening.export import Export
from rapport.transforms.sources.opening.shape import COUNT, LOST, MARK, NUMBER, cell

NAMED = ("record", "field_name", "value")
TICKED = "___"  # between a field and the code of its box
FIELD, SAYS = f"{MARK}field", f"{MARK}says"  # which of the wanted fields a row is of, and what it says


def is_eav(export: Export) -> bool:
    return all(map(export.has, NAMED))


def flat(export: Export, places: list[str], fields: list[str], memory: int) -> Export:
    """The same export with a column for each of the fields; `places` are event, form and instance."""
    export.lines = None  # a record is many lines
    export.need([*NAMED, *export.want(places)])
    there = [place for place in places if export.has(place)]
    made = Export(export.path, ["record", *there, *fields])
    made.chunks = _gathered(export, there, made, memory)
    return made


def _gathered(export: Export, places: list[str], made: Export, memory: int) -> Iterator[pl.DataFrame]:
    if chunks := held(export.chunks, memory):
        yield _pivoted(pl.concat(chunks, how="diagonal"), places, made)


def _pivoted(rows: pl.DataFrame, places: list[str], made: Export) -> pl.DataFrame:
    fields = [name for name in made.header if name not in ("record", *places)]
    entity = ["record", *places]
    name, code = pl.col("field_name").str.strip_chars(), pl.col("value").str.strip_chars().str.to_lowercase()
    box = pl.concat_str(name, code.str.replace("-", "_", literal=True), separator=TICKED)
    told = rows.with_columns(
        pl.when(name.is_in(fields)).then(name).when(box.is_in(fields)).then(box).alias(FIELD),
        pl.when(name.is_in(fields)).then("value").otherwise(pl.lit("1")).alias(SAYS),
    )
    grouped = told.group_by(entity, maintain_order=True).agg(
        pl.col(NUMBER).min(),
        pl.len().cast(pl.Int32).alias(COUNT),
        *([pl.col(LOST).list.explode().drop_nulls().unique()] if LOST in rows.columns else []),
        *(pl.col(SAYS).filter(pl.col(FIELD) == field).first().alias(field) for field in fields),
    )
    return grouped.with_columns(_unticked(fields))


def _unticked(fields: list[str]) -> list[pl.Expr]:
    """A box without a row is not ticked where its record has any wanted field; else nobody was asked."""
    boxes = [field for field in fields if TICKED in field]
    says = pl.any_horizontal(cell(field).is_not_null() for field in fields)
    return [pl.when(says).then(cell(box).fill_null("0")).alias(box) for box in boxes]
