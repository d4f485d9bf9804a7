"""The dictionary's pages: one per table, metric and questionnaire, from DuckDB's own catalogue."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from rapport.dashboards.charts.values import decimals, shown
from rapport.dashboards.pages import is_made_from, mark_of, render
from rapport.warehouse.code_marks import code_of
from rapport.warehouse.published.described import Described, Facts, describe, questionnaires

if TYPE_CHECKING:
    import duckdb

SECTIONS = {"dashboard": "Metrics: what is asked", "main": "Tables: what it means"}
SECTIONS |= {"history": "History: every version", "load": "The books"}
_CLAUSE = re.compile(r" ((?:INNER |LEFT |CROSS )?JOIN|FROM|WHERE|GROUP BY|HAVING|ORDER BY|UNION ALL)\b")
_READ = re.compile(r"\b(?:FROM|JOIN) \(*([\w.]+)")


def dictionary_pages(con: duckdb.DuckDBPyConnection, before: Mapping[str, str]) -> dict[str, str]:
    """Each page's HTML by its file name. `before`: the present pages, which are returned where nothing has changed."""
    relations = {each.full_name: each for each in describe(con)}
    instruments = questionnaires(con)
    mark = mark_of(relations, instruments, code_of(dictionary_pages).mark)
    names = {"index.html", *(f"{name}.html" for name in relations), *(_page_of(head) for head, _ in instruments)}
    if before.keys() == names and is_made_from(before["index.html"], mark):
        return dict(before)
    reads = {name: _reads(each, relations) for name, each in relations.items()}
    return {
        "index.html": _index(list(relations.values()), [head for head, _ in instruments], mark),
        **{f"{name}.html": _relation(each, reads) for name, each in relations.items()},
        **{_page_of(head): _instrument(head, facts) for head, facts in instruments},
    }


def _page_of(head: Mapping[str, object]) -> str:
    return f"instrument.{head['instrument']}.html"


def _index(relations: Sequence[Described], instruments: Sequence[Mapping[str, object]], mark: str) -> str:
    sections = [
        (heading, [(each.full_name, f"{each.full_name}.html") for each in relations if each.schema == schema])
        for schema, heading in SECTIONS.items()
    ]
    titled = [(f"{head['title']} ({head['instrument']})", _page_of(head)) for head in instruments]
    sections.append(("Questionnaires", titled))
    return render("index.html", title="Dictionary", kicker="Rapport", sections=sections, mark=mark)


def _relation(each: Described, reads: Mapping[str, set[str]]) -> str:
    """The page of a table or of a metric, whose formula is the view's query."""
    facts = {"columns": each.columns, "comment": each.comment, "reads": sorted(reads[each.full_name])}
    asked_by = sorted(name for name, read in reads.items() if each.full_name in read)
    formula = _laid_out(each.formula) if each.formula else ""
    return render(
        "relation.html", title=each.full_name, kicker="Dictionary", formula=formula, asked_by=asked_by, **facts
    )


def _reads(each: Described, names: Collection[str]) -> set[str]:
    """The tables and views that a view's query reads."""
    found = _READ.findall((each.formula or "").replace('"', ""))
    return {name.removeprefix("main.") for name in found} & set(names) - {each.full_name}


def _laid_out(query: str) -> str:
    """A stored query with one line per clause."""
    bare = query.partition(" AS ")[2].rstrip(";").replace('"', "")
    return _CLAUSE.sub(r"\n\1", bare)


def _instrument(head: Mapping[str, object], facts: Sequence[Facts]) -> str:
    own = [
        (name.replace("_", " "), _text(value)) for name, value in head.items() if name != "title" and value is not None
    ]
    tables = [
        (
            each.heading,
            [name.replace("_", " ") for name in each.columns],
            [[_text(value) for value in row] for row in each.rows],
        )
        for each in map(_without_empty, facts)
    ]
    return render("instrument.html", title=str(head["title"]), kicker="Dictionary", own=own, tables=tables)


def _without_empty(facts: Facts) -> Facts:
    kept = [place for place in range(len(facts.columns)) if any(row[place] is not None for row in facts.rows)]
    rows = [tuple(row[place] for place in kept) for row in facts.rows]
    return Facts(facts.heading, [facts.columns[place] for place in kept], rows)


def _text(value: object) -> str:
    return "" if value is None else shown(value, decimals([value]))
