"""The rules of staged responses, beside those of their columns: instruments, items and their ranges."""

from __future__ import annotations

from collections.abc import Mapping

from rapport.expectations.gx_on_duckdb import FailureSeverity
from rapport.expectations.rules import Rule, expect, rows_rule
from rapport.warehouse.instruments import Instrument
from rapport.warehouse.instruments.versions import NO_VERSION
from rapport.warehouse.store.quoting import quoted


def added(instruments: Mapping[str, Instrument]) -> list[Rule]:
    """The rules: a known instrument, known items, and answers that the instrument can have. No answer is clamped."""
    known = expect.ExpectColumnValuesToBeInSet(
        column="instrument", value_set=[*sorted(instruments), NO_VERSION], severity=FailureSeverity.WARNING
    )
    no_version = f"SELECT row_id, 'instrument' AS column_name FROM {{batch}} WHERE instrument = '{NO_VERSION}'"
    item = "SELECT row_id, 'item' AS column_name FROM {batch} WHERE item_word IS NOT NULL AND "
    item += f"instrument NOT IN ('unknown', '{NO_VERSION}')"
    return [
        Rule("instrument_unknown", "instrument", known),
        rows_rule("instrument_version_missing", no_version),
        rows_rule("item_unknown", item),
        rows_rule("value_out_of_range", _out_of_range(instruments)),
    ]


def _out_of_range(instruments: Mapping[str, Instrument]) -> str:
    """A query for responses with an answer outside the item's range or between its steps, or with a given score
    outside the scale's range."""
    return f"""
        SELECT row_id, 'value' AS column_name FROM {{batch}} AS r
        JOIN (VALUES {_usual_ranges(instruments)}) AS i(instrument, lowest, highest, whole, never) USING (instrument)
        WHERE list_min(answers) < lowest OR list_max(answers) > highest
            OR (len(never) > 0 AND list_has_any(answers, never))
            OR (whole AND answers IS DISTINCT FROM TRY_CAST(answers AS INTEGER[])::FLOAT[])
        UNION
        SELECT row_id, 'value' AS column_name FROM {{batch}} AS r
        JOIN (VALUES {_own_ranges(instruments)}) AS i(instrument, item, lowest, highest) USING (instrument)
        WHERE answers[item] NOT BETWEEN lowest AND highest
        UNION
        SELECT row_id, 'value' AS column_name
        FROM (SELECT row_id, instrument, unnest(given_scores) AS given
              FROM {{batch}} WHERE given_scores IS NOT NULL) AS g
        JOIN (VALUES {_score_ranges(instruments)}) AS s(instrument, scale, lowest, highest)
            ON s.instrument = g.instrument AND s.scale = given.scale
        WHERE given.score NOT BETWEEN lowest AND highest"""


def _usual_ranges(instruments: Mapping[str, Instrument]) -> str:
    """The range of all items of each instrument together. Items with a range of their own may widen it: they are also
    checked one by one."""
    rows = []
    for each in (each for each in instruments.values() if each.item_count):
        ranges = [each.range_of_item(number) for number in range(1, each.item_count + 1)]
        low, high = min(one.minimum for one in ranges), max(one.maximum for one in ranges)
        whole = all(one.step == 1 for one in ranges)
        rows.append(f"({_sql(each.name)}, {low}::FLOAT, {high}::FLOAT, {whole}, {list(each.never)}::FLOAT[])")
    return ", ".join(rows) or "(NULL, NULL::FLOAT, NULL::FLOAT, NULL::BOOLEAN, NULL::FLOAT[])"


def _own_ranges(instruments: Mapping[str, Instrument]) -> str:
    """The range of every item, for instruments whose items have different ranges."""
    items = [
        (each.name, number, each.range_of_item(number))
        for each in instruments.values()
        if each.other_ranges
        for number in range(1, each.item_count + 1)
    ]
    rows = [f"({_sql(name)}, {number}, {own.minimum}::FLOAT, {own.maximum}::FLOAT)" for name, number, own in items]
    return ", ".join(rows) or "(NULL, NULL::INTEGER, NULL::FLOAT, NULL::FLOAT)"


def _score_ranges(instruments: Mapping[str, Instrument]) -> str:
    """The lowest and highest possible score of each scale; null, and so not checked, for a scale without a key."""
    scales = [(each.name, scale.name, *each.range_of(scale)) for each in instruments.values() for scale in each.scales]
    rows = [
        f"({_sql(name)}, {_sql(scale)}, {_sql(low)}::DOUBLE, {_sql(high)}::DOUBLE)" for name, scale, low, high in scales
    ]
    return ", ".join(rows) or "(NULL, NULL, NULL::DOUBLE, NULL::DOUBLE)"


def _sql(value: str | float | None) -> str:
    """A value as an SQL literal, without braces: Great Expectations reads braces in a query as placeholders."""
    if isinstance(value, str):
        return quoted(value).replace("{", "'||chr(123)||'").replace("}", "'||chr(125)||'")
    return "NULL" if value is None else str(value)
