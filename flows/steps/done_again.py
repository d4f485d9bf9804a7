"""The files that a night reads again and the tables that it computes again for everybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rapport import transforms
from rapport.flows.delivery import Delivery
from rapport.flows.steps.changed_definitions import fingerprints, renewed
from rapport.flows.workbench import Workbench
from rapport.warehouse.derived.definitions import is_first

NAMED = 5  # tables; more are counted
READ_AGAIN = "Files that are read again, because their reader, the clinic file or a questionnaire changed"
COMPUTED_AGAIN = "Tables that are computed again for everybody, because their definition changed"


@dataclass(frozen=True)
class Again:
    """The number of files to read again, by source; the tables to compute again; the number of all such tables."""

    files: dict[str, int]
    tables: tuple[str, ...]
    table_count: int

    @property
    def sentences(self) -> list[str]:
        """One sentence about files and one about tables, each only where something is done again."""
        files = ", ".join(f"{count:,} of {source}" for source, count in self.files.items())
        is_few = len(self.tables) <= NAMED
        tables = ", ".join(self.tables) if is_few else f"{len(self.tables)} of {self.table_count}"
        parts = {READ_AGAIN: files, COMPUTED_AGAIN: tables}
        return [f"{what}: {which}." for what, which in parts.items() if which]


def find_again(bench: Workbench, deliveries: Iterable[Delivery]) -> Again:
    """The files to read again and the tables to compute again, although no new data came."""
    files = Counter(each.source.name for each in deliveries if each.was_read_otherwise)
    tables = [table.name for table in transforms.tables() if table.per == "client"]
    return Again(dict(sorted(files.items())), _changed(bench, tables), len(tables))


def _changed(bench: Workbench, tables: Collection[str]) -> tuple[str, ...]:
    """The tables to compute again, by name. In the first night there are none."""
    if is_first(bench.con):
        return ()
    found = renewed(bench.con, fingerprints(bench.order))
    return tuple(sorted(found.intersection(tables)))
