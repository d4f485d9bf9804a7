"""The night on one page: today = night(yesterday, exports).

    python -m flows.nightly --exports DIR --clinic FILE --warehouse DIR [--as-of TIME] [--check]

Exit status: 0 published; 1 the night failed and yesterday's warehouse stands; 2 unusable arguments or clinic file;
3 another night is running; 4 published, but a source is overdue, or a question or the pages failed.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import flows.settings  # noqa: F401  before Prefect

# isort: split
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.night import night, sayable
from flows.order import Tonight, place_order
from flows.report import Progress, Report, report_of, tell
from warehouse.clinic import read_clinic
from warehouse.errors import NightRunning, RapportError

PUBLISHED, TROUBLED = 0, 4  # what a night that cannot go on exits with, its error says


@flow(name="nightly", description="Load what came, check it, compute it, publish it.", validate_parameters=False)
def nightly(exports: str, clinic: str, warehouse: str, as_of: str | None = None, check: bool = False) -> Report:
    """One night. Raises RapportError; then yesterday's warehouse stands."""
    with telling_operators(Path(clinic), check):
        order = place_order(Path(exports), Path(clinic), Path(warehouse), as_of, is_check=check)
        with Progress() as progress:
            return report_of(night(order, run=as_task, told=progress))


def as_task(name: str, step: Callable[[Tonight], None], tonight: Tonight) -> None:
    """Run a step as a Prefect task; what it raises is safe to log."""

    @task(name=name, cache_policy=NO_CACHE, persist_result=False)
    def run() -> None:
        try:
            tonight.timed(name, step)
        except Exception as error:
            raise sayable(error) from None

    run()


@contextmanager
def telling_operators(clinic: Path, check: bool) -> Iterator[None]:
    """When a night fails, run the clinic's on_failure command with the one-line reason as its last argument."""
    on_failure = read_clinic(clinic).on_failure
    try:
        yield
    except NightRunning:
        raise
    except RapportError as error:
        if on_failure and not check:
            _run_on_failure(on_failure, str(error))
        raise


def _run_on_failure(command: str, reason: str) -> None:
    try:
        subprocess.run([*shlex.split(command), reason], check=True, timeout=60, capture_output=True)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(f"on_failure could not be run ({type(error).__name__}); check it in the clinic file", file=sys.stderr)


def main(arguments: list[str] | None = None) -> int:
    """Run one night from the command line; its exit status says how it went."""
    given = _arguments(arguments)
    try:
        with telling_operators(given.clinic, given.check):
            place_order(given.exports, given.clinic, given.warehouse, given.as_of)
        report = _through_prefect(given)
    except RapportError as error:
        print(error.told, file=sys.stderr)
        return error.status
    tell(report)
    return status_of(report)


def status_of(report: Report) -> int:
    """The exit status of a night that published."""
    return TROUBLED if report.late_sources or report.failed_questions or report.pages_failed else PUBLISHED


def _through_prefect(given: argparse.Namespace) -> Report:
    try:
        return nightly(str(given.exports), str(given.clinic), str(given.warehouse), given.as_of, given.check)
    except RapportError:
        raise
    except Exception as error:  # Prefect's own: the flow could not tell anybody
        with telling_operators(given.clinic, given.check):
            raise _said(error) from None


def _said(error: Exception) -> RapportError:
    if "Failed to reach API" in str(error):
        return RapportError("the Prefect server of PREFECT_API_URL does not answer; start it, or unset PREFECT_API_URL")
    return sayable(error)


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
