"""A load: it holds the lock, its failure is noted and said, and nothing half-made is left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from rapport.flows.failures import sayable
from rapport.flows.order import Order
from rapport.flows.pages.draw import say, say_if_behind
from rapport.flows.stopping import note_published, stopped
from rapport.flows.workbench import Load, Runner, plainly, silently
from rapport.warehouse.errors import Passing
from rapport.warehouse.places.attempts import note_attempt
from rapport.warehouse.places.folders import night_lock
from rapport.warehouse.places.publication import writing
from rapport.warehouse.places.scratch import scratch_folder
from rapport.warehouse.places.versions import current_load, current_version
from rapport.warehouse.published.current_load import next_load_id
from rapport.warehouse.store.opening import named

Made = TypeVar("Made")
PAUSES = (60.0, 300.0)  # seconds before what failed in passing is tried again


def persistently(
    run: Callable[[], Made], told: Callable[[str], None], pause: Callable[[float], None] = time.sleep
) -> Made:
    """A whole night, tried again after what may pass by itself: a night that failed has changed nothing."""
    for seconds in PAUSES:
        try:
            return run()
        except Passing as error:
            told(f"{error}; it is tried again in {seconds:.0f} seconds")
            pause(seconds)
    return run()


@contextmanager
def at_work(
    order: Order,
    purpose: str,
    told: Callable[[str], None] = silently,
    run: Runner = plainly,
    base: Path | None = None,
) -> Iterator[Load]:
    """Hold the lock for a load; whatever fails or stops it is noted and said safely, and nothing half-made is left.

    `base`: the version to begin from; by default the published one. Raises RapportError; NightRunning when another load
    holds the lock. A signal that Prefect answers goes on to it.
    """
    with _hold(order), scratch_folder(order.folders.building, purpose) as scratch:
        base = base or current_version(order.folders.published)
        load = Load(order, purpose, next_load_id(order.folders), datetime.now(UTC), scratch, base, told, run)
        try:
            yield load
            _note_publication(load)
        except BaseException as error:
            _note_publication(load)
            said = sayable(named(error, base) if base and isinstance(error, Exception) else error)
            _note(load, str(said))
            _tell_readers(order)
            if isinstance(error, Exception) or stopped():
                raise said from None
            raise
        finally:
            _close(load)


def _note_publication(load: Load) -> None:
    is_published = current_load(load.order.folders.published) == load.load_id
    note_published(load.load_id if is_published else None)


def _close(load: Load) -> None:
    """On a failing disk closing fails too; the file is thrown away."""
    for con in reversed(load.connections):
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


def _note(load: Load, reason: str) -> None:
    """A night that failed is in the books of the next that publishes. A check is not a night."""
    order = load.order
    if not order.is_check:
        with suppress(OSError):  # a full disk: why the night failed matters more than the note of it
            note_attempt(order.folders, load.load_id, load.purpose, order.as_of, load.started_at, reason)


def _tell_readers(order: Order) -> None:
    """The pages stay, and say that a night failed; whether or not they can be told, why it failed matters more."""
    if not order.is_check:
        with suppress(Exception):
            say(order)
