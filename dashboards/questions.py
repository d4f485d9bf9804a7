"""Questions: the front matter of each .sql file here, and its query. The file's stem is the view `dashboard.<stem>`.

The front matter is TOML in the file's first comment:

title, question  the short name; the heading, which ends in "?"
note, alt        method, limits and exclusions; the picture in words
answer           an SQL aggregate over the rows of a page: the finding in one sentence; null where a number that it
                 needs is hidden or missing
group, order     the heading of the index, and the place under it
audience         shared (readers of the safe file: the pages of clinic, sites and programs), operations (its page), or
                 analysts (a view on no page)
filters          key columns by which a page selects rows; each has the value 'All'; a row has at most one other value
chart            { kind, and its columns; x_title, y_title, unit, thresholds }
[columns]        every column of the view, with its meaning
[derived]        columns computed by SQL expressions from other columns of the row; in the safe file, after hiding
[disclosure]     needed for a shared question, and only allowed there: see disclosures.py

The query of a shared question takes days before closed_to, of load.closed: closed months (attendance_by_month.sql).
Where it cannot, its note says "As of the night that made it."
Of bars, one of x and y names the bars and the other has numbers; where both are numbers, x is the value.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rapport.dashboards.disclosures import read_disclosure
from rapport.warehouse.schema.questions import Disclosure

AUDIENCES = ("shared", "analysts", "operations")
# Per kind of chart: the columns that it needs, and the columns that it may have.
CHARTS = {
    "line": ({"x", "y"}, {"low", "high", "series", "panel"}),
    "survival": ({"x", "y", "at_risk"}, {"low", "high", "series"}),
    "funnel": ({"x", "y", "target", "low_95", "high_95", "low_998", "high_998"}, {"series", "panel"}),
    "heatmap": ({"x", "y", "value"}, {"panel"}),
    "bars": ({"x", "y"}, {"low", "high", "series", "panel"}),
    "slope": ({"x", "y", "series"}, {"panel"}),
}
CHART_TEXTS = {"kind", "x_title", "y_title", "unit", "thresholds"}
_NEEDED = {"title", "question", "answer", "order", "group", "audience", "chart", "alt", "note", "columns"}
_OPTIONAL = {"filters", "derived", "disclosure"}
_FRONT_MATTER = re.compile(r"\A/\*(.*?)\*/", re.DOTALL)


@dataclass(frozen=True)
class Question:
    """One question. `query` returns the columns without the derived ones; `view_query` is the view's query."""

    name: str
    title: str
    question: str
    answer: str
    group: str
    order: int
    audience: str
    chart: Mapping[str, object]
    alt: str
    note: str
    columns: Mapping[str, str]
    query: str
    filters: tuple[str, ...] = ()
    derived: Mapping[str, str] = field(default_factory=dict)
    disclosure: Disclosure | None = None

    @property
    def view_query(self) -> str:
        return with_derived(f"({self.query})", self.derived)

    @property
    def comment(self) -> str:
        """The comment on the view in DuckDB."""
        return f"{self.question} {self.note}"


def with_derived(rows: str, derived: Mapping[str, str]) -> str:
    """A query that adds the derived columns to rows. `rows`: a table or a query in brackets."""
    return f"SELECT {', '.join(['*', *(f'{sql} AS {name}' for name, sql in derived.items())])} FROM {rows}"


def load_questions(folder: Path = Path(__file__).parent) -> dict[str, Question]:
    """Every question by its name, in the order of the index. Raises ValueError that names the file and the key."""
    questions = [read_question(path) for path in sorted(folder.glob("*.sql"))]
    return {each.name: each for each in sorted(questions, key=lambda each: (each.order, each.name))}


def read_question(path: Path) -> Question:
    """One question. Raises ValueError, which names the file and the wrong key of its front matter.

    >>> asked = read_question(Path(__file__).parent / "gaps.sql")
    >>> asked.name, asked.audience, asked.chart["kind"]
    ('gaps', 'shared', 'bars')
    """
    sql = path.read_text(encoding="utf-8")
    front = _FRONT_MATTER.match(sql)
    try:
        facts = tomllib.loads(front[1]) if front else {}
        _check(facts)
        disclosure = read_disclosure(facts["disclosure"]) if "disclosure" in facts else None
        if disclosure:
            disclosure.check(set(facts["columns"]) - set(facts.get("derived", {})), facts.get("filters", []))
    except ValueError as error:  # tomllib's error is a ValueError too
        raise ValueError(f"{path.name}: {error}") from None
    facts["filters"] = tuple(facts.get("filters", ()))
    query = sql[front.end() if front else 0 :].strip().rstrip(";")
    return Question(**facts | {"name": path.stem, "query": query, "disclosure": disclosure})


def _check(facts: Mapping[str, Any]) -> None:
    if wrong := (_NEEDED - facts.keys()) | (facts.keys() - _NEEDED - _OPTIONAL):
        known = ", ".join(sorted(_NEEDED))
        raise ValueError(
            f"its first comment must have exactly the keys {known} (and may have filters, derived, "
            f"disclosure); it lacks or may not have {', '.join(sorted(wrong))}"
        )
    if not isinstance(facts["order"], int):
        raise ValueError("order is not a whole number")
    if facts["audience"] not in AUDIENCES:
        raise ValueError(f"audience = '{facts['audience']}' is not one of {', '.join(AUDIENCES)}")
    if (facts["audience"] == "shared") != ("disclosure" in facts):
        raise ValueError("a shared question, and only a shared one, must have the section [disclosure]")
    for key in ("filters", "derived"):
        if strange := set(facts.get(key, ())) - facts["columns"].keys():
            raise ValueError(f"{key} names {', '.join(sorted(strange))}, which [columns] does not describe")
    _check_chart(facts["chart"], facts["columns"])


def _check_chart(chart: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
    kind = chart.get("kind")
    if kind not in CHARTS:
        raise ValueError(f"chart kind '{kind}' is not one of {', '.join(CHARTS)}")
    needed, optional = CHARTS[kind]
    if missing := needed - chart.keys():
        raise ValueError(f"a {kind} chart needs {', '.join(sorted(missing))}")
    if unknown := chart.keys() - needed - optional - CHART_TEXTS:
        raise ValueError(f"a {kind} chart has no {', '.join(sorted(unknown))}")
    for part in (needed | optional) & chart.keys():
        if chart[part] not in columns:
            raise ValueError(f"the chart's {part} is '{chart[part]}', which [columns] does not describe")
