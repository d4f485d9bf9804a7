"""`rapport check`: everything that is wrong with the clinic file and the exports, in one run.

First every file is read past its problems, and each is told with the key that mends it. Where none of them would stop a
night, a whole night is tried on a copy of the warehouse, and its report follows. Nothing is published.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rapport.flows.check.check_files import check_files
from rapport.flows.check.clinic_errors import read_past_errors
from rapport.flows.check.print_check import print_files
from rapport.flows.load import run_with_retries
from rapport.flows.messages.literal import console
from rapport.flows.messages.report import Progress, print_report, report_of
from rapport.flows.night import night
from rapport.flows.order import Order, need_exports, place_order
from rapport.flows.terminal import arguments, finish, print_error, read_time
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.errors import RapportError, Unusable


def main(argv: list[str] | None = None) -> int:
    """Check the files, then try a night. The exit status is that of the night: 0, 4, 1 where it would stop, or 2."""
    parser = arguments("check", "Say everything that is wrong before a night.", exports=True)
    parser.add_argument("--as-of", metavar="TIME", help="the night's clock, ISO 8601; default now")
    parser.add_argument("--quick", action="store_true", help="read the files, and try no night")
    options = parser.parse_args(argv)
    given = (options.exports, options.clinic, options.warehouse, options.as_of)
    return finish(lambda: check(*given, is_quick=options.quick), options.warehouse)


def check(exports: Path, clinic: Path, warehouse: Path, as_of: str | None, *, is_quick: bool = False) -> int:
    """Print everything that is wrong, and return the exit status. `is_quick`: no night is tried. Raises RapportError
    where the arguments cannot be used, or where the night that is tried would stop."""
    facts, errors = read_past_errors(clinic)
    if facts is None:
        raise Unusable("; ".join(f"clinic file {clinic.name}: {error}" for error in errors))
    need_exports(exports)
    order = None if errors else place_order(exports, clinic, warehouse, as_of, is_check=True)
    with Progress() as progress:
        found = check_files(exports, facts, _clock(as_of, facts), progress)
    print_files(console(), found, errors)
    if order is None:
        return Unusable.status
    if found.stops:
        print_error("A night would stop, so none was tried.")
        return RapportError.status
    return 0 if is_quick else _try_night(order)


def _try_night(order: Order) -> int:
    with Progress() as progress:
        report = report_of(run_with_retries(lambda: night(order, progress=progress), progress))
    print_report(report)
    return report.status


def _clock(as_of: str | None, clinic: Clinic) -> datetime:
    return datetime.now(UTC) if as_of is None else read_time("--as-of", as_of, clinic.zone)
