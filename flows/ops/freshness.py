"""Whether the last due night has published: for cron, systemd or any monitor, without Prefect.

    rapport freshness --clinic FILE --warehouse DIR [--as-of TIME] [--tell]

Prints one line. Exit status: 0 it has; 1 it has not, or that is not known. With --tell, the operators get a message, as
after a failed night.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rapport.flows.failures import sayable
from rapport.flows.private.open_erasures import print_open
from rapport.flows.terminal import read_time
from rapport.warehouse.clinic_file.schedule import Schedule, read_schedule
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.published.current_load import PublishedLoad, published_load

CLOCKS_DIFFER = timedelta(minutes=5)  # the most that the clocks of the night's machine and of this machine may differ


@dataclass(frozen=True)
class Verdict:
    """Whether the published warehouse is fresh, with one line of text."""

    is_fresh: bool
    line: str


def judge(schedule: Schedule, published: PublishedLoad | None, now: datetime) -> Verdict:
    """The warehouse is fresh when its load is that of the latest night that should be ready by now, or a later one."""
    due = schedule.last_due(now)
    if published and published.as_of > now + CLOCKS_DIFFER:
        return Verdict(
            False, f"not known: {_load_and_time(published, schedule)} is later than this machine's clock; set the clock"
        )
    if due is None or (published and published.as_of >= due.begins_at):
        return Verdict(True, f"fresh: {_load_and_time(published, schedule)} is published")
    began, ready = (_local_time(at, schedule) for at in (due.begins_at, due.ready_at))
    missing = f"the night due on {began} should have published by {ready}"
    return Verdict(
        False, f"stale: {missing}, and {_load_and_time(published, schedule)} stands; see RUNBOOK.md, 'Stale'"
    )


def _load_and_time(published: PublishedLoad | None, schedule: Schedule) -> str:
    return f"load {published.load_id} of {_local_time(published.as_of, schedule)}" if published else "nothing yet"


def _local_time(at: datetime, schedule: Schedule) -> str:
    return f"{at.astimezone(schedule.zone):%A %Y-%m-%d %H:%M}"


def verdict_on(clinic: Path, warehouse: Path, as_of: str | None) -> Verdict:
    """The verdict on a warehouse. An error makes it not fresh."""
    try:
        schedule = read_schedule(clinic)
        now = datetime.now(UTC) if as_of is None else read_time("--as-of", as_of, schedule.zone)
        return judge(schedule, published_load(Folders(warehouse)), now)
    except Exception as error:
        return Verdict(False, f"not known: {sayable(error)}")


def main(argv: list[str] | None = None) -> int:
    """Print the verdict. A monitor knows 0 and 1, so unusable arguments are 1 too."""
    parser = argparse.ArgumentParser(prog="rapport freshness", description="Is tonight's night published?")
    parser.add_argument("--clinic", type=Path, required=True, metavar="FILE", help="the clinic's file, clinic.toml")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR", help="the warehouse folder")
    parser.add_argument("--as-of", metavar="TIME", help="the clock to judge by, ISO 8601; default now")
    parser.add_argument("--tell", action="store_true", help="tell the operators when it is not, and when it is again")
    try:
        options = parser.parse_args(argv)
    except SystemExit as ended:
        return int(bool(ended.code))
    verdict = verdict_on(options.clinic, options.warehouse, options.as_of)
    print(verdict.line)
    if options.tell:
        from rapport.flows.messages.tell import operators  # noqa: PLC0415  a look alone reads no instruments

        operators(options.clinic, options.warehouse).report_freshness(verdict.line, is_fresh=verdict.is_fresh)
    print_open(Folders(options.warehouse))
    return 0 if verdict.is_fresh else 1
