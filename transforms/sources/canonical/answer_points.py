"""How an export writes answers: in words, as tick boxes, or on a range that is not the questionnaire's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import polars as pl

from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.shape import cell
from rapport.transforms.sources.speed.fast_casts import Value
from rapport.warehouse.clinic_file.forms import Form
from rapport.warehouse.errors import OtherRange
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.instruments.items import Range

ENOUGH = 30  # answers, before their range says anything
SHARE = 0.2  # of answers above the questionnaire's range, that says they are written on another
NOT_TICKED = ["", "0", "false", "no", "unchecked"]


def in_points(cells: pl.DataFrame, form: Form) -> pl.DataFrame:
    """The items with numbers for words: what the clinic file says they count, and 1 for a box that is ticked."""
    if form.points:
        points = {word.strip(): repr(float(point)) for word, point in form.points.items()}
        cells = cells.with_columns(cell(item).str.strip_chars().replace(points) for item in set(form.items))
    if form.ticked:
        any_box = pl.any_horizontal(cell(item).is_not_null() for item in set(form.items))
        cells = cells.with_columns(pl.when(any_box).then(_box(item)).alias(item) for item in set(form.items))
    return cells


def known_words(instrument: Instrument) -> dict[str, str]:
    """The public words and codes of a questionnaire's answers as they are compared, each with its points as text."""
    return {word.lower(): repr(float(points)) for word, points in (*instrument.words, *instrument.codes)}


def in_known_points(cells: pl.DataFrame, item: str, words: Mapping[str, str]) -> pl.DataFrame:
    """The cells with points for the public words and codes of an item's answers."""
    bare = cell(item).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    points = bare.replace_strict(words, default=None, return_dtype=pl.String)
    return cells.with_columns(pl.coalesce(points, cell(item)).alias(item))


def _box(item: str) -> pl.Expr:
    word = cell(item).str.strip_chars().str.to_lowercase().fill_null("")
    return pl.when(word.is_in(NOT_TICKED)).then(pl.lit("0")).otherwise(pl.lit("1"))


def on_range(values: list[Value], form: Form, tallies: Tallies, cells: pl.DataFrame) -> list[Value]:
    """The answers on the questionnaire's own range. Raises Refused when they are plainly written on another range."""
    instrument = tallies.instruments[form.instrument]
    if form.range is None:
        if values and not instrument.other_ranges:
            _refuse_other_range(values, form, instrument.usual_range, cells)
        return values
    low, high = form.range
    usual = instrument.usual_range
    step = (usual.maximum - usual.minimum) / (high - low)
    return [(value - low) * step + usual.minimum for value in values]


def _refuse_other_range(values: list[Value], form: Form, usual: Range, cells: pl.DataFrame) -> None:
    """Refuse 0 to 100 mm for a line of 10 cm, and 1 to 4 for 0 to 3. In the second only the highest answer is out of
    range.
    """
    least, most = usual.minimum, usual.maximum
    found = [value if isinstance(value, pl.Series) else cells.select(value).to_series() for value in values]
    given = [each for each in found if each.null_count() < each.len()]
    high = max((cast("float", each.max()) for each in given), default=most)
    count = sum(each.len() - each.null_count() for each in given) if high > most else 0
    if count < ENOUGH:
        return
    low = min(cast("float", each.min()) for each in given)
    above = sum(int((each > most).sum()) for each in found)
    if (high == most + 1 and low >= least + 1) or above > SHARE * count:
        raise OtherRange(
            form.name,
            f"writes its answers to {form.instrument} on another range than {least:g} to {most:g}; say on which "
            f"(range = [lowest, highest] for {form.name} in clinic.toml), or correct the export",
        )
