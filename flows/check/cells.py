"""The cells of a column that could not be read: what they look like, and what to write in clinic.toml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from rapport.flows.check.mends import mend_of_answers, mend_of_time
from rapport.flows.check.problem import Problem
from rapport.flows.check.read_file import FileRead
from rapport.flows.check.shapes import common_words, shapes_of
from rapport.transforms.sources.drafting.toml_lines import written
from rapport.transforms.sources.plain import TIMES
from rapport.warehouse.clinic_file.sources import Source

DURATIONS = ("duration_minutes", "seconds")


def problem_of_cells(file: FileRead, kind: str, name: str, held: frozenset[int], whose: Mapping[int, str]) -> Problem:
    """A column of which texts could not be read. `name`: its canonical name, or that of a form's own column."""
    columns = columns_of(file.source, name)
    texts = texts_of(file, columns, whose)
    if texts is None:
        return Problem(name, "unreadable", f"{len(held):,} could not be read", held=held)
    wrong = texts.filter(pl.col("record").is_in(list(held)))
    if wrong.is_empty() or (kind == "responses" and name in ("value", "seconds")):
        wrong = texts.filter(pl.col("text").cast(pl.Float64, strict=False).is_null())
    shown = ", ".join(map(written, columns)) if len(columns) > 1 else columns[0]
    share, look = (wrong.height, texts.height), f"could not be read; they look like  {look_of(wrong)}"
    if _is_time(file.source, name):
        say = mend_of_time(file.source, columns, wrong["text"], are_most=2 * wrong.height > texts.height)
        return Problem(shown, "time_unreadable", look, say, held, share)
    if name in DURATIONS:
        return Problem(shown, "number_unreadable", look, "", held, share)
    words = common_words(wrong)
    code, say = mend_of_answers(file.source, wrong["text"], words)
    told = f"are words:  {listed(words, wrong)}" if words and code == "answers_are_words" else look
    return Problem(shown, code, told, say, held, share)


def _is_time(source: Source, name: str) -> bool:
    born = {source.clients.birth_date} if source.clients else set()
    return name in TIMES or name in {*born, *(form.completed_at for form in source.forms)}


def columns_of(source: Source, name: str) -> list[str]:
    """The export's columns of a canonical name; a form's are the export's own."""
    if name == "status" and source.status:
        return list(source.status.columns)
    if name == "client_id" and (
        own := [*source.client_id, *(each for form in source.forms for each in form.client_id)]
    ):
        return own[:1]
    return list(source.columns.get(name, (name,)))


def texts_of(file: FileRead, columns: Sequence[str], whose: Mapping[int, str]) -> pl.DataFrame | None:
    """The texts of one column, or of several joined: text, record, and the record's client. None where the file has no
    such column. Columns may be called like patterns, so they are taken by their places."""
    cells = file.cells(columns)
    if cells is None:
        return None
    places = (pl.nth(place) for place in range(1, len(columns) + 1))
    joined = pl.concat_str(places, separator=" + ", ignore_nulls=True)
    texts = cells.select("record", text=joined.replace("", None)).drop_nulls()
    return texts.with_columns(client=pl.col("record").replace_strict(dict(whose), default=None, return_dtype=pl.String))


def look_of(cells: pl.DataFrame) -> str:
    """The commonest shapes."""
    return "  or  ".join(shapes_of(cells["text"]))


def listed(words: Sequence[tuple[str, int]], cells: pl.DataFrame) -> str:
    """Words with their counts; how many others there are."""
    shown = [f"{word} ({count:,})" for word, count in words]
    others = cells["text"].n_unique() - len(shown)
    return ", ".join(shown) + (f", and {others:,} more" if others else "")
