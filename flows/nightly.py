"""The night on one page: today = night(yesterday, exports).

    python -m flows.nightly --exports DIR --clinic FILE --warehouse DIR [--as-of TIME] [--check]

Exit status: 0 published; 1 the night failed and yesterday's warehouse stands; 2 unusable arguments or clinic file;
3 another night is running; 4 published, but a source is overdue.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import flows.settings  # noqa: F401  before Prefect
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.night import night, sayable
from flows.order import Order, Tonight, place_order
from flows.report import Progress, Report, report_of, tell
from warehouse.errors import NightRunning, RapportError, Unusable

PUBLISHED, FAILED, UNUSABLE, RUNNING, LATE = range(5)


@flow(name="nightly", description="Load what came, check it, compute it, publish it.", validate_parameters=False)
def nightly(exports: str, clinic: str, warehouse: str, as_of: str | None = None, check: bool = False) -> Report:
    """One night. Raises RapportError; then yesterday's warehouse stands."""
    order = place_order(Path(exports), Path(clinic), Path(warehouse), as_of, is_check=check)
    try:
        return report_of(night(order, run=as_task, told=Progress()))
    except NightRunning:
        raise
    except RapportError as error:
        tell_operators(order, str(error))
        raise


def as_task(name: str, step: Callable[[Tonight], None], tonight: Tonight) -> None:
    """Run a step as a Prefect task; what it raises is safe to log."""

    @task(name=name, cache_policy=NO_CACHE, persist_result=False)
    def run() -> None:
        try:
            tonight.timed(name, step)
        except Exception as error:
            raise sayable(error) from None

    run()


def tell_operators(order: Order, reason: str) -> None:
    """Run the clinic's on_failure command with the one-line reason as its last argument."""
    if not order.clinic.on_failure:
        return
    try:
        subprocess.run([*shlex.split(order.clinic.on_failure), reason], check=True, timeout=60, capture_output=True)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"on_failure could not be run ({type(error).__name__}); check it in the clinic file", file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Run one night from the command line; its exit status says how it went."""
    given = _arguments(arguments)
    try:
        place_order(given.exports, given.clinic, given.warehouse, given.as_of)
        report = nightly(str(given.exports), str(given.clinic), str(given.warehouse), given.as_of, given.check)
    except RapportError as error:
        print(error.told, file=sys.stderr)
        return UNUSABLE if isinstance(error, Unusable) else RUNNING if isinstance(error, NightRunning) else FAILED
    tell(report)
    return LATE if report.late_sources else PUBLISHED


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m flows.nightly", description="Run one night.")
    parser.add_argument("--exports", type=Path, required=True, metavar="DIR", help="where the exports arrive")
    parser.add_argument("--clinic", type=Path, required=True, metavar="FILE", help="the clinic's file, clinic.toml")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR", help="the warehouse folder")
    parser.add_argument("--as-of", metavar="TIME", help="the night's clock, ISO 8601; default now")
    parser.add_argument("--check", action="store_true", help="read, map and count, and publish nothing")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
