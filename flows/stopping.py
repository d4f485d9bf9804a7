"""Signals that end a command (SIGTERM, SIGINT, SIGHUP): it ends as after an error, and exits with 128 + the number.

Python's own way leaves much behind: SIGTERM runs no cleaning, so a night's Prefect server outlived its night. And
DuckDB turns what a signal raises into an error of its own, which a night took for a fault. So the signal is remembered:
what fails after it failed because of it.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from rapport.warehouse.errors import Stopped

Handler = Callable[[int, FrameType | None], None]
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
A_MOMENT = 0.01  # seconds of processor time; Prefect has the other timer
_HOLD_LOCKS = ("<frozen importlib", logging.__file__)


class Stop(KeyboardInterrupt):
    """Raised where the main thread is. It is no Exception, so that what goes on after errors ends too."""


@dataclass
class _Process:
    """Whether this process answers signals itself, which one came first, and the load that it has published."""

    answers: bool = False
    came: int | None = None
    load_id: int | None = None


_process = _Process()


def _stop(number: int, frame: FrameType | None) -> None:
    is_first, _process.came = _process.came is None, _process.came or number
    if is_first and isinstance(sys.exc_info()[1], KeyboardInterrupt):
        return  # polars answers SIGINT too, and has raised it
    _raise(number, frame)


def _raise(_: int, frame: FrameType | None) -> None:
    """Not where an import or the log holds a lock, which it would never give back: a moment later."""
    if frame and frame.f_code.co_filename.startswith(_HOLD_LOCKS):
        signal.setitimer(signal.ITIMER_VIRTUAL, A_MOMENT)
    else:
        raise Stop


@contextmanager
def stoppable() -> Iterator[None]:
    """Answer signals while something runs. Raises Stopped; a second signal breaks off the cleaning too."""
    if _process.answers or threading.current_thread() is not threading.main_thread():
        yield
        return
    # What a shell starts in the background, or nohup, ignores a signal: that stays so.
    ours: dict[int, Handler] = {number: _stop for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN}
    ours[signal.SIGVTALRM] = _raise
    before = {number: signal.signal(number, handler) for number, handler in ours.items()}
    _process.answers = True
    try:
        yield
    except BaseException as error:
        if _process.came is None or isinstance(error, Stopped):
            raise
        raise Stopped(_process.came, _process.load_id) from None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
        _process.answers, _process.came, _process.load_id = False, None, None


def is_stoppable() -> bool:
    """Whether this process answers signals itself: a command by hand does, a run of Prefect's does not."""
    return _process.answers


@contextmanager
def again_stoppable() -> Iterator[None]:
    """Answer SIGTERM inside a flow of a command by hand: Prefect has put a handler of its own."""
    if not _process.answers:
        yield
        return
    theirs = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, theirs)


def stopped(error: BaseException | None = None) -> Stopped | None:
    """The signal that came, or that somebody else's handler raised as `error`."""
    if _process.came:
        return Stopped(_process.came, _process.load_id)
    if isinstance(error, KeyboardInterrupt):
        return Stopped(signal.SIGINT)
    number = None if isinstance(error, Exception) else getattr(error, "signal", None)  # of Prefect's TerminationSignal
    return None if number is None else Stopped(number)


def note_published(load_id: int | None) -> None:
    """What stands from now on, whatever comes."""
    if _process.answers:
        _process.load_id = load_id


def check_stopped() -> None:
    """Raise again what somebody swallowed: a question that was interrupted has not failed."""
    if _process.came:
        raise Stop
