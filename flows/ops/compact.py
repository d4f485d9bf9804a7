"""Compact the published file: check every row, remove empty space, take out what clinic.toml no longer keeps.

    rapport compact --clinic FILE --warehouse DIR

A night checks only the rows that it touched. This command checks all rows, once a week. The published data stay the
same, except for episodes that have been closed for more than `[keep] years_after_closing` (clinic.toml): they are taken
out. When the encryption key is new, changed or removed, every kept file is rewritten first (RUNBOOK.md, Encryption).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rapport.flows.failures import sayable
from rapport.flows.load import at_work
from rapport.flows.ops.publish_load import Done, compute_if_needed, publish_load
from rapport.flows.order import Order, place_change
from rapport.flows.private.expired_episodes import begin_expiry, told_of
from rapport.flows.private.open_erasures import open_erasures
from rapport.flows.steps.begin import begin
from rapport.flows.steps.check import check_tables
from rapport.flows.terminal import arguments, finish
from rapport.flows.troubles import print_troubles
from rapport.warehouse.derived import touched_buckets
from rapport.warehouse.history.expiry import Expired
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.publication import published_version, writing
from rapport.warehouse.store import compaction


def place_compaction(clinic: Path, warehouse: Path) -> Order:
    """Rewrite every kept file whose encryption does not match the key in the environment, and return the order. Raises
    RapportError. After an interruption, a second run finishes the work."""
    where = Folders(warehouse)
    where.refuse_other_user()
    published_version(where)
    with writing(where):
        try:
            compaction.rekey(where)
        except Exception as error:
            raise sayable(error) from None
    return place_change(clinic, warehouse)


@dataclass(frozen=True)
class Compaction:
    """A load that compacted: the expired episodes that it took out, and the file's size in bytes before and after."""

    done: Done
    order: Order
    expired: Expired | None
    bytes_before: int
    bytes_after: int

    @property
    def sentences(self) -> list[str]:
        """Its results as sentences."""
        sizes = f"{self.bytes_before / 1e6:,.1f} MB before, {self.bytes_after / 1e6:,.1f} after"
        years = self.order.clinic.years_after_closing
        return [
            *told_of(self.expired, years, "it took out"),
            f"Checked whole and compacted, as load {self.done.load_id}: {sizes}.",
        ]


def compact(order: Order) -> Compaction:
    """Publish the same tables, completely checked, without empty space and without expired episodes."""
    before = order.folders.published.stat().st_size
    with at_work(order, "compaction") as load:
        expired, reason = begin_expiry(load)
        bench, computed = compute_if_needed(begin(load))
        touched_buckets.choose_known_before(bench.con, load.load_id)
        checked = check_tables(bench, whole=True)
        done = publish_load(bench, computed, checked, reason, leaves_space_behind=True)
    return Compaction(done, order, expired, before, order.folders.published.stat().st_size)


def main(argv: list[str] | None = None) -> int:
    """Check and compact the published file."""
    options = arguments("compact", "Check every table whole and compact the published file.").parse_args(argv)

    def run() -> int:
        done = compact(place_compaction(options.clinic, options.warehouse))
        print("\n".join(done.sentences))
        return print_troubles(done.done.troubles) or int(bool(open_erasures(done.order.folders)))

    return finish(run, options.warehouse)
