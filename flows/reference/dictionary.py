"""Writes DICTIONARY.md from the declared tables and questions: `rapport dictionary`. A test compares them."""

from __future__ import annotations

import argparse
from pathlib import Path

from rapport import transforms
from rapport.dashboards.questions import Question, load_questions
from rapport.warehouse.history.risk_answers import RISK_ANSWERS
from rapport.warehouse.published.views_and_comments import LOAD_VIEWS, VIEWS
from rapport.warehouse.schema.books import BOOKS
from rapport.warehouse.schema.columns import Column
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.schema.relations import Relation
from rapport.warehouse.store.building_file import history_columns
from rapport.warehouse.toml_files import refusing

PAGE = Path(__file__).resolve().parents[2] / "DICTIONARY.md"
INTRODUCTION = """# Data dictionary

Written by `rapport dictionary` from the same facts that make the schema, the expectations and DuckDB's own
comments (`SELECT table_name, column_name, comment FROM duckdb_columns()`). Times whose names end in `_at` are UTC;
`_local` is the wall clock of the source's zone; `_share` is 0 to 1. People are pseudonyms: pseudonymous, not anonymous.
"""


def page() -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION, "## main: what it means\n"]
    parts += [_entry(each.name, f"{each.description} Key: {', '.join(each.key)}.", each.columns) for each in _tables()]
    parts += [_entry(f"{view.name} (view)", view.description, view.columns) for view in VIEWS]
    parts += ["## dashboard: what is asked\n"]
    with refusing("question", ""):
        parts += [_question(each) for each in load_questions().values()]
    parts += ["## history: what is known, every version\n"]
    parts += [_entry(f"history.{kind.name}", kind.description, history_columns(kind)) for kind in KINDS.values()]
    parts += ["## load: the books\n"]
    parts += [_entry(f"load.{book.name}", book.description, book.columns) for book in BOOKS.values()]
    parts += [_entry(f"load.{view.name} (view)", view.description, view.columns) for view in LOAD_VIEWS]
    return "\n".join(parts)


def _tables() -> list[Relation]:
    return sorted([*transforms.tables(), RISK_ANSWERS], key=lambda table: table.name)


def _entry(name: str, description: str, columns: tuple[Column, ...]) -> str:
    rows = "\n".join(f"| {column.name} | {column.sql_type} | {column.comment} |" for column in columns)
    return f"### {name}\n\n{description}\n\n| column | type | meaning |\n|---|---|---|\n{rows}\n"


def _question(question: Question) -> str:
    rows = "\n".join(f"| {column} | {meaning} |" for column, meaning in question.columns.items())
    return f"### dashboard.{question.name}\n\n{question.comment}\n\n| column | meaning |\n|---|---|\n{rows}\n"


def main(argv: list[str] | None = None) -> int:
    """Write the page into the checkout."""
    argparse.ArgumentParser(prog="rapport dictionary", description="Write DICTIONARY.md.").parse_args(argv)
    PAGE.write_text(page(), encoding="utf-8")
    return 0
