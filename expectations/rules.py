"""A rule is an expectation with a name. The declaration of a column makes its rules, and a table's suite adds more.

Severity "warning": a row that breaks the rule goes to load.quarantine under the rule's name. "critical": the night
stops.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from rapport.expectations.gx_on_duckdb import (
    BrokenRows,
    ExecutionEngine,
    ExpectationConfiguration,
    ExpectationValidationResult,
    FailureSeverity,
    RowsOfQuery,
    gx,
)
from rapport.warehouse.schema.columns import Column

expect = gx.expectations
Severity = Literal["warning", "critical"]


class ExpectNoRows(expect.UnexpectedRowsExpectation):
    """An expectation that a query returns no rows. It counts them once, over any `table` of the batch's schema. GX's
    own runs the query twice, to count and to fetch the rows, and only over the batch."""

    table: str | None = None
    counted: ClassVar[str] = RowsOfQuery.metric_name
    metric_dependencies: ClassVar[tuple[str, ...]] = (RowsOfQuery.metric_name,)
    domain_keys: ClassVar[tuple[str, ...]] = (*expect.UnexpectedRowsExpectation.domain_keys, "table")
    success_keys: ClassVar[tuple[str, ...]] = ("unexpected_rows_query",)

    _configuration: ExpectationConfiguration | None = gx.compatibility.pydantic.PrivateAttr(None)

    @property
    def configuration(self) -> ExpectationConfiguration:
        """The configuration, made once. GX reads it thirty times, and would make it again each time."""
        self._configuration = self._configuration or super().configuration
        return self._configuration

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine[Any] | None = None,
    ) -> ExpectationValidationResult | dict[str, Any]:
        counts = {"unexpected_rows_query.row_count": metrics[self.counted], "unexpected_rows_query.table": []}
        return super()._validate({**metrics, **counts}, runtime_configuration, execution_engine)


class ExpectNoRowIs(ExpectNoRows):
    """An expectation that no row meets a condition. Its query describes it; only the count is run."""

    broken: str
    counted: ClassVar[str] = BrokenRows.metric_name
    metric_dependencies: ClassVar[tuple[str, ...]] = (BrokenRows.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("unexpected_rows_query", "broken")


@dataclass(frozen=True)
class Rule:
    """One expectation. `query`, where there is one, returns the rows that break it (row_id and column_name for staged
    rows)."""

    name: str
    column: str
    expectation: gx.expectations.Expectation
    query: str = ""

    @property
    def severity(self) -> str:
        return str(self.expectation.severity.value)

    @property
    def is_of_one_row(self) -> bool:
        """Whether each row can be checked without the other rows."""
        return isinstance(self.expectation, ExpectNoRowIs)

    def over(self, relation: str) -> gx.expectations.Expectation:
        """The expectation for one relation. Only a rule in SQL has it."""
        return self.expectation.copy(update={"table": relation})


def rows_rule(name: str, query: str, column: str = "", severity: Severity = "warning") -> Rule:
    """A rule in SQL. Its query returns the rows that break it; {batch} stands for the relation."""
    made = ExpectNoRows(description=name, unexpected_rows_query=query, severity=FailureSeverity(severity))
    return Rule(name, column, made, query)


def never(name: str, broken: str, key: str = "*") -> Rule:
    """A rule in SQL over one row: no row meets the condition `broken`. One such row stops the night. `key`: the columns
    that identify the rows.

    >>> rule = never("closed_before_it_opened", "closed_on < opened_on", key="episode_id")
    >>> rule.severity, rule.query
    ('critical', 'SELECT episode_id FROM {batch} WHERE closed_on < opened_on')
    """
    query = f"SELECT {key} FROM {{batch}} WHERE {broken}"
    made = ExpectNoRowIs(
        description=name, unexpected_rows_query=query, broken=broken, severity=FailureSeverity.CRITICAL
    )
    return Rule(name, "", made, query)


def promised(columns: Iterable[Column], severity: Severity) -> list[Rule]:
    """The rules of columns: required, one_of, between. One rule each."""
    return [rule for column in columns for rule in _promised(column, FailureSeverity(severity))]


def _promised(column: Column, severity: FailureSeverity) -> list[Rule]:
    rules, name = [], column.name
    if column.required:
        filled = expect.ExpectColumnValuesToNotBeNull(column=name, severity=severity)
        rules.append(Rule(f"{name}_missing", name, filled))
    if column.one_of:
        known = expect.ExpectColumnValuesToBeInSet(column=name, value_set=list(column.one_of), severity=severity)
        rules.append(Rule(f"{name}_unknown", name, known))
    if column.between:
        low, high = column.between
        within = expect.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high, severity=severity)
        rules.append(Rule(f"{name}_out_of_range", name, within))
    return rules


def promised_together(columns: Iterable[Column]) -> list[Rule]:
    """The rules of columns, with one rule per kind for all columns. They suit finished tables, which are refused as a
    whole: each additional rule costs as much time as reading the rows."""
    broken = {
        "a required column is empty": [f"{c.name} IS NULL" for c in columns if c.required],
        # DuckDB calls a function once per different word of a column, but compares IN row by row.
        "a word is not one of its column's": [
            f"NOT list_contains([{_words(c)}], {c.name})" for c in columns if c.one_of
        ],
        "a number is out of its column's range": [
            f"{c.name} {sign} {end!r}"
            for c in columns
            for sign, end in zip("<>", c.between or (None, None), strict=True)
            if end is not None
        ],
    }
    return [never(name, " OR ".join(any_of)) for name, any_of in broken.items() if any_of]


def _words(column: Column) -> str:
    return ", ".join("'" + word.replace("'", "''") + "'" for word in column.one_of)


def unique(key: tuple[str, ...]) -> Rule:
    """The rule that a table has one row per key."""
    columns = ", ".join(key)
    # Grouping hashes costs half as much as grouping ids and texts. Rows that share a hash are then compared.
    suspects = f"SELECT hash({columns}) FROM {{batch}} GROUP BY ALL HAVING count(*) > 1"
    query = f"SELECT {columns} FROM {{batch}} WHERE hash({columns}) IN ({suspects}) GROUP BY ALL HAVING count(*) > 1"
    return rows_rule(f"one row per {columns}", query, severity="critical")
