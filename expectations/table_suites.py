"""The rules of the finished tables and of the books. A broken rule stops the night."""

from __future__ import annotations

from rapport.expectations.estimates import estimate_rules
from rapport.expectations.rules import Rule, promised_together, rows_rule, unique
from rapport.expectations.suites import suite_of
from rapport.warehouse.schema.tables import Table


def table_rules(table: Table) -> list[Rule]:
    """All rules of a finished table: of its columns, its key, its estimates and its suite."""
    estimates = estimate_rules(table.column_names)
    return [*promised_together(table.columns), unique(table.key), *estimates, *suite_of(table.name)]


def book_rules(book: str, load_id: int) -> list[Rule]:
    """The rule that a ledger (`files` or `rows`) balances for every file of the load."""
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
