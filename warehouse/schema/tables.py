"""What a table is: a decorated function.

The function's name is the table, its docstring says what a row is, its parameters are the tables (or facts) it
reads. Calling it calls it, so tests stay plain.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter

from rapport.warehouse.code_marks import registry
from rapport.warehouse.schema.columns import Column, resolve


@dataclass(frozen=True)
class Table:
    """A table's facts, and the function that computes it.

    per="client": a pure function of one client's own records and of declared constants.
    per="clinic": reads finished tables; rebuilt every night.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    per: str
    function: Callable
    reads: tuple[str, ...]

    def __call__(self, *args: object, **named: object) -> object:
        return self.function(*args, **named)

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


@registry
def table(*, columns: Iterable[str | Column], key: str, per: str = "client") -> Callable[[Callable], Table]:
    """Declare a table. `key` is the names of the columns that make a row unique, separated by spaces.

    >>> @table(columns=["client_id!", Column("seen_count", "integer", "Sessions seen.")], key="client_id")
    ... def seen_clients(sessions):
    ...     "One row per client."
    ...     return sessions.group_by("client_id").len("seen_count")
    >>> seen_clients.name, seen_clients.key, seen_clients.reads, seen_clients.description
    ('seen_clients', ('client_id',), ('sessions',), 'One row per client.')
    """

    def declare(function: Callable) -> Table:
        return Table(
            name=function.__name__,
            description=" ".join(inspect.getdoc(function).split()),
            columns=tuple(resolve(column) for column in columns),
            key=tuple(key.split()),
            per=per,
            function=function,
            reads=tuple(inspect.signature(function).parameters),
        )

    return declare


def in_order(tables: Iterable[Table]) -> list[Table]:
    """The tables, each after those it reads."""
    named = {table.name: table for table in tables}
    graph = {name: [read for read in table.reads if read in named] for name, table in sorted(named.items())}
    return [named[name] for name in TopologicalSorter(graph).static_order()]
