"""A question asked of a published file, once for all pages: its rows, and its answer for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from rapport.dashboards.charts import KINDS
from rapport.dashboards.findings import Finding, failed, finding, hidden
from rapport.dashboards.pages import mark_of
from rapport.dashboards.questions import Question
from rapport.warehouse.code_marks import code_of
from rapport.warehouse.published import page_answers
from rapport.warehouse.schema.questions import ALL

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Asked:
    """A question's rows and answers for every page; no rows when it failed. `is_hidden`: there are rows, but none that
    may be shown."""

    question: Question
    rows: pl.DataFrame | None = None
    answers: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    is_hidden: bool = False

    @cached_property
    def mark(self) -> str:
        """All that its places on pages are made from."""
        rows = None if self.rows is None else (self.rows.schema, self.rows.rows())
        code = code_of(Asked.on, KINDS[str(self.question.chart["kind"])])
        return mark_of(self.question, rows, sorted(self.answers.items()), self.is_hidden, code.mark)

    def on(self, place: Mapping[str, str], kept: MutableMapping[str, str]) -> Finding:
        """What it says on the page of one site or program, or of all; `kept` are the drawings there are. What breaks
        here breaks nothing else."""
        if self.rows is None:
            return failed(self.question)
        wanted = {name: place.get(name, ALL) for name in self.question.filters}
        try:
            rows = self.rows.filter(*(pl.col(name) == value for name, value in wanted.items()))
            if rows.is_empty() and (self.is_hidden or not self.rows.is_empty()):
                return hidden(self.question)
            return finding(self.question, rows, self.answers.get(tuple(wanted.values())), kept)
        except Exception:
            return failed(self.question)

    def values(self, name: str) -> set[str]:
        """The sites, or programs, that it tells of."""
        if self.rows is None or name not in self.question.filters:
            return set()
        return set(self.rows[name].drop_nulls()) - {ALL}


def ask(con: duckdb.DuckDBPyConnection, question: Question, *, is_hidden: bool = False) -> Asked:
    """Ask it of a file. A question that cannot be asked has no rows."""
    relation = f"dashboard.{question.name}"
    try:
        answers = page_answers.answers(con, relation, question.answer, question.filters)
        return Asked(question, page_answers.ask(con, relation), answers, is_hidden)
    except Exception:
        return Asked(question)


def ask_safely(con: duckdb.DuckDBPyConnection, questions: Iterable[Question]) -> list[Asked]:
    """Ask shared questions of the safe file, but for those that the clinic has not turned on."""
    outcomes = page_answers.outcomes(con)
    told = [each for each in questions if each.audience == "shared" and outcomes.get(each.name) != "off"]
    return [ask(con, each, is_hidden=outcomes.get(each.name) == "hidden") for each in told]
