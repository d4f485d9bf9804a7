"""The rules of staged records. A row that breaks a rule waits in quarantine."""

from __future__ import annotations

from collections.abc import Mapping

from rapport.expectations import episodes, responses
from rapport.expectations.rules import Rule, promised, rows_rule
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.schema.records import HELD_BY_READERS, RULE_END, RecordKind

_NAMED = (
    "SELECT row_id, named AS column_name FROM "
    "(SELECT row_id, unnest(unreadable) AS named FROM {batch} WHERE unreadable IS NOT NULL)"
)


def record_rules(kind: RecordKind, instruments: Mapping[str, Instrument]) -> list[Rule]:
    """All rules for staged rows of this kind."""
    added = {"responses": responses.added, "episodes": episodes.added}.get(kind.name)
    return [
        rows_rule("unreadable", f"{_NAMED} WHERE NOT contains(named, chr({ord(RULE_END)}))"),
        *(rows_rule(rule, _held_by(rule)) for rule in HELD_BY_READERS),
        rows_rule(
            "conflicting_duplicate",
            f"SELECT row_id, '' AS column_name FROM {{batch}} JOIN {kind.name}_repeats USING (row_id) "
            "WHERE is_conflict",
        ),
        *promised((column for column in kind.columns if column.name not in NOT_STATED), "warning"),
        *(added(instruments) if added else []),
    ]


def _held_by(rule: str) -> str:
    column = f"split_part(named, chr({ord(RULE_END)}), 2) AS column_name"
    return (
        f"{_NAMED.replace('named AS column_name', column)} WHERE starts_with(named, '{rule}' || chr({ord(RULE_END)}))"
    )


NOT_STATED = ("source", "session_id")  # made by Rapport itself, from values that have rules of their own
