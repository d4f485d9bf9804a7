"""What is expected of the volume of an export that says what it covers, before anything is closed by it."""

from __future__ import annotations

from rapport.expectations.rules import Rule, rows_rule
from rapport.warehouse.history.vanished_records import SUSPICIOUS


def volume_rules(limit: float) -> list[Rule]:
    """An export leaves out no more than the clinic's share of what it covers; a handful may always vanish."""
    query = f"SELECT file_id FROM {{batch}} WHERE {SUSPICIOUS.format(limit=limit)}"
    return [rows_rule("an export holds what it covers", query, severity="critical")]
