"""What the commands for ops share: their arguments, the times that these give, and their exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

from rapport.flows.failures import sayable
from rapport.flows.private.open_erasures import tell_open
from rapport.flows.stopping import stoppable
from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.folders import Folders

PUBLISHED, TROUBLED = 0, 4  # what a load that cannot go on exits with, its error says
YEARS = range(1970, 2200)  # of what is typed: another year is a slip, and near the years 1 and 9999 clocks overflow


def arguments(command: str, description: str, *, exports: bool = False) -> argparse.ArgumentParser:
    """A parser with --clinic and --warehouse, and with --exports where the command looks into the exports."""
    parser = argparse.ArgumentParser(prog=f"rapport {command}", description=description)
    if exports:
        parser.add_argument("--exports", type=Path, required=True, metavar="DIR", help="where the exports arrive")
    parser.add_argument("--clinic", type=Path, required=True, metavar="FILE", help="the clinic's file, clinic.toml")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR", help="the warehouse folder")
    return parser


def read_time(option: str, text: str, zone: tzinfo) -> datetime:
    """A time as it is typed, in UTC; of the zone where it names none. Raises Unusable that names the option."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        given = None
    if given is None or given.year not in YEARS:
        raise Unusable(f"{option} '{text}' is not an ISO 8601 time such as 2026-11-22T03:00, {_OF_YEARS}")
    return (given if given.tzinfo else given.replace(tzinfo=zone)).astimezone(UTC)


def read_day(option: str, text: str) -> date:
    """A day as it is typed. Raises Unusable that names the option."""
    try:
        given = date.fromisoformat(text)
    except ValueError:
        given = None
    if given is None or given.year not in YEARS:
        raise Unusable(f"{option} '{text}' is not a day such as 2026-11-22, {_OF_YEARS}")
    return given


_OF_YEARS = f"of the years {YEARS[0]} to {YEARS[-1]}"


def capital(text: str) -> str:
    """A clause as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def complain(line: str) -> None:
    """Say something on standard error, unless its terminal was closed: what comes after it matters more."""
    with suppress(OSError):
        print(line, file=sys.stderr)


def finish(command: Callable[[], int | None], warehouse: Path | None = None) -> int:
    """Run a command; why it failed or stopped is one sentence on standard error and its exit status, never a traceback:
    its lines may hold values. An erasure of the warehouse that is not finished is named."""
    said = None
    try:
        with stoppable():
            status = command() or 0
    except Exception as error:
        said = sayable(error)
        complain(said.told)
        status = said.status
    if warehouse is not None:
        tell_open(Folders(warehouse), said)
    return status
