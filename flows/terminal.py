"""The arguments, times and exit statuses that all commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

from rapport.flows.failures import sayable
from rapport.flows.private.open_erasures import print_open
from rapport.flows.stopping import stoppable
from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.folders import Folders

PUBLISHED, TROUBLED = 0, 4  # exit statuses of loads that published; an error has a status of its own
YEARS = range(1970, 2200)  # the years of typed times: another is a mistake, and near 1 and 9999 dates overflow


def arguments(command: str, description: str, *, exports: bool = False) -> argparse.ArgumentParser:
    """A parser with --clinic and --warehouse, and with --exports for a command that reads the exports."""
    parser = argparse.ArgumentParser(prog=f"rapport {command}", description=description)
    if exports:
        parser.add_argument("--exports", type=Path, required=True, metavar="DIR", help="where the exports arrive")
    parser.add_argument("--clinic", type=Path, required=True, metavar="FILE", help="the clinic's file, clinic.toml")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR", help="the warehouse folder")
    return parser


def read_time(option: str, text: str, zone: tzinfo) -> datetime:
    """A typed ISO 8601 time, in UTC. Without a zone of its own it is in `zone`. Raises Unusable, which names the
    option."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.year not in YEARS:
        raise Unusable(f"{option} '{text}' is not an ISO 8601 time such as 2026-11-22T03:00, {_OF_YEARS}")
    return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)


def read_day(option: str, text: str) -> date:
    """A typed day (YYYY-MM-DD). Raises Unusable, which names the option."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        raise Unusable(f"{option} '{text}' is not a day such as 2026-11-22, {_OF_YEARS}")
    return day


_OF_YEARS = f"of the years {YEARS[0]} to {YEARS[-1]}"


def capital(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def print_error(line: str) -> None:
    """Print a line on standard error. A closed terminal is ignored: the work after it matters more."""
    with suppress(OSError):
        print(line, file=sys.stderr)


def finish(command: Callable[[], int | None], warehouse: Path | None = None) -> int:
    """Run a command and return its exit status. The reason of a failure is one sentence on standard error, never a
    traceback, whose lines may contain values. An unfinished erasure in the warehouse is reported too."""
    failure = None
    try:
        with stoppable():
            status = command() or 0
    except Exception as error:
        failure = sayable(error)
        print_error(failure.told)
        status = failure.status
    if warehouse is not None:
        print_open(Folders(warehouse), failure)
    return status
