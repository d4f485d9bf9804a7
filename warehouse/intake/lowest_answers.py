"""Questionnaires whose answers never hold the lowest value: an export may count from 1 where it should count from 0.

One small file does not show it, so everything that a source ever brought is counted.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import duckdb

from rapport.warehouse.store.one_row import one_row

ENOUGH_RESPONSES = 5
ENOUGH_ANSWERS = 25  # also in fewer responses to a long questionnaire


class NeverLowest(NamedTuple):
    """A questionnaire of a source, and the number of its responses."""

    source: str
    instrument: str
    response_count: int


def never_lowest(con: duckdb.DuckDBPyConnection, judged: Collection[tuple[str, str, float]]) -> list[NeverLowest]:
    """Return those of `judged` (source, instrument, lowest value) whose answers are whole numbers above the lowest.

    An answer between two whole numbers was measured on a line: there the lowest value is rare. Only sources with
    responses tonight are judged. Tonight's rows are staged and checked.
    """
    found = []
    for source, instrument, lowest in judged:
        tonight = _counted(con, "staged.responses", "disposition = 'loaded'", source, instrument, lowest)
        if not tonight.response_count or tonight.is_ruled_out:
            continue
        before = _counted(con, "history.responses", _NOT_TONIGHT, source, instrument, lowest)
        responses = tonight.response_count + before.response_count
        is_enough = responses >= ENOUGH_RESPONSES or tonight.answer_count + before.answer_count >= ENOUGH_ANSWERS
        if is_enough and not before.is_ruled_out:
            found.append(NeverLowest(source, instrument, responses))
    return found


class _Counted(NamedTuple):
    response_count: int
    answer_count: int
    is_ruled_out: bool  # an answer is the lowest value, or no whole number


_NOT_TONIGHT = """known_to IS NULL AND response_id NOT IN (
    SELECT response_id FROM staged.responses WHERE source = $source AND response_id IS NOT NULL)"""


def _counted(
    con: duckdb.DuckDBPyConnection, table: str, condition: str, source: str, instrument: str, lowest: float
) -> _Counted:
    counts = one_row(
        con,
        f"""
        SELECT count(DISTINCT response_id), coalesce(sum(list_count(answers)), 0)::BIGINT,
            coalesce(bool_or(list_min(answers) <= $lowest OR len(list_filter(answers, a -> a <> floor(a))) > 0), false)
        FROM {table}
        WHERE source = $source AND instrument = $instrument AND list_count(answers) > 0 AND {condition}""",
        {"source": source, "instrument": instrument, "lowest": lowest},
    )
    return _Counted(*counts)
