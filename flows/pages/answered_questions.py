"""An answered question: its rows and answers in a published file, computed once for all pages."""

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
class AnsweredQuestion:
    """A question's rows, and its answer for each page. `rows` is None when the question failed. `answers`: by the
    values of the question's filters. `is_hidden`: there are rows, but none may be shown."""

    question: Question
    rows: pl.DataFrame | None = None
    answers: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    is_hidden: bool = False

    @cached_property
    def mark(self) -> str:
        """A fingerprint of everything from which its places on pages are made."""
        rows = None if self.rows is None else (self.rows.schema, self.rows.rows())
        code = code_of(AnsweredQuestion.finding_at, KINDS[str(self.question.chart["kind"])])
        return mark_of(self.question, rows, sorted(self.answers.items()), self.is_hidden, code.mark)

    def finding_at(self, place: Mapping[str, str], drawings: MutableMapping[str, str]) -> Finding:
        """The question's place on the page of one site or program, or of the clinic. `kept`: the earlier drawings. An
        error here breaks only this place."""
        if self.rows is None:
            return failed(self.question)
        wanted = {name: place.get(name, ALL) for name in self.question.filters}
        try:
            rows = self.rows.filter(*(pl.col(name) == value for name, value in wanted.items()))
            if rows.is_empty() and (self.is_hidden or not self.rows.is_empty()):
                return hidden(self.question)
            return finding(self.question, rows, self.answers.get(tuple(wanted.values())), drawings)
        except Exception:
            return failed(self.question)

    def values(self, name: str) -> set[str]:
        """The sites, or programs, in its rows, without 'All'."""
        if self.rows is None or name not in self.question.filters:
            return set()
        return set(self.rows[name].drop_nulls()) - {ALL}


def answer_question(con: duckdb.DuckDBPyConnection, question: Question, *, is_hidden: bool = False) -> AnsweredQuestion:
    """Run a question on a file. A question that fails has no rows."""
    relation = f"dashboard.{question.name}"
    try:
        answers = page_answers.answers_by_filter(con, relation, question.answer, question.filters)
        return AnsweredQuestion(question, page_answers.question_rows(con, relation), answers, is_hidden)
    except Exception:
        return AnsweredQuestion(question)


def answer_shared_questions(con: duckdb.DuckDBPyConnection, questions: Iterable[Question]) -> list[AnsweredQuestion]:
    """Run the shared questions on the safe file, except those that the clinic has not turned on."""
    outcomes = page_answers.question_outcomes(con)
    shared = [each for each in questions if each.audience == "shared" and outcomes.get(each.name) != "off"]
    return [answer_question(con, each, is_hidden=outcomes.get(each.name) == "hidden") for each in shared]
