"""Run a suite, and tell passed, failed and did_not_run apart.

A crash inside Great Expectations looks like bad data (success False, an empty result): a result without counts, or
with an exception, did not run.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from rapport.expectations.gx_on_duckdb import Batch, ExpectationValidationResult, OpenDuckDB, gx
from rapport.expectations.rules import Rule

COUNTS = {"result_format": "BASIC", "exclude_unexpected_values": True, "partial_unexpected_count": 0}
ROWS = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": ["row_id"],
    "exclude_unexpected_values": True,
}


@dataclass(frozen=True)
class Outcome:
    """What came of one rule: passed, failed or did_not_run; and for rows to hold, the query that lists them."""

    suite: str
    rule: Rule
    outcome: str
    checked_count: int | None = None
    unexpected_count: int | None = None
    rows_query: str = ""


def check(source: OpenDuckDB, suite: str, relation: str, rules: list[Rule], *, hold_rows: bool) -> list[Outcome]:
    """Run rules over a relation of the source. With `hold_rows`, outcomes of failed warnings carry their query."""
    batch = _batch(source, relation)
    results = _validate(
        batch, suite, [rule.over(relation) if rule.query else rule.expectation for rule in rules], COUNTS
    )
    outcomes = [_outcome(suite, rule, result) for rule, result in zip(rules, results, strict=True)]
    return [_with_rows(batch, each, relation) if hold_rows else each for each in outcomes]


def check_together(source: OpenDuckDB, asked: list[tuple[str, str, Rule]]) -> list[Outcome]:
    """Run rules, each with its suite and over its own relation, as one: Great Expectations' own work on a suite of its
    own for each table would cost more than all the queries."""
    batch = _batch(source, asked[0][1])
    results = _validate(batch, "together", [rule.over(relation) for _, relation, rule in asked], COUNTS)
    return [_outcome(suite, rule, result) for (suite, _, rule), result in zip(asked, results, strict=True)]


def _batch(source: OpenDuckDB, relation: str) -> Batch:
    asset = source.add_table_asset(name=relation, table_name=relation)
    return asset.add_batch_definition_whole_table("all").get_batch()


def _validate(
    batch: Batch, name: str, asked: list[gx.expectations.Expectation], result_format: dict[str, Any]
) -> list[ExpectationValidationResult | None]:
    """Results in the order of the expectations, whatever order GX reports them in."""
    numbered = [each.copy(update={"meta": {"place": place}}) for place, each in enumerate(asked)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy does not know DuckDB's lists
        found = batch.validate(gx.ExpectationSuite(name=name, expectations=numbered), result_format=result_format)
    configured = [(result.expectation_config, result) for result in found.results]
    by_place = {asked.meta["place"]: result for asked, result in configured if asked and asked.meta}
    return [by_place.get(place) for place in range(len(asked))]


def _outcome(suite: str, rule: Rule, result: ExpectationValidationResult | None) -> Outcome:
    if result is None or _raised(result.exception_info):
        return Outcome(suite, rule, "did_not_run")
    facts = result.result
    unexpected = facts.get("observed_value") if rule.query else facts.get("unexpected_count")
    if facts.get("element_count") == 0 and result.success:
        unexpected = 0
    if unexpected is None:
        return Outcome(suite, rule, "did_not_run")
    return Outcome(suite, rule, "passed" if result.success else "failed", facts.get("element_count"), int(unexpected))


def _raised(info: object) -> bool:
    if not isinstance(info, dict):
        return False
    return bool(info.get("raised_exception")) or any(_raised(part) for part in info.values())


def _with_rows(batch: Batch, outcome: Outcome, relation: str) -> Outcome:
    if outcome.outcome != "failed" or outcome.rule.severity != "warning":
        return outcome
    query = outcome.rule.query.replace("{batch}", relation)
    if not query:
        (result,) = _validate(batch, outcome.suite, [outcome.rule.expectation], ROWS)
        if result is None or _raised(result.exception_info):
            return Outcome(outcome.suite, outcome.rule, "did_not_run")
        listed = result.result["unexpected_index_query"].rstrip().rstrip(";")
        query = f"SELECT row_id, '{outcome.rule.column}' AS column_name FROM ({listed})"
    return Outcome(outcome.suite, outcome.rule, outcome.outcome, outcome.checked_count, outcome.unexpected_count, query)
