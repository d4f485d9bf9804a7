"""The files that a night reads again and the tables that it computes again for everybody. It says so before it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from rapport import transforms
from rapport.flows.order import Tonight
from rapport.flows.steps.changed_definitions import fingerprints, renewed
from rapport.flows.steps.discover import find_deliveries
from rapport.warehouse.derived.definitions import is_first

NAMED = 5  # tables; more are counted
READ_AGAIN = "Files that are read again, because their reader, the clinic file or a questionnaire changed"
COMPUTED_AGAIN = "Tables that are computed again for everybody, because their definition changed"


@dataclass(frozen=True)
class Again:
    """The number of files that are read again, by source; the tables that are computed again; how many tables there
    are."""

    files: dict[str, int]
    tables: tuple[str, ...]
    table_count: int

    @property
    def sentences(self) -> list[str]:
        """One sentence about files and one about tables; neither where nothing is done again."""
        files = ", ".join(f"{count:,} of {source}" for source, count in self.files.items())
        is_few = len(self.tables) <= NAMED
        tables = ", ".join(self.tables) if is_few else f"{len(self.tables)} of {self.table_count}"
        told = {READ_AGAIN: files, COMPUTED_AGAIN: tables}
        return [f"{what}: {which}." for what, which in told.items() if which]


def discover(tonight: Tonight) -> None:
    """Find the files to read. Enter into `tonight.again` what is done again, and tell it."""
    find_deliveries(tonight)
    files = Counter(each.source.name for each in tonight.deliveries if each.was_read_otherwise)
    tables = [table.name for table in transforms.tables() if table.per == "client"]
    tonight.again = Again(dict(sorted(files.items())), _changed(tonight, tables), len(tables))
    for sentence in tonight.again.sentences:
        tonight.told(sentence)


def _changed(tonight: Tonight, tables: Collection[str]) -> tuple[str, ...]:
    """In the first night there is nothing to compute again."""
    if is_first(tonight.con):
        return ()
    found = renewed(tonight.con, fingerprints(tonight.order))
    return tuple(sorted(found.intersection(tables)))
