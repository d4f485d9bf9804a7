"""A rule is an expectation with a name. What a column promises makes its rules; a table's module adds what columns
cannot say.

severity "warning": a row that breaks it goes to load.quarantine under the rule's name. "critical": the night stops.
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
    """GX's own runs its query twice, to count the rows and to fetch them, and only over the batch; here they are
    counted, over whichever `table` of the batch's schema."""

    table: str | None = None
    counted: ClassVar[str] = RowsOfQuery.metric_name
    metric_dependencies: ClassVar[tuple[str, ...]] = (RowsOfQuery.metric_name,)
    domain_keys: ClassVar[tuple[str, ...]] = (*expect.UnexpectedRowsExpectation.domain_keys, "table")
    success_keys: ClassVar[tuple[str, ...]] = ("unexpected_rows_query",)

    _configuration: ExpectationConfiguration | None = gx.compatibility.pydantic.PrivateAttr(None)

    @property
    def configuration(self) -> ExpectationConfiguration:
        """Made once: GX asks for it thirty times, and makes it anew each time."""
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
    """No row is so. The query is what is said of it; what is run is the count."""

    broken: str
    counted: ClassVar[str] = BrokenRows.metric_name
    metric_dependencies: ClassVar[tuple[str, ...]] = (BrokenRows.metric_name,)
    success_keys: ClassVar[tuple[str, ...]] = ("unexpected_rows_query", "broken")


@dataclass(frozen=True)
class Rule:
    """One expectation. `query`, where it is given, lists the rows that break it, as row_id and column_name."""

    name: str
    column: str
    expectation: gx.expectations.Expectation
    query: str = ""

    @property
    def severity(self) -> str:
        return str(self.expectation.severity.value)

    @property
    def is_of_one_row(self) -> bool:
        """Whether a row keeps it whatever other rows there are."""
        return isinstance(self.expectation, ExpectNoRowIs)

    def over(self, relation: str) -> gx.expectations.Expectation:
        """A rule in SQL, of a relation."""
        return self.expectation.copy(update={"table": relation})


def rows_rule(name: str, query: str, column: str = "", severity: Severity = "warning") -> Rule:
    """A rule in SQL: the query lists the rows that break it."""
    made = ExpectNoRows(description=name, unexpected_rows_query=query, severity=FailureSeverity(severity))
    return Rule(name, column, made, query)


def never(name: str, broken: str, key: str = "*") -> Rule:
    """A rule in SQL over one row: no row is as the condition says; the key names those that are. One stops the
    night.

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
    """The rules that columns promise: required, one_of, between."""
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
    """The same promises in one rule a kind, where only a whole table is ever refused: each rule costs as much to run as
    the rows do."""
    broken = {
        "a required column is empty": [f"{c.name} IS NULL" for c in columns if c.required],
        # DuckDB calls a function once for each different word that a column has, and compares IN row by row.
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
    """A table's key makes a row unique."""
    columns = ", ".join(key)
    # Hashes are grouped at half the cost of ids and texts; what shares one is then compared itself.
    suspects = f"SELECT hash({columns}) FROM {{batch}} GROUP BY ALL HAVING count(*) > 1"
    query = f"SELECT {columns} FROM {{batch}} WHERE hash({columns}) IN ({suspects}) GROUP BY ALL HAVING count(*) > 1"
    return rows_rule(f"one row per {columns}", query, severity="critical")
