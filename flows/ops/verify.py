"""Compute every table again from the records and compare it with the published one: `rapport verify`.

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
from rapport.flows.workbench import FileAtWork, run_directly, show_no_progress
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
    """The result of a comparison. `tables`: name, rows published, rows only published, rows only computed. `books` and
    `movements`: names of wrong books of records, and of headlines with wrong movements."""

    load_id: int
    tables: list[tuple[str, int, int, int]]
    books: list[str]
    movements: list[str]

    @property
    def wrong_tables(self) -> list[str]:
        """The tables that differ from their records."""
        return [name for name, _, lost, found in self.tables if lost or found]

    @property
    def is_equal(self) -> bool:
        """Whether all tables and books agree with the records."""
        return not self.wrong_tables and not self.wrong_books

    @property
    def wrong_books(self) -> list[str]:
        """The names of all wrong books."""
        return [*self.books, *(f"the movements of {each}" for each in self.movements)]

    @property
    def advice(self) -> str:
        """The next step. Tables can be computed again from the records; the books of records cannot."""
        if self.wrong_tables or self.movements:
            then = f"compute every table again: rapport restore --version {self.load_id}"
        else:
            then = "publish an older load whose books are right: rapport restore lists those that are kept"
        return f"keep a copy of the file and report it, then {then}"


def verify(order: Order) -> Verdict:
    """Compare the published tables with newly computed ones. Raises DidNotRun when the definitions have changed since
    the publication."""
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
    """Copy a version to `COPY` in a scratch folder and open it. Nothing of it is published. It has its own clock,
    because a night may have published since the order was placed."""
    crosswalk = crosswalk_of(order.folders, load_of(version))
    con = building_file.open_building(copy_to(version, scratch / COPY), scratch)
    try:
        yield FileAtWork(
            load_of(version) + 1, replace(order, as_of=seal.as_of(con)), con, crosswalk, show_no_progress, run_directly
        )
    finally:
        con.close()


def print_verdict(verdict: Verdict) -> None:
    """Print the result of the comparison."""
    terminal, table = console(), grid("table", "rows", "only published", "only derived")
    for name, *counts in verdict.tables:
        table.add_row(name, *(f"{count:,}" for count in counts))
    terminal.print(table)
    for broken in verdict.wrong_books:
        terminal.print(f"The books are wrong: {broken}.")
    if verdict.is_equal:
        terminal.print("Every table follows from the records.")
        return
    if verdict.wrong_tables:
        terminal.print(line(("The file does not follow from its records.", "bold")))
    terminal.print(f"{capital(verdict.advice)}.")


def main(argv: list[str] | None = None) -> int:
    """Verify the published file."""
    options = arguments("verify", "Derive every table again from the records and compare.").parse_args(argv)

    def run() -> int:
        verdict = verify(place_change(options.clinic, options.warehouse))
        print_verdict(verdict)
        return 0 if verdict.is_equal else 1

    return finish(run, options.warehouse)
