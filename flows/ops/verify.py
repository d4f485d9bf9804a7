"""Derive every table again from the records and compare it with what is published: `rapport verify`.

Exit status: 0 equal; 1 something differs, or could not be compared; 2 unusable arguments or clinic file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rapport import transforms
from rapport.flows.messages.literal import console, grid, line
from rapport.flows.order import Order, place_change
from rapport.flows.private.crosswalk import crosswalk_of
from rapport.flows.steps.changed_definitions import fingerprints, renewed
from rapport.flows.steps.compute import derive_anew
from rapport.flows.terminal import arguments, capital, finish
from rapport.flows.workbench import FileAtWork, plainly, silently
from rapport.warehouse.derived import comparison
from rapport.warehouse.derived.why_it_moved import unbalanced
from rapport.warehouse.errors import DidNotRun
from rapport.warehouse.places.folders import copy_to
from rapport.warehouse.places.publication import published_version
from rapport.warehouse.places.scratch import scratch_folder
from rapport.warehouse.places.versions import load_of
from rapport.warehouse.store import building_file, seal

COPY = "copy.duckdb"


@dataclass(frozen=True)
class Verdict:
    """Per table: rows published, rows only published, rows only derived; and what the books say wrongly, of records and
    of the movements of headlines."""

    load_id: int
    tables: list[tuple[str, int, int, int]]
    books: list[str]
    movements: list[str]

    @property
    def wrong_tables(self) -> list[str]:
        """The tables that do not follow from their records."""
        return [name for name, _, lost, found in self.tables if lost or found]

    @property
    def is_equal(self) -> bool:
        """Whether the file is what its records make it."""
        return not self.wrong_tables and not self.wrong_books

    @property
    def wrong_books(self) -> list[str]:
        """What the books say wrongly."""
        return [*self.books, *(f"the movements of {each}" for each in self.movements)]

    @property
    def advice(self) -> str:
        """What to do about what is wrong: tables can be derived anew from the records, the books of records cannot."""
        if self.wrong_tables or self.movements:
            then = f"have every table derived anew: rapport restore --version {self.load_id}"
        else:
            then = "publish an older load whose books are right: rapport restore lists those that are kept"
        return f"keep a copy of the file and report it, then {then}"


def verify(order: Order) -> Verdict:
    """Compare the published tables with those made anew. Raises DidNotRun when the definitions have changed since."""
    published = published_version(order.folders)
    with (
        scratch_folder(order.folders.building, "verify") as scratch,
        opened_apart(order, published, scratch) as file,
    ):
        if renewed(file.con, fingerprints(order)):
            raise DidNotRun(
                "the tables' definitions or the clinic file have changed since this file was published, so nothing "
                "can be compared; run a night, then verify"
            )
        books, movements = comparison.broken_books(file.con), unbalanced(file.con)
        derive_anew(file)
        names = [table.name for table in transforms.tables()]
        tables = comparison.differences(file.con, published, names)
        return Verdict(load_of(published), tables, books, movements)


@contextmanager
def opened_apart(order: Order, version: Path, scratch: Path) -> Iterator[FileAtWork]:
    """A version copied to `COPY` in a scratch folder and opened, apart from any night: nothing of it is published. Its
    clock is its own: a night may have published since the order was placed."""
    crosswalk = crosswalk_of(order.folders, load_of(version))
    con = building_file.open_building(copy_to(version, scratch / COPY), scratch)
    try:
        yield FileAtWork(load_of(version) + 1, replace(order, as_of=seal.as_of(con)), con, crosswalk, silently, plainly)
    finally:
        con.close()


def tell(verdict: Verdict) -> None:
    """Print what was compared."""
    shown, told = console(), grid("table", "rows", "only published", "only derived")
    for name, *counts in verdict.tables:
        told.add_row(name, *(f"{count:,}" for count in counts))
    shown.print(told)
    for broken in verdict.wrong_books:
        shown.print(f"The books are wrong: {broken}.")
    if verdict.is_equal:
        shown.print("Every table follows from the records.")
        return
    if verdict.wrong_tables:
        shown.print(line(("The file does not follow from its records.", "bold")))
    shown.print(f"{capital(verdict.advice)}.")


def main(given: list[str] | None = None) -> int:
    """Verify the published file."""
    asked = arguments("verify", "Derive every table again from the records and compare.").parse_args(given)

    def run() -> int:
        verdict = verify(place_change(asked.clinic, asked.warehouse))
        tell(verdict)
        return 0 if verdict.is_equal else 1

    return finish(run, asked.warehouse)
