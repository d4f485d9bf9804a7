"""Load a folder of years, month by month, each as the night that its last day would have been.

    rapport backfill --exports DIR --clinic FILE --warehouse DIR [--as-of TIME]

Each month publishes. So the history has the date of each record, and the memory used is that of one month. A stopped
backfill goes on when it is run again. Files whose pattern in clinic.toml has no date are read with the first month.
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
from rapport.flows.troubles import print_troubles
from rapport.flows.workbench import Runner, run_directly
from rapport.warehouse.places.versions import current_version
from rapport.warehouse.store.seal import as_of_published


def month_ends(order: Order) -> list[datetime]:
    """The times of the nights to run (UTC): the end of each unpublished month with an export, and now at last."""
    made = (at for source in order.clinic.sources for _, at in matching(order.exports, source) if at)
    published = current_version(order.folders.published)
    known_to = as_of_published(published) if published else datetime.min.replace(tzinfo=UTC)
    ends = {_end_of_month(at, order) for at in made if known_to < at <= order.as_of}
    return [*sorted(end for end in ends if end < order.as_of), order.as_of]


def _end_of_month(at: datetime, order: Order) -> datetime:
    local = at.astimezone(order.clinic.zone) - timedelta.resolution  # midnight on the first ends the month before
    year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
    return datetime(year, month, 1, tzinfo=order.clinic.zone).astimezone(UTC)


def backfill(order: Order, progress: Callable[[str], None], run: Runner = run_directly) -> Iterator[Night]:
    """Run the nights one after another. Raises RapportError when one fails; the nights before it stay published."""
    ends = month_ends(order)
    for number, end in enumerate(ends, start=1):
        progress(f"{number} of {len(ends)}: to {end.astimezone(order.clinic.zone):%Y-%m-%d %H:%M}")
        again = Order(order.exports, order.clinic, order.folders, end, bucket_count=order.bucket_count)
        yield night(again, run, draws_pages=number == len(ends))  # nobody looks at the pages between two months


def main(argv: list[str] | None = None) -> int:
    """Backfill a folder of years, or go on with it."""
    parser = arguments("backfill", "Load a folder of years, month by month.", exports=True)
    parser.add_argument("--as-of", metavar="TIME", help="how far, ISO 8601; default now")
    options = parser.parse_args(argv)

    def run() -> int:
        order = place_order(Path(options.exports), options.clinic, options.warehouse, options.as_of)
        troubles = []
        for done in backfill(order, lambda line: print(line, flush=True)):
            loaded = sum(files.counts[-1] for files in done.files)
            print(f"  published as load {done.load_id}: {loaded:,} records loaded", flush=True)
            troubles.append(done.troubles)
        return print_troubles(*troubles)

    return finish(run, options.warehouse)
