"""The rule for the volume of an export that declares what it covers. It runs before missing records are closed."""

from __future__ import annotations

from rapport.expectations.rules import Rule, rows_rule
from rapport.warehouse.history.vanished_records import SUSPICIOUS


def volume_rules(limit: float) -> list[Rule]:
    """The rule that an export leaves out at most the share `limit` of the known records that it covers. A few missing
    records are always allowed."""
    query = f"SELECT file_id FROM {{batch}} WHERE {SUSPICIOUS.format(limit=limit)}"
    return [rows_rule("an export holds what it covers", query, severity="critical")]
