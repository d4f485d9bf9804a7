"""What the suite of staged responses adds to what columns promise: instruments, items and their ranges."""

from __future__ import annotations

from collections.abc import Mapping

from expectations.rules import Rule, expect, rows_rule
from warehouse.instruments import Instrument


def added(instruments: Mapping[str, Instrument]) -> list[Rule]:
    """A known instrument, known items, and answers that the instrument can have. Nothing is clamped."""
    known = expect.ExpectColumnValuesToBeInSet(column="instrument", value_set=sorted(instruments), severity="warning")
    item = "SELECT row_id, 'item' AS column_name FROM {batch} WHERE item_word IS NOT NULL AND instrument <> 'unknown'"
    return [
        Rule("instrument_unknown", "instrument", known),
        rows_rule("item_unknown", item),
        rows_rule("value_out_of_range", _out_of_range(instruments)),
    ]


def _out_of_range(instruments: Mapping[str, Instrument]) -> str:
    """Responses with an answer below or above the item's range, or between its steps; or a given score off range."""
    items = ", ".join(
        f"('{each.name}', {each.minimum}::FLOAT, {each.maximum}::FLOAT, {each.step == 1})"
        for each in instruments.values()
    )
    scales = ", ".join(
        f"('{each.name}', '{scale.name}', {low}, {high})"
        for each in instruments.values()
        for scale in each.scales
        for low, high in [each.range_of(scale)]
    )
    return f"""
        SELECT row_id, 'value' AS column_name FROM {{batch}} AS r
        JOIN (VALUES {items}) AS i(instrument, lowest, highest, whole) USING (instrument)
        WHERE list_min(answers) < lowest OR list_max(answers) > highest
            OR (whole AND answers IS DISTINCT FROM answers::INTEGER[]::FLOAT[])
        UNION
        SELECT row_id, 'value' AS column_name
        FROM (SELECT row_id, instrument, unnest(given_scores) AS given FROM {{batch}}
              WHERE given_scores IS NOT NULL) AS g
        JOIN (VALUES {scales}) AS s(instrument, scale, lowest, highest)
            ON s.instrument = g.instrument AND s.scale = given.scale
        WHERE given.score NOT BETWEEN lowest AND highest"""
