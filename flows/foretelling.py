"""What a night reads and computes again although nothing new came, said before it does: an upgrade makes it longer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import transforms
from flows.definitions import fingerprints, renewed
from flows.deliveries import find_deliveries
from flows.order import Tonight
from warehouse.definitions import is_first

NAMED = 5  # tables; more are counted


@dataclass(frozen=True)
class Again:
    """Files that are read again, by source; and the tables that are computed again for everybody, of how many."""

    files: dict[str, int]
    tables: tuple[str, ...]
    table_count: int

    @property
    def sentences(self) -> list[str]:
        """What is to be said of it; nothing where nothing is done again."""
        files = ", ".join(f"{count:,} of {source}" for source, count in self.files.items())
        told = [
            f"Files that are read again, because their reader, the clinic file or a questionnaire changed: {files}."
        ]
        tables = f"Tables that are computed again for everybody, because their definition changed: {self._named()}."
        return [*(told if self.files else []), *([tables] if self.tables else [])]

    def _named(self) -> str:
        if len(self.tables) <= NAMED:
            return ", ".join(self.tables)
        return f"{len(self.tables)} of {self.table_count}"


def discover(tonight: Tonight) -> None:
    """Find the files to read, and say what is done again into `tonight.again` and to whoever watches."""
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
