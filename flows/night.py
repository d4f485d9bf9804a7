"""today = night(yesterday, exports): the steps in order, each a function of what it needs."""

from __future__ import annotations

from collections.abc import Callable

from rapport.flows.imports_ahead import import_libraries_ahead
from rapport.flows.load import at_work
from rapport.flows.order import Order
from rapport.flows.pages.draw import Drawn, draw
from rapport.flows.results import Intake, Night, Publication, intake_of
from rapport.flows.steps.begin import begin
from rapport.flows.steps.check import check_records, check_tables
from rapport.flows.steps.compute import Kept, compute, compute_clinic, keep
from rapport.flows.steps.discover import discover
from rapport.flows.steps.match_sources import Matched, match_sources
from rapport.flows.steps.publish import publish
from rapport.flows.steps.read import read_deliveries
from rapport.flows.troubles import troubles_of
from rapport.flows.workbench import Load, Runner, run_directly, show_no_progress


def night(
    order: Order,
    run: Runner = run_directly,
    progress: Callable[[str], None] = show_no_progress,
    *,
    draws_pages: bool = True,
) -> Night:
    """Run a night. Raises RapportError; then yesterday's warehouse stands and the building file is gone."""
    with at_work(order, "night", progress, run) as load:
        import_libraries_ahead()
        intake, kept = _take_in(load)
        publication = _publish(load, intake, kept, draws_pages) if kept else None
        return Night(order, load.load_id, load.steps, intake, publication)


def _take_in(load: Load) -> tuple[Intake, Kept | None]:
    """Take the exports into the file's history. A check ends before that. The frames are freed at the end."""
    bench = load.step("begin", begin, load)
    found = load.step("discover", discover, bench)
    read = load.step("read", read_deliveries, bench, found)
    checked = load.step("check records", check_records, read.bench, found)
    kept = None if load.order.is_check else load.step("keep history", keep, read, found)
    matched = load.step("match sources", match_sources, read.bench) if load.order.is_check else Matched()
    return intake_of(found, read, checked, kept, matched), kept


def _publish(load: Load, intake: Intake, kept: Kept, draws_pages: bool) -> Publication:
    """Compute the tables from the history, and publish them."""
    bench = kept.bench
    computed = load.step("compute tables", compute, bench)
    load.step("compute clinic tables", compute_clinic, bench)
    checked = load.step("check tables", check_tables, bench)
    matched = load.step("match sources", match_sources, bench)
    published = load.step("publish", publish, bench, computed, (*intake.checked.outcomes, *checked.outcomes), kept)
    drawn = load.step("draw pages", draw, bench.order) if draws_pages else Drawn()
    troubles = troubles_of(bench, published, drawn, intake=matched.added_to(intake.troubles))
    return Publication(kept.files, kept.read_otherwise, computed, checked, matched, published, drawn, troubles)
