"""A load: it holds the lock, records its failure, and leaves nothing half-made."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from rapport.flows.failures import sayable
from rapport.flows.order import Order
from rapport.flows.pages.draw import show_warnings, show_warnings_if_behind
from rapport.flows.stopping import note_published, stopped
from rapport.flows.workbench import Load, Runner, run_directly, show_no_progress
from rapport.warehouse.errors import Passing
from rapport.warehouse.places.attempts import note_attempt
from rapport.warehouse.places.folders import night_lock
from rapport.warehouse.places.publication import writing
from rapport.warehouse.places.scratch import scratch_folder
from rapport.warehouse.places.versions import current_load, current_version
from rapport.warehouse.published.current_load import next_load_id
from rapport.warehouse.store.opening import named

Result = TypeVar("Result")
PAUSES = (60.0, 300.0)  # seconds before each new try after a passing failure


def run_with_retries(
    run: Callable[[], Result], progress: Callable[[str], None], pause: Callable[[float], None] = time.sleep
) -> Result:
    """Run a whole night, and run it again after an error that may pass by itself. A failed night has changed
    nothing."""
    for seconds in PAUSES:
        try:
            return run()
        except Passing as error:
            progress(f"{error}; it is tried again in {seconds:.0f} seconds")
            pause(seconds)
    return run()


@contextmanager
def at_work(
    order: Order,
    purpose: str,
    progress: Callable[[str], None] = show_no_progress,
    run: Runner = run_directly,
    base: Path | None = None,
) -> Iterator[Load]:
    """Hold the lock for a load. Its failure is recorded and raised as a safe sentence, and nothing half-made is left.

    `base`: the version to begin from; by default the published one. Raises RapportError; NightRunning when another load
    holds the lock. A signal that Prefect handles is passed on to Prefect.
    """
    with _hold(order), scratch_folder(order.folders.building, purpose) as scratch:
        base = base or current_version(order.folders.published)
        load = Load(order, purpose, next_load_id(order.folders), datetime.now(UTC), scratch, base, progress, run)
        try:
            yield load
            _note_publication(load)
        except BaseException as error:
            _note_publication(load)
            failure = sayable(named(error, base) if base and isinstance(error, Exception) else error)
            _note(load, str(failure))
            _tell_readers(order)
            if isinstance(error, Exception) or stopped():
                raise failure from None
            raise
        finally:
            _close(load)


def _note_publication(load: Load) -> None:
    is_published = current_load(load.order.folders.published) == load.load_id
    note_published(load.load_id if is_published else None)


def _close(load: Load) -> None:
    """Close the connections. On a failing disk that fails too, and is ignored: the file is deleted."""
    for con in reversed(load.connections):
        with suppress(Exception):
            con.interrupt()  # a query that a signal interrupted still runs, and closing would wait for it
            con.close()


@contextmanager
def _hold(order: Order) -> Iterator[None]:
    """Hold the lock. The remains of an interrupted load are cleaned first, except in a check, which changes nothing."""
    with night_lock(order.folders) if order.is_check else writing(order.folders):
        if not order.is_check:
            with suppress(Exception):  # the load matters more, and draws the pages or reports their failure itself
                show_warnings_if_behind(order)
        yield


def _note(load: Load, reason: str) -> None:
    """Record a failed load. The next night that publishes enters it in the books. A check is not recorded."""
    order = load.order
    if not order.is_check:
        with suppress(OSError):  # on a full disk, the reason of the failure matters more than its record
            note_attempt(order.folders, load.load_id, load.purpose, order.as_of, load.started_at, reason)


def _tell_readers(order: Order) -> None:
    """Show on the pages that a night failed. Errors are ignored here: the reason of the failure matters more."""
    if not order.is_check:
        with suppress(Exception):
            show_warnings(order)
