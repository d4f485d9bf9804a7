"""Derive every table again from the records and compare it with what is published: `python -m flows.verify`.

Exit status: 0 equal; 1 something differs, or could not be compared; 2 unusable arguments or clinic file.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import transforms
from flows.computing import derive_anew
from flows.crosswalk import crosswalk_of
from flows.definitions import fingerprints, renewed
from flows.literal import console, grid, line
from flows.order import Order, Tonight, place_change
from flows.terminal import arguments, finish
from warehouse import building, comparing
from warehouse.errors import DidNotRun
from warehouse.folders import copy_to
from warehouse.publication import published_version
from warehouse.scratch import scratch_folder
from warehouse.versions import load_of


@dataclass(frozen=True)
class Verdict:
    """Per table: rows published, rows only published, rows only derived; and what the books say wrongly."""

    tables: list[tuple[str, int, int, int]]
    books: list[str]

    @property
    def is_equal(self) -> bool:
        return not self.books and not any(lost or found for _, _, lost, found in self.tables)


def verify(order: Order) -> Verdict:
    """Compare the published tables with those made anew. Raises DidNotRun when the definitions have changed since."""
    published = published_version(order.folders)
    with scratch_folder(order.folders.building, "verify") as scratch:
        tonight = at_desk(order, published, scratch)
        try:
            if renewed(tonight.con, fingerprints(order)):
                raise DidNotRun(
                    "the tables' definitions or the clinic file have changed since this file was published, so nothing "
                    "can be compared; run a night, then verify"
                )
            books = comparing.broken_books(tonight.con)
            derive_anew(tonight)
            names = [table.name for table in transforms.tables()]
            return Verdict(comparing.differences(tonight.con, published, names), books)
        finally:
            tonight.con.close()


def at_desk(order: Order, version: Path, scratch: Path) -> Tonight:
    """A version copied to a scratch folder and opened, apart from any night: nothing of it is published."""
    tonight = Tonight(order, datetime.now(UTC), scratch, load_of(version) + 1)
    tonight.crosswalk = crosswalk_of(order.folders, load_of(version))
    tonight.building = copy_to(version, scratch / "desk.duckdb")
    tonight.con = building.open_building(tonight.building, scratch)
    return tonight


def tell(verdict: Verdict) -> None:
    """Print what was compared."""
    shown, told = console(), grid("table", "rows", "only published", "only derived")
    for name, *counts in verdict.tables:
        told.add_row(name, *(f"{count:,}" for count in counts))
    shown.print(told)
    for broken in verdict.books:
        shown.print(f"The books are wrong: {broken}.")
    wrong = line(
        ("The file does not follow from its records", "bold"), ": keep it, report it, restore an older version."
    )
    shown.print("Every table follows from the records." if verdict.is_equal else wrong)


def main(given: list[str] | None = None) -> int:
    """Verify the published file."""
    asked = arguments("verify", "Derive every table again from the records and compare.").parse_args(given)

    def run() -> int:
        verdict = verify(place_change(asked.clinic, asked.warehouse))
        tell(verdict)
        return 0 if verdict.is_equal else 1

    return finish(run, asked.warehouse)


if __name__ == "__main__":
    sys.exit(main())
