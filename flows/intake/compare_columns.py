"""The columns of tonight's exports beside those of each source's last one: none comes or goes in silence.

An export that lacks a column that is read, and that the last one had, is held back. The first export of a source has
nothing to be compared with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rapport.flows.delivery import Delivery
from rapport.flows.workbench import Workbench
from rapport.transforms.sources.opening.export import Export
from rapport.warehouse.intake.export_columns import ExportColumn, enter_columns, known_columns, newest_exports

_NAMED = 8  # columns that a sentence names


class Columns:
    """The columns of each source's last export, and those of the exports that are read tonight."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._known = known_columns(bench.con)
        self._newest = newest_exports(bench.con)
        self._tonight: dict[str, dict[datetime, list[list[ExportColumn]]]] = {}

    def used_before(self, delivery: Delivery) -> frozenset[str]:
        """The columns that were read of the source's last export; none for a file that was read before."""
        if not self._is_new(delivery):
            return frozenset()
        known = self._known.get(delivery.source.name, ())
        return frozenset(each.column_name for each in known if each.column_name and each.is_in_all)

    def note(self, delivery: Delivery, export: Export, exported_at: datetime) -> Iterator[str]:
        """Note the columns of an export that was read. Sentences about those that came and went."""
        source = delivery.source.name
        if not (self._is_new(delivery) or delivery.was_read_otherwise):
            return
        if exported_at < self._newest.get(source, exported_at):
            return
        found = [ExportColumn(self._id(source, name), place, read) for place, name, read in export.columns()]
        self._tonight.setdefault(source, {}).setdefault(exported_at, []).append(found)
        if self._is_new(delivery) and found and (known := self._known.get(source)):
            yield from (f"source {source}: {delivery.label} {what}" for what in _changes(known, found))

    def keep(self) -> None:
        """Enter the columns of each source's newest export into the books."""
        for source, exports in self._tonight.items():
            enter_columns(self._bench.con, self._bench.load_id, source, _together(exports[max(exports)]))

    def _is_new(self, delivery: Delivery) -> bool:
        return delivery.first_load_id == self._bench.load_id

    def _id(self, source: str, name: str) -> str:
        return self._bench.pseudonyms.keyed(source, "column", name)


def held_back(delivery: Delivery, export: Export) -> str:
    """A sentence about an export that lacks columns that were read of the last one."""
    names = sorted(export.vanished)
    which = f"the column {names[0]!r}" if len(names) == 1 else f"the columns {_and([repr(name) for name in names])}"
    texts = ", ".join(f'"{name}"' for name in names)
    return (
        f"source {delivery.source.name}: {delivery.label} lacks {which}, which the last export had, and is not read: "
        f"export it again, or add missing_ok = [{texts}] to [sources.{delivery.source.name}]"
    )


def _together(exports: Sequence[Sequence[ExportColumn]]) -> list[ExportColumn]:
    """The columns of several exports of one time."""
    found: dict[str, ExportColumn] = {}
    for each in (column for export in exports for column in export):
        found.setdefault(each.column_id, each)
    shared = set.intersection(*({each.column_id for each in export} for export in exports))
    return [each._replace(is_in_all=each.column_id in shared) for each in found.values()]


def _changes(known: Sequence[ExportColumn], found: Sequence[ExportColumn]) -> Iterator[str]:
    before, now = {each.column_id for each in known}, {each.column_id for each in found}
    if lost := [each for each in known if each.is_in_all and each.column_id not in now]:
        yield f"no longer has {_columns(lost)} of the last export; export it again with them if they are needed"
    if new := [each for each in found if each.column_id not in before]:
        yield f"has {_columns(new)} that the last export did not have; name in clinic.toml what is to be read"


def _columns(columns: Sequence[ExportColumn]) -> str:
    """Columns by the name under which they are read, else by their place: other names may be a person's."""
    named = [f"'{each.column_name}'" if each.column_name else f"number {each.place}" for each in columns]
    more = [f"{len(named) - _NAMED:,} more"] if len(named) > _NAMED else []
    listed = _and([*named[:_NAMED], *more])
    return f"1 column ({listed})" if len(columns) == 1 else f"{len(columns):,} columns ({listed})"


def _and(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
