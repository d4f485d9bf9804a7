"""The descriptions in a file: every table and view with its comments, and every questionnaire with its facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

SCHEMAS = ("main", "dashboard", "history", "load")
# The parts of a questionnaire's page: heading, table, and the columns to show.
FACTS = (
    ("Scales", "scales", "scale description items made_of score_is direction score_minimum score_maximum rule"),
    ("Cut-offs and bands", "thresholds", "threshold scale compared cut_off bands population"),
    ("Reliable change", "reliable_changes", "scale population used used_amount used_criterion sample"),
    ("Possible ruptures", "rupture_rules", "rule_code rule_description compares_with sd_times repair_kind"),
)
STATUS = {  # the columns that state a fact's source and status, and whether the fact is in use
    "scales": "fact_status fact_source why_not_scored",
    "thresholds": "fact_status fact_source is_accepted",
    "reliable_changes": "fact_status fact_source computed_status why_not_used",
    "rupture_rules": "fact_status fact_source is_rule_used",
}


@dataclass(frozen=True)
class Described:
    """A table or view, as DuckDB describes it. `formula` is a view's query."""

    schema: str
    name: str
    comment: str
    formula: str | None
    columns: list[tuple[str, str, str]]

    @property
    def full_name(self) -> str:
        return self.name if self.schema == "main" else f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Facts:
    """Rows of facts under a heading."""

    heading: str
    columns: list[str]
    rows: list[tuple[Any, ...]]


def describe(con: duckdb.DuckDBPyConnection) -> list[Described]:
    """Return every table and view, in the order of schema and name."""
    here = f"database_name = current_database() AND schema_name IN {SCHEMAS}"
    columns: dict[tuple[str, str], list[Any]] = {}
    listed = f"SELECT schema_name, table_name, column_name, data_type, comment FROM duckdb_columns() WHERE {here}"
    for schema, table, *column in con.sql(f"{listed} ORDER BY table_oid, column_index").fetchall():
        columns.setdefault((schema, table), []).append(tuple(column))
    found = con.sql(f"""
        SELECT schema_name, table_name AS name, comment, NULL AS formula FROM duckdb_tables() WHERE {here}
        UNION ALL SELECT schema_name, view_name, comment, sql FROM duckdb_views() WHERE {here} AND NOT internal
        ORDER BY schema_name, name""").fetchall()
    return [Described(schema, name, said or "", sql, columns[schema, name]) for schema, name, said, sql in found]


def questionnaires(con: duckdb.DuckDBPyConnection) -> list[tuple[dict[str, object], list[Facts]]]:
    """Return every questionnaire: its own facts, and the facts of its scales, cut-offs and rules."""
    found = con.sql("FROM main.instruments ORDER BY instrument")
    heads = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    tables = [_by_instrument(con, *each) for each in FACTS]
    return [(head, [facts[head["instrument"]] for facts in tables if head["instrument"] in facts]) for head in heads]


def _by_instrument(con: duckdb.DuckDBPyConnection, heading: str, table: str, columns: str) -> dict[str, Facts]:
    names = [*columns.split(), *STATUS[table].split()]
    made: dict[str, Facts] = {}
    for instrument, *row in con.sql(f"SELECT instrument, {', '.join(names)} FROM main.{table}").fetchall():
        made.setdefault(instrument, Facts(heading, names, [])).rows.append(tuple(row))
    return made
