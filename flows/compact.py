"""Keep and compact: check every row of every table, leave the empty space behind, keep what clinic.toml says.

    python -m flows.compact --clinic FILE --warehouse DIR

A night checks the rows that it touched; this, once a week, all of them. What is published says the same as before.
Where the key of encryption is new, another, or gone, every kept file is rewritten first (RUNBOOK.md, Encryption).
"""

from __future__ import annotations

import sys
from pathlib import Path

from flows.beginning import begin
from flows.checking import check_tables
from flows.computing import compute_again
from flows.failures import sayable
from flows.night import at_work
from flows.order import Order, Tonight, place_change
from flows.pages import draw
from flows.publishing import publish
from flows.terminal import arguments, finish, status_of
from warehouse import compaction, computing
from warehouse.folders import Folders
from warehouse.publication import published_version, writing


def place_compaction(clinic: Path, warehouse: Path) -> Order:
    """The order, after every kept file was rewritten that is not encrypted as the key in the environment says. Raises
    RapportError; run again, it finishes what was interrupted."""
    where = Folders(warehouse)
    where.refuse_other_user()
    published_version(where)
    with writing(where):
        try:
            compaction.rekey(where)
        except Exception as error:
            raise sayable(error) from None
    return place_change(clinic, warehouse)


def compact(order: Order) -> tuple[Tonight, int, int]:
    """Publish the same tables, checked whole, without empty space: the load, and the file's bytes before and after."""
    before = order.folders.published.stat().st_size
    with at_work(order, "compaction") as tonight:
        begin(tonight)
        if tonight.erased_rows:
            compute_again(tonight)
        computing.choose_known_before(tonight.con, tonight.load_id)
        check_tables(tonight, whole=True)
        tonight.leaves_space_behind = True
        publish(tonight)
        draw(tonight)
    return tonight, before, order.folders.published.stat().st_size


def main(given: list[str] | None = None) -> int:
    """Check and compact the published file."""
    asked = arguments("compact", "Check every table whole and compact the published file.").parse_args(given)

    def run() -> int:
        made, before, after = compact(place_compaction(asked.clinic, asked.warehouse))
        sizes = f"{before / 1e6:,.1f} MB before, {after / 1e6:,.1f} after"
        print(f"Checked whole and compacted, as load {made.load_id}: {sizes}.")
        return status_of(made)

    return finish(run, asked.warehouse)


if __name__ == "__main__":
    sys.exit(main())
