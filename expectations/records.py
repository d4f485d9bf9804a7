"""The rules of staged records. A row that breaks a rule waits in quarantine."""

from __future__ import annotations

from collections.abc import Mapping

from rapport.expectations import episodes, responses
from rapport.expectations.rules import Rule, promised, rows_rule
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.schema.records import RecordKind


def record_rules(kind: RecordKind, instruments: Mapping[str, Instrument]) -> list[Rule]:
    """All rules for staged rows of this kind."""
    added = {"responses": responses.added, "episodes": episodes.added}.get(kind.name)
    return [
        rows_rule(
            "unreadable",
            "SELECT row_id, unnest(unreadable) AS column_name FROM {batch} WHERE unreadable IS NOT NULL",
        ),
        rows_rule(
            "conflicting_duplicate",
            f"SELECT row_id, '' AS column_name FROM {{batch}} JOIN {kind.name}_repeats USING (row_id) "
            "WHERE is_conflict",
        ),
        *promised((column for column in kind.columns if column.name not in NOT_STATED), "warning"),
        *(added(instruments) if added else []),
    ]


NOT_STATED = ("source", "session_id")  # made by Rapport itself, from values that have rules of their own
