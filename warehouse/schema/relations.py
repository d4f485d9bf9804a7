"""Relations: a table or a view has a name, a description of a row, and columns."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.warehouse.schema.columns import Column


@dataclass(frozen=True)
class Relation:
    """A table or view of the file. `key`: the columns that make a row unique, or none. `query`: the SQL of a view."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    query: str = ""

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)
