"""A question asked of a published file, once for all pages: its rows, and its answer for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from dashboards.findings import Finding, failed, finding
from dashboards.questions import ALL, Question
from warehouse import asking

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Asked:
    """A question's rows and answers for every page; no rows when it failed."""

    question: Question
    rows: pl.DataFrame | None = None
    answers: Mapping[tuple, str] = field(default_factory=dict)

    def on(self, place: Mapping[str, str]) -> Finding:
        """What it says on the page of one site or program, or of all. What breaks here breaks nothing else."""
        wanted = {name: place.get(name, ALL) for name in self.question.filters}
        try:
            rows = self.rows.filter(*(pl.col(name) == value for name, value in wanted.items()))
            return finding(self.question, rows, self.answers.get(tuple(wanted.values())))
        except Exception:
            return failed(self.question)

    def values(self, name: str) -> set[str]:
        """The sites, or programs, that it tells of."""
        is_told = self.rows is not None and name in self.question.filters
        return set(self.rows[name].drop_nulls()) - {ALL} if is_told else set()


def ask(con: duckdb.DuckDBPyConnection, schema: str, question: Question) -> Asked:
    """Ask it. A question that cannot be asked has no rows."""
    relation = f"{schema}.{question.name}"
    try:
        answers = asking.answers(con, relation, question.answer, question.filters)
        return Asked(question, asking.ask(con, relation), answers)
    except Exception:
        return Asked(question)
