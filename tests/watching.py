"""Every call of a function of ours, or of the operating system's, while something runs."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from nights import ROOT


@contextmanager
def watching(seen: Callable[[int], object], *, is_of_system: bool = False) -> Iterator[None]:
    """Tell `seen` of each call's number, from 1; it may raise, or kill the process. `is_of_system`: of the operating
    system's calls alone."""
    numbers = count(1)

    def called(frame: object, event: str, called_c: object) -> None:
        is_ours = not is_of_system and event == "call" and frame.f_code.co_filename.startswith(str(ROOT))
        if is_ours or (event == "c_call" and getattr(called_c, "__module__", "") == "posix"):
            seen(next(numbers))

    sys.setprofile(called)
    try:
        yield
    finally:
        sys.setprofile(None)
