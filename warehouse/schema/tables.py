"""Tables, declared as decorated functions.

The function's name is the table's name, its docstring describes a row, and its parameters are the tables (or facts)
that it reads. A call of the table calls the function, so a test needs no file.

A table of the clinic may be computed in two parts, so that no step holds all clients at once. Its `partial` reads the
finished tables of some clients and returns whole-number sums, or one small row per client or episode. The decorated
function reads the `partials` of all clients, in one frame, and returns the rows.
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

PARTIALS = "partials"  # the parameter that receives the partials of all clients
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
        """Return the table's rows. The arguments are the tables and facts that it reads, in the order of `reads`."""
        known = dict(zip(self.reads, given, strict=False)) | named
        return self.finished({**known, PARTIALS: self.partial_of(known)} if self.partial else known)

    def partial_of(self, known: Mapping[str, object]) -> pl.LazyFrame:
        """The partial of the clients whose finished tables are known."""
        assert self.partial, f"{self.name} has no partial"
        return self.partial(**{name: known[name] for name in self.read_by_bucket})

    def finished(self, known: Mapping[str, object]) -> pl.LazyFrame:
        """Return the table's rows from the tables and facts in `read_at_once`."""
        return self.function(**{name: known[name] for name in self.read_at_once})

    @property
    def functions(self) -> tuple[Function, ...]:
        """The functions that compute the table."""
        return (self.partial, self.function) if self.partial else (self.function,)

    @property
    def read_by_bucket(self) -> tuple[str, ...]:
        """The names of what its partial reads: tables with a `client_id`, and facts."""
        return _parameters(self.partial) if self.partial else ()

    @property
    def read_at_once(self) -> tuple[str, ...]:
        """The names of what its function reads: tables of all clients, and facts."""
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
    """Declare a table. `key`: the names of the columns that make a row unique, separated by spaces. `partial`: the
    first part of a clinic's table that is computed in two parts.

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
    """Return the tables in an order in which each comes after the tables that it reads."""
    named = {table.name: table for table in tables}
    graph = {name: [read for read in table.reads if read in named] for name, table in sorted(named.items())}
    return [named[name] for name in TopologicalSorter(graph).static_order()]
