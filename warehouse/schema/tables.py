"""What a table is: a decorated function.

The function's name is the table, its docstring says what a row is, its parameters are the tables (or facts) it
reads. Calling it calls it, so tests stay plain.

A table of the clinic may be made in two parts, so that no step holds all clients at once. Its `partial` reads the
finished tables of some clients and gives whole-number sums, or one small row per client or episode. The decorated
function finishes: it reads the `partials` of all clients, one after the other in one frame, and makes the rows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from rapport.warehouse.code_marks import registry
from rapport.warehouse.schema.columns import Column, resolve
from rapport.warehouse.schema.relations import Relation

if TYPE_CHECKING:
    import polars as pl

PARTIALS = "partials"  # the parameter of a function that finishes
Function = Callable[..., "pl.LazyFrame"]


@dataclass(frozen=True)
class Table(Relation):
    """A table's facts, and the function that computes it.

    per="client": a pure function of one client's own records and of declared constants.
    per="clinic": reads finished tables; rebuilt every night.
    """

    per: str = field(kw_only=True)
    function: Function = field(kw_only=True)
    partial: Function | None = None

    def __call__(self, *given: object, **named: object) -> pl.LazyFrame:
        """The rows, from everything that it reads, in the order of `reads`."""
        known = dict(zip(self.reads, given, strict=False)) | named
        return self.finished({**known, PARTIALS: self.partial_of(known)} if self.partial else known)

    def partial_of(self, known: Mapping[str, object]) -> pl.LazyFrame:
        """The partial of the clients whose finished tables are known."""
        assert self.partial, f"{self.name} has no partial"
        return self.partial(**{name: known[name] for name in self.read_by_bucket})

    def finished(self, known: Mapping[str, object]) -> pl.LazyFrame:
        """The rows, from what is read at once."""
        return self.function(**{name: known[name] for name in self.read_at_once})

    @property
    def functions(self) -> tuple[Function, ...]:
        """What the table is made by."""
        return (self.partial, self.function) if self.partial else (self.function,)

    @property
    def read_by_bucket(self) -> tuple[str, ...]:
        """What its partial reads: tables with a `client_id`, and facts."""
        return _parameters(self.partial) if self.partial else ()

    @property
    def read_at_once(self) -> tuple[str, ...]:
        """What its function reads: tables of all clients, and facts."""
        return _parameters(self.function)

    @property
    def reads(self) -> tuple[str, ...]:
        """The tables and facts that it reads, in its partial or in its function."""
        return tuple(dict.fromkeys(name for name in (*self.read_by_bucket, *self.read_at_once) if name != PARTIALS))


@cache
def _parameters(function: Function) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


@registry
def table(
    *, columns: Iterable[str | Column], key: str, per: str = "client", partial: Function | None = None
) -> Callable[[Function], Table]:
    """Declare a table. `key` is the names of the columns that make a row unique, separated by spaces. `partial`: a
    table of the clinic is made in two parts.

    >>> @table(columns=["client_id!", Column("seen_count", "integer", "Sessions seen.")], key="client_id")
    ... def seen_clients(sessions):
    ...     "One row per client."
    ...     return sessions.group_by("client_id").len("seen_count")
    >>> seen_clients.name, seen_clients.key, seen_clients.reads, seen_clients.description
    ('seen_clients', ('client_id',), ('sessions',), 'One row per client.')
    """

    def declare(function: Function) -> Table:
        return Table(
            name=function.__name__,
            description=" ".join((inspect.getdoc(function) or "").split()),
            columns=tuple(resolve(column) for column in columns),
            key=tuple(key.split()),
            per=per,
            function=function,
            partial=partial,
        )

    return declare


def in_order(tables: Iterable[Table]) -> list[Table]:
    """The tables, each after those it reads."""
    named = {table.name: table for table in tables}
    graph = {name: [read for read in table.reads if read in named] for name, table in sorted(named.items())}
    return [named[name] for name in TopologicalSorter(graph).static_order()]
