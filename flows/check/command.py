"""`rapport check`: everything that is wrong with the clinic file and the exports, in one run.

First every file is read past its problems, and each is told with the key that mends it. Where none of them would stop a
night, a whole night is tried on a copy of the warehouse, and its report follows. Nothing is published.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from rapport.flows.check.check_files import check_files
from rapport.flows.check.clinic_errors import read_past_errors
from rapport.flows.check.print_check import print_files
from rapport.flows.load import run_with_retries
from rapport.flows.messages.literal import console
from rapport.flows.messages.report import Progress, print_report, report_of
from rapport.flows.night import night
from rapport.flows.order import need_exports, place_order
from rapport.flows.terminal import arguments, finish, print_error, read_time
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.errors import RapportError, Unusable


def main(argv: list[str] | None = None) -> int:
    """Check the files, then try a night. The exit status is that of the night: 0, 4, 1 where it would stop, or 2."""
    parser = arguments("check", "Say everything that is wrong before a night.", exports=True)
    parser.add_argument("--as-of", metavar="TIME", help="the night's clock, ISO 8601; default now")
    parser.add_argument("--quick", action="store_true", help="read the files, and try no night")
    options = parser.parse_args(argv)
    return finish(lambda: _check(options), options.warehouse)


def check_night(exports: Path, clinic: Path, warehouse: Path, as_of: str | None) -> int:
    """Try a night and print its report. Raises RapportError where it would stop."""
    order = place_order(exports, clinic, warehouse, as_of, is_check=True)
    with Progress() as progress:
        report = report_of(run_with_retries(lambda: night(order, progress=progress), progress))
    print_report(report)
    return report.status


def _check(options: argparse.Namespace) -> int:
    clinic, errors = read_past_errors(options.clinic)
    need_exports(options.exports)
    if not errors:
        place_order(options.exports, options.clinic, options.warehouse, options.as_of, is_check=True)
    if clinic is None:
        raise Unusable("; ".join(f"clinic file {options.clinic.name}: {error}" for error in errors))
    with Progress() as progress:
        found = check_files(options.exports, clinic, _clock(options.as_of, clinic), progress)
    print_files(console(), found, errors)
    if errors:
        return Unusable.status
    if found.stops:
        print_error("A night would stop, so none was tried.")
        return RapportError.status
    if options.quick or not found.files:
        return 0
    return check_night(options.exports, options.clinic, options.warehouse, options.as_of)


def _clock(as_of: str | None, clinic: Clinic) -> datetime:
    return datetime.now(UTC) if as_of is None else read_time("--as-of", as_of, clinic.zone)
