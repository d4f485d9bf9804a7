"""Load a folder of years, month by month, each as the night that its last day would have been.

    rapport backfill --exports DIR --clinic FILE --warehouse DIR [--as-of TIME]

Each month publishes, so history knows when what was known, memory is that of a month, and what was stopped goes on
where it was: run it again. Files whose pattern in clinic.toml has no date are read with the first month.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rapport.flows.night import night
from rapport.flows.order import Order, place_order
from rapport.flows.results import Night
from rapport.flows.steps.discover import matching
from rapport.flows.terminal import arguments, finish
from rapport.flows.troubles import status_of
from rapport.flows.workbench import Runner, plainly
from rapport.warehouse.places.versions import current_version
from rapport.warehouse.store.seal import as_of_published


def month_ends(order: Order) -> list[datetime]:
    """The nights to run: after each month that an export was made in and that is not published yet; the last is now."""
    made = (at for source in order.clinic.sources for _, at in matching(order.exports, source) if at)
    published = current_version(order.folders.published)
    known_to = as_of_published(published) if published else datetime.min.replace(tzinfo=UTC)
    ends = {_end_of_month(at, order) for at in made if known_to < at <= order.as_of}
    return [*sorted(end for end in ends if end < order.as_of), order.as_of]


def _end_of_month(at: datetime, order: Order) -> datetime:
    local = at.astimezone(order.clinic.zone) - timedelta.resolution  # midnight on the first ends the month before
    year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
    return datetime(year, month, 1, tzinfo=order.clinic.zone).astimezone(UTC)


def backfill(order: Order, told: Callable[[str], None], run: Runner = plainly) -> Iterator[Night]:
    """Run the nights one after another. Raises RapportError at the one that fails; those before it are published."""
    ends = month_ends(order)
    for number, end in enumerate(ends, start=1):
        told(f"{number} of {len(ends)}: to {end.astimezone(order.clinic.zone):%Y-%m-%d %H:%M}")
        again = Order(order.exports, order.clinic, order.folders, end, bucket_count=order.bucket_count)
        yield night(again, run, draws_pages=number == len(ends))  # nobody looks at the pages between two months


def main(given: list[str] | None = None) -> int:
    """Backfill a folder of years, or go on with it."""
    parser = arguments("backfill", "Load a folder of years, month by month.", exports=True)
    parser.add_argument("--as-of", metavar="TIME", help="how far, ISO 8601; default now")
    asked = parser.parse_args(given)

    def run() -> int:
        order = place_order(Path(asked.exports), asked.clinic, asked.warehouse, asked.as_of)
        for done in backfill(order, lambda line: print(line, flush=True)):
            loaded = sum(files.counts[-1] for files in done.files)
            print(f"  published as load {done.load_id}: {loaded:,} records loaded", flush=True)
        return status_of(done.troubles)

    return finish(run, asked.warehouse)
