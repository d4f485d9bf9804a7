"""Suites of the finished tables and of the books: anything broken here stops the night."""

from __future__ import annotations

from expectations.clinic_tables import CLINIC_TABLES
from expectations.rules import Rule, promised, rows_rule, unique
from warehouse.tables import Table


def table_rules(table: Table) -> list[Rule]:
    """What a finished table's columns promise, its key, and what its own suite adds."""
    added = {**CLINIC_TABLES, **_ADDED}.get(table.name, [])
    return [*promised(table.columns, "critical"), unique(table.key), *added]


def book_rules(book: str, load_id: int) -> list[Rule]:
    """Both ledgers balance, for every file of the load."""
    parts, whole = {
        "files": (
            "header_count + blank_or_footer_count + ignored_count + duplicate_count + unchanged_count "
            "+ quarantined_count + loaded_count",
            "record_count",
        ),
        "rows": ("duplicate_count + unchanged_count + quarantined_count + loaded_count", "row_count"),
    }[book]
    broken = f"{whole} IS DISTINCT FROM {parts}" + (" OR ignored_count < 0" if book == "files" else "")
    query = f"SELECT file_id FROM {{batch}} WHERE load_id = {load_id} AND ({broken})"
    return [rows_rule(f"{whole} is where its records went", query, severity="critical")]


_ADDED = {
    "sessions": [
        rows_rule(
            "session numbers count from 1 without a gap",
            "SELECT episode_id FROM {batch} WHERE session_number IS NOT NULL GROUP BY episode_id "
            "HAVING max(session_number) <> count(*) OR min(session_number) <> 1",
            severity="critical",
        ),
        rows_rule(
            "a session ends after it starts",
            "SELECT session_id FROM {batch} WHERE ends_at <= starts_at",
            severity="critical",
        ),
    ],
    "scores": [
        rows_rule(
            "a score by complete_only has every item answered",
            "SELECT response_id FROM {batch} WHERE rule = 'complete_only' AND score IS NOT NULL "
            "AND answered_count < item_count",
            severity="critical",
        ),
        rows_rule(
            "a score from fewer answers than items says that it is prorated",
            "SELECT response_id FROM {batch} WHERE basis = 'computed' AND score IS NOT NULL "
            "AND (answered_count = 0 OR is_prorated IS DISTINCT FROM (answered_count < item_count))",
            severity="critical",
        ),
    ],
    "responses": [
        rows_rule(
            "of one rater's responses to an instrument in a session one is used",
            "SELECT session_id FROM {batch} WHERE session_id IS NOT NULL "
            "GROUP BY session_id, instrument, rater HAVING count(*) FILTER (is_used) <> 1",
            severity="critical",
        ),
    ],
}
