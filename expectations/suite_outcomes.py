"""Run a suite. The outcome of each rule is passed, failed or did_not_run.

A crash inside Great Expectations looks like bad data: success is False, and the result is empty. So a result without
counts, or with an exception, is did_not_run.
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
    """The outcome of one rule: passed, failed or did_not_run. `rows_query` returns the rows to hold back."""

    suite: str
    rule: Rule
    outcome: str
    checked_count: int | None = None
    unexpected_count: int | None = None
    rows_query: str = ""


def check(source: OpenDuckDB, suite: str, relation: str, rules: list[Rule], *, hold_rows: bool) -> list[Outcome]:
    """Run rules over a relation of the source. With `hold_rows`, the outcome of a failed warning has its rows_query."""
    batch = _batch(source, relation)
    results = _validate(
        batch, suite, [rule.over(relation) if rule.query else rule.expectation for rule in rules], COUNTS
    )
    outcomes = [_outcome(suite, rule, result) for rule, result in zip(rules, results, strict=True)]
    return [_with_rows(batch, each, relation) if hold_rows else each for each in outcomes]


def check_together(source: OpenDuckDB, checks: list[tuple[str, str, Rule]]) -> list[Outcome]:
    """Run rules of several suites, each over its own relation, in one run. With a run per suite, the work of Great
    Expectations would cost more than all queries. `asked`: suite, relation and rule."""
    batch = _batch(source, checks[0][1])
    results = _validate(batch, "together", [rule.over(relation) for _, relation, rule in checks], COUNTS)
    return [_outcome(suite, rule, result) for (suite, _, rule), result in zip(checks, results, strict=True)]


def _batch(source: OpenDuckDB, relation: str) -> Batch:
    asset = source.add_table_asset(name=relation, table_name=relation)
    return asset.add_batch_definition_whole_table("all").get_batch()


def _validate(
    batch: Batch, name: str, expectations: list[gx.expectations.Expectation], result_format: dict[str, Any]
) -> list[ExpectationValidationResult | None]:
    """The results in the order of the expectations; GX may return them in another order."""
    numbered = [each.copy(update={"meta": {"place": place}}) for place, each in enumerate(expectations)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SQLAlchemy does not know DuckDB's lists
        found = batch.validate(gx.ExpectationSuite(name=name, expectations=numbered), result_format=result_format)
    configured = [(result.expectation_config, result) for result in found.results]
    by_place = {config.meta["place"]: result for config, result in configured if config and config.meta}
    return [by_place.get(place) for place in range(len(expectations))]


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
