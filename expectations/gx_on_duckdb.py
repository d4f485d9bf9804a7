"""Great Expectations on a DuckDB connection that is already open.

GX closes its connection before it fetches results, and with DuckDB the results are lost (great_expectations #10738,
#11579). This engine keeps one connection. It ends any open transaction before each use, so that GX sees all written
rows.
"""

from __future__ import annotations

import builtins
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # deprecation warnings of its dependencies, which Rapport cannot mend
    import duckdb_engine
    import great_expectations as gx
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.core.metric_domain_types import MetricDomainTypes
    from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.datasource.fluent import SQLDatasource
    from great_expectations.datasource.fluent.interfaces import Batch
    from great_expectations.execution_engine import ExecutionEngine, SqlAlchemyExecutionEngine
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.metrics.metric_provider import metric_partial, metric_value
    from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
    from sqlalchemy import literal_column
    from sqlalchemy.engine import Connection

if TYPE_CHECKING:
    import duckdb

__all__ = ["BrokenRows", "OneConnectionEngine", "OpenDuckDB", "RowsOfQuery", "open_source"]
# Other modules import parts of Great Expectations from here, because here its warnings are ignored.
__all__ += ["Batch", "ExecutionEngine", "ExpectationConfiguration", "ExpectationValidationResult"]
__all__ += ["FailureSeverity", "gx"]

logging.getLogger("great_expectations").setLevel(logging.ERROR)


class OneConnectionEngine(SqlAlchemyExecutionEngine):
    """Runs everything on one kept connection."""

    _kept: Connection | None = None

    @contextmanager
    def get_connection(self) -> Iterator[Connection]:
        if self._kept is None:
            self._kept = self.engine.connect()
        if self._kept.in_transaction():
            self._kept.rollback()
        yield self._kept

    def give_back(self) -> None:
        """Close the kept connection, also after an interrupted query."""
        if self._kept is not None:
            with suppress(Exception):
                self._kept.connection.interrupt()  # an interrupted query still runs, and closing would wait
                self._kept.close()
            self._kept = None

    def get_inspector(self) -> DuckDBColumns:  # type: ignore[override]  # GX asks it for no more than this answers
        return DuckDBColumns(self)


class DuckDBColumns:
    """An inspector with the methods that GX calls, in one cheap statement. SQLAlchemy's own inspector is slow."""

    def __init__(self, engine: OneConnectionEngine) -> None:
        self._engine, self.dialect = engine, engine.engine.dialect

    def get_columns(self, table_name: str, schema: str | None = None) -> list[dict[str, str]]:
        with self._engine.get_connection() as connection:
            rows = connection.exec_driver_sql(f'DESCRIBE "{table_name}"').fetchall()
        return [{"name": name, "type": kind} for name, kind, *_ in rows]

    def get_pk_constraint(self, table_name: str, schema: str | None = None) -> dict[str, list[str]]:
        return {"constrained_columns": []}


class OpenDuckDB(SQLDatasource):
    """A datasource for a DuckDB connection of this process."""

    type: Literal["open_duckdb"] = "open_duckdb"  # type: ignore[assignment]  # GX finds a datasource by this word

    @property
    def execution_engine_type(self) -> builtins.type[SqlAlchemyExecutionEngine]:
        return OneConnectionEngine


class BrokenRows(TableMetricProvider):
    """The number of rows that meet a forbidden condition. Great Expectations runs all such counts of a table in one
    query."""

    metric_name = "table.broken_rows"
    value_keys = ("broken",)

    @metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls,
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> tuple[object, dict[str, Any], dict[str, Any]]:
        broken = metric_value_kwargs["broken"]
        return literal_column(f"count(*) FILTER (WHERE {broken})"), metric_domain_kwargs, {}


class RowsOfQuery(TableMetricProvider):
    """The number of rows that a query over a table returns. Great Expectations' own metric allows only the batch."""

    metric_name = "table.rows_of_query"
    value_keys = ("unexpected_rows_query",)

    @metric_value(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(
        cls,
        execution_engine: SqlAlchemyExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> int:
        query = metric_value_kwargs["unexpected_rows_query"].replace("{batch}", metric_domain_kwargs["table"])
        with execution_engine.get_connection() as connection:  # without parameters: a name may contain a colon
            return int(connection.exec_driver_sql(f"SELECT count(*) FROM ({query})").scalar_one())


@contextmanager
def open_source(cursor: Callable[[], duckdb.DuckDBPyConnection]) -> Iterator[OpenDuckDB]:
    """A datasource whose connections are the cursors that `cursor()` returns. They are given back at the end. Great
    Expectations keeps its last datasource until the process ends, and SQLAlchemy would then roll back closed
    connections."""
    source = _source(cursor)
    try:
        yield source
    finally:
        engine = source.get_execution_engine()
        if isinstance(engine, OneConnectionEngine):
            engine.give_back()


def _source(cursor: Callable[[], duckdb.DuckDBPyConnection]) -> OpenDuckDB:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        context._save_project_config = _nowhere  # type: ignore[method-assign]  # GX has no switch for it
        creator = {"creator": lambda: duckdb_engine.ConnectionWrapper(cursor())}
        made: OpenDuckDB = context.data_sources.add_open_duckdb("night", connection_string="duckdb://", kwargs=creator)
        return made


def _nowhere() -> None:
    """Write nothing. An ephemeral context would write itself as YAML for every new asset, and nobody reads that."""
