"""Great Expectations and the statistics libraries take seconds to import. A night imports them while it reads."""

from __future__ import annotations

import gc
import threading

from rapport import transforms


def import_libraries_ahead() -> None:
    """Start the imports in a thread of their own, and return.

    The thread is no daemon thread. Python ends daemon threads at exit, and one inside a library's C++ code then aborts
    the process. So a night that was refused at once ended with the exit status of a crash.
    """
    threading.Thread(target=_import_libraries).start()


def _import_libraries() -> None:
    import rapport.expectations.gx_on_duckdb  # noqa: F401, PLC0415

    transforms.import_statistics()
    gc.freeze()  # objects of libraries are never garbage: each search through them takes a quarter of a second
