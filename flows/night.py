"""today = night(yesterday, exports): the steps in order, and what happens when one of them fails."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from rapport import transforms
from rapport.flows.failures import sayable
from rapport.flows.order import Order, Tonight
from rapport.flows.pages.draw import draw, say, say_if_behind
from rapport.flows.steps.begin import begin
from rapport.flows.steps.check import check_records, check_tables
from rapport.flows.steps.compute import compute, compute_clinic, keep
from rapport.flows.steps.done_again import discover
from rapport.flows.steps.publish import publish
from rapport.flows.steps.read import read_deliveries
from rapport.flows.stopping import check_stopped, note_published, stopped
from rapport.warehouse.errors import Passing
from rapport.warehouse.places.attempts import note_attempt
from rapport.warehouse.places.folders import night_lock
from rapport.warehouse.places.publication import writing
from rapport.warehouse.places.scratch import scratch_folder
from rapport.warehouse.places.versions import current_load
from rapport.warehouse.published.current_load import next_load_id
from rapport.warehouse.store.opening import named

Runner = Callable[[str, Callable[[Tonight], None], Tonight], None]

STEPS = {
    "begin": begin,
    "discover": discover,
    "read": read_deliveries,
    "check records": check_records,
    "keep history": keep,
    "compute tables": compute,
    "compute clinic tables": compute_clinic,
    "check tables": check_tables,
    "publish": publish,
    "draw pages": draw,
}
CHECK_STEPS = ("begin", "discover", "read", "check records")


PAUSES = (60.0, 300.0)  # seconds before what failed in passing is tried again


def plainly(name: str, step: Callable[[Tonight], None], tonight: Tonight) -> None:
    """Run a step as a plain function."""
    tonight.timed(name, step)


def night(order: Order, run: Runner = plainly, told: Callable[[str], None] = lambda line: None) -> Tonight:
    """Run a night. Raises RapportError; then yesterday's warehouse stands and the building file is gone."""
    with at_work(order, "night", told) as tonight:
        threading.Thread(target=_import_libraries).start()
        for name, step in STEPS.items():
            if name in CHECK_STEPS or not order.is_check:
                told(name)
                run(name, step, tonight)
                check_stopped()
    return tonight


def persistently(
    run: Callable[[], Tonight], told: Callable[[str], None], pause: Callable[[float], None] = time.sleep
) -> Tonight:
    """A whole night, tried again after what may pass by itself: a night that failed has changed nothing."""
    for seconds in PAUSES:
        try:
            return run()
        except Passing as error:
            told(f"{error}; it is tried again in {seconds:.0f} seconds")
            pause(seconds)
    return run()


@contextmanager
def at_work(order: Order, purpose: str, told: Callable[[str], None] = lambda line: None) -> Iterator[Tonight]:
    """Hold the lock for a load; whatever fails or stops it is noted and said safely, and nothing half-made is left.

    Raises RapportError; NightRunning when another load holds the lock. A signal that Prefect answers goes on to it.
    """
    with _hold(order), scratch_folder(order.folders.building, purpose) as scratch:
        tonight = Tonight(order, datetime.now(UTC), scratch, next_load_id(order.folders), purpose, told=told)
        try:
            yield tonight
            _note_publication(tonight)
        except BaseException as error:
            _note_publication(tonight)
            said = sayable(named(error, tonight.base) if tonight.base else error)
            _note(tonight, str(said))
            _tell_readers(tonight)
            if isinstance(error, Exception) or stopped():
                raise said from None
            raise
        finally:
            _close(tonight)


def _note_publication(tonight: Tonight) -> None:
    is_published = current_load(tonight.order.folders.published) == tonight.load_id
    note_published(tonight.load_id if is_published else None)


def _close(tonight: Tonight) -> None:
    """On a failing disk closing fails too; the file is thrown away."""
    for con in (*tonight.cursors, tonight.con):
        with suppress(Exception):
            con.interrupt()  # what a signal broke off goes on, and closing would wait for it
            con.close()


@contextmanager
def _hold(order: Order) -> Iterator[None]:
    """The lock. What an interrupted load left is dealt with first, but not by a check, which changes nothing."""
    with night_lock(order.folders) if order.is_check else writing(order.folders):
        if not order.is_check:
            with suppress(Exception):  # the load matters more, and draws them or says so itself
                say_if_behind(order)
        yield


def _import_libraries() -> None:
    """Great Expectations and the statistics take seconds to import: that is hidden behind the reading.

    Not in a daemon thread: Python ends those at exit, and one that is inside a library's C++ then aborts the process,
    so that a night refused at once ended with the status of a crash.
    """
    import rapport.expectations.gx_on_duckdb  # noqa: F401, PLC0415

    transforms.import_statistics()
    gc.freeze()  # what libraries brought is no garbage: looking through it again takes a quarter of a second each time


def _note(tonight: Tonight, reason: str) -> None:
    """A night that failed is in the books of the next that publishes. A check is not a night."""
    order = tonight.order
    if not order.is_check:
        with suppress(OSError):  # a full disk: why the night failed matters more than the note of it
            note_attempt(order.folders, tonight.load_id, tonight.purpose, order.as_of, tonight.started_at, reason)


def _tell_readers(tonight: Tonight) -> None:
    """The pages stay, and say that a night failed; whether or not they can be told, why it failed matters more."""
    if not tonight.order.is_check:
        with suppress(Exception):
            say(tonight.order)
