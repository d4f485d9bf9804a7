"""What a piece of work costs."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

Measured = dict[str, Any]  # the figures of a piece, as JSON


def measured(run: Callable[[], dict[str, int]]) -> Measured:
    """Processor time, time on the clock and peak memory of a piece; `startup` is what came before it."""
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
