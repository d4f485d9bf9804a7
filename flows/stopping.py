"""Signals that end a command (SIGTERM, SIGINT, SIGHUP): it ends as after an error, and exits with 128 + the number.

Python's own handling is not enough. After SIGTERM it cleans nothing, so a night's Prefect server outlived its night.
DuckDB turns the exception of a signal into an error of its own, which a night took for a fault of Rapport. So the
signal is remembered, and every later failure is explained by it.
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
A_MOMENT = 0.01  # seconds of processor time; Prefect uses the other timer
_HOLD_LOCKS = ("<frozen importlib", logging.__file__)


class Stop(KeyboardInterrupt):
    """Raised in the main thread. It is no Exception, so that code that goes on after errors ends too."""


@dataclass
class _Process:
    """Whether this process handles signals itself, the first signal that came, and the load that it has published."""

    answers: bool = False
    came: int | None = None
    load_id: int | None = None


_process = _Process()


def _stop(number: int, frame: FrameType | None) -> None:
    is_first, _process.came = _process.came is None, _process.came or number
    if is_first and isinstance(sys.exc_info()[1], KeyboardInterrupt):
        return  # polars handles SIGINT too, and has already raised KeyboardInterrupt
    _raise(number, frame)


def _raise(_: int, frame: FrameType | None) -> None:
    """Raise Stop; a moment later where an import or the log holds a lock, which would never be released."""
    if frame and frame.f_code.co_filename.startswith(_HOLD_LOCKS):
        signal.setitimer(signal.ITIMER_VIRTUAL, A_MOMENT)
    else:
        raise Stop


@contextmanager
def stoppable() -> Iterator[None]:
    """Handle signals inside the block. Raises Stopped. A second signal interrupts the cleaning too."""
    if _process.answers or threading.current_thread() is not threading.main_thread():
        yield
        return
    # A command that nohup or a shell started in the background ignores some signals. It still ignores them here.
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
    """Whether this process handles signals itself. A command by hand does; a run that Prefect started does not."""
    return _process.answers


@contextmanager
def again_stoppable() -> Iterator[None]:
    """Handle SIGTERM inside a flow that a command by hand runs, in place of Prefect's own handler."""
    if not _process.answers:
        yield
        return
    theirs = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, theirs)


def stopped(error: BaseException | None = None) -> Stopped | None:
    """The signal that came, or the signal that another handler raised as `error`; None where none came."""
    if _process.came:
        return Stopped(_process.came, _process.load_id)
    if isinstance(error, KeyboardInterrupt):
        return Stopped(signal.SIGINT)
    number = None if isinstance(error, Exception) else getattr(error, "signal", None)  # of Prefect's TerminationSignal
    return None if number is None else Stopped(number)


def note_published(load_id: int | None) -> None:
    """Remember the load that is published, for the message after a signal."""
    if _process.answers:
        _process.load_id = load_id


def check_stopped() -> None:
    """Raise Stop again where other code has swallowed it. A question that was interrupted has not failed."""
    if _process.came:
        raise Stop
