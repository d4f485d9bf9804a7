"""What everything that can be queried has: a name, a sentence that says what a row is, and columns."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.warehouse.schema.columns import Column


@dataclass(frozen=True)
class Relation:
    """A table or view of the file. `key`: the columns that make a row unique, where there are some. `query`: what a
    view says."""

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    query: str = ""

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)
