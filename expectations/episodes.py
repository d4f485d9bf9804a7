"""The rules of staged episodes, beside those of their columns."""

from __future__ import annotations

from collections.abc import Mapping

from rapport.expectations.rules import Rule, rows_rule
from rapport.warehouse.instruments import Instrument


def added(_: Mapping[str, Instrument]) -> list[Rule]:
    """The rule that an episode does not close before it opened."""
    query = "SELECT row_id, 'closed_on' AS column_name FROM {batch} WHERE closed_on < opened_on"
    return [rows_rule("closed_on_before_opened_on", query)]
