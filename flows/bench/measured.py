"""The cost of a piece of work."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

Measured = dict[str, Any]  # the figures of a piece of work, as JSON


def measured(run: Callable[[], dict[str, int]]) -> Measured:
    """Processor time and clock time in seconds, and peak memory in bytes. `startup`: processor seconds before it."""
    startup, wall = time.process_time(), time.perf_counter()
    rows = run()
    return {
        "startup": startup,
        "cpu": time.process_time() - startup,
        "wall": time.perf_counter() - wall,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10,
        "rows": rows,
        "steps": [],
    }
