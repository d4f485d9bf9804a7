"""Every call of a function of ours, or of the operating system's, while something runs."""

import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import count

from tests.clinics.nights import ROOT


@contextmanager
def watching(
    seen: Callable[[int], object], *, is_of_system: bool = False, names: Collection[str] = ()
) -> Iterator[None]:
    """Tell `seen` of each call's number, from 1; it may raise, or kill the process. `is_of_system`: of the operating
    system's calls alone; `names`: of those of these names."""
    numbers = count(1)

    def called(frame: object, event: str, called_c: object) -> None:
        is_ours = not (is_of_system or names) and event == "call" and frame.f_code.co_filename.startswith(str(ROOT))
        is_system_s = event == "c_call" and getattr(called_c, "__module__", "") == "posix"
        if is_ours or (is_system_s and (not names or called_c.__name__ in names)):
            seen(next(numbers))

    sys.setprofile(called)
    try:
        yield
    finally:
        sys.setprofile(None)
