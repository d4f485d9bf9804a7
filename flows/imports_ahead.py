"""Great Expectations and the statistics take seconds to import: a night imports them behind its reading."""

from __future__ import annotations

import gc
import threading

from rapport import transforms


def import_libraries_ahead() -> None:
    """Begin the imports, and go on.

    Not in a daemon thread: Python ends those at exit, and one that is inside a library's C++ then aborts the process,
    so that a night refused at once ended with the status of a crash.
    """
    threading.Thread(target=_import_libraries).start()


def _import_libraries() -> None:
    import rapport.expectations.gx_on_duckdb  # noqa: F401, PLC0415

    transforms.import_statistics()
    gc.freeze()  # what libraries brought is no garbage: looking through it again takes a quarter of a second each time
