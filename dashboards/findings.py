"""A question's place on a page: the answer, the pictures, the note and the table, or the reason why it has none."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from rapport.dashboards.charts import specifications, value_column
from rapport.dashboards.charts.drawing import drawing
from rapport.dashboards.charts.values import decimals, is_share, label, shown

if TYPE_CHECKING:
    from rapport.dashboards.questions import Question

NO_DATA = "No data yet."
HIDDEN = "Too few people to show anything here."
NO_NUMBER = "There is no number to draw yet; the table has the rest."
FAILED = "This question failed tonight: {name}. The data are published; the people who run Rapport have been told."
_UNSEEN = ("is_hidden",)


@dataclass(frozen=True)
class Picture:
    """One panel as SVG."""

    name: str
    svg: str


@dataclass(frozen=True)
class Finding:
    """The content of a question's place on a page. Where there is nothing to show, `answer` gives the reason."""

    question: Question
    answer: str
    pictures: list[Picture] = field(default_factory=list)
    head: list[tuple[str, bool]] = field(default_factory=list)  # a column's name, and whether it has numbers
    rows: list[list[str]] = field(default_factory=list)
    has_failed: bool = False


def finding(question: Question, rows: pl.DataFrame, answer: str | None, kept: MutableMapping[str, str]) -> Finding:
    """A question's place, from its rows and its answer for one page. `kept`: earlier drawings by their mark."""
    if rows.is_empty():
        return Finding(question, NO_DATA)
    value = value_column(rows, question.chart)
    columns = _columns(question, rows)
    head = [(column.replace("_", " "), rows[column].dtype.is_numeric()) for column in columns]
    table = _table(rows.select(columns))
    if rows[value].null_count() == rows.height:
        why = HIDDEN if question.audience == "shared" else NO_NUMBER
        return Finding(question, why, head=head, rows=table)
    sentence = answer or "There is no one-sentence answer: its numbers are hidden, because they are of too few people."
    return Finding(question, sentence, _pictures(question, rows, sentence, kept), head, table)


def failed(question: Question) -> Finding:
    """The place of a question that failed."""
    return Finding(question, FAILED.format(name=question.name), has_failed=True)


def hidden(question: Question) -> Finding:
    """The place of a question whose numbers are all hidden here."""
    return Finding(question, HIDDEN)


def _columns(question: Question, rows: pl.DataFrame) -> list[str]:
    return [name for name in rows.columns if name not in question.filters and name not in _UNSEEN]


def _pictures(question: Question, rows: pl.DataFrame, sentence: str, kept: MutableMapping[str, str]) -> list[Picture]:
    chart = {"title": question.title, **question.chart}
    made = []
    for place, (panel, spec) in enumerate(specifications(rows, chart)):
        alt = " ".join(filter(None, (question.alt, f"{panel}." if panel else "", sentence)))
        made.append(Picture(panel, drawing(spec, f"{question.name}-{place}", alt, kept)))
    return made


def _table(rows: pl.DataFrame) -> list[list[str]]:
    columns = [_cells(column) for column in rows]
    return [list(row) for row in zip(*columns, strict=True)]


def _cells(column: pl.Series) -> Sequence[str]:
    values, percent = column.to_list(), is_share(column.name)
    if column.dtype == pl.String:
        return [label(value, column.name) if value is not None else shown(None) for value in values]
    places = decimals(values, percent=percent)
    return [shown(value, places, percent=percent and column.dtype.is_numeric()) for value in values]
