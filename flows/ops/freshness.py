"""Whether the night that should be published is: for cron, systemd or any monitor, apart from Prefect.

    rapport freshness --clinic FILE --warehouse DIR [--as-of TIME] [--tell]

Prints one line. Exit status: 0 it is; 1 it is not, or that cannot be known. With --tell the operators are told too,
as of a failed night.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rapport.flows.failures import sayable
from rapport.flows.private.open_erasures import tell_open
from rapport.flows.terminal import read_time
from rapport.warehouse.clinic_file.schedule import Schedule, read_schedule
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.published.current_load import Standing, standing

CLOCKS_DIFFER = timedelta(minutes=5)  # at most, between the machine that ran the night and the one that asks


@dataclass(frozen=True)
class Verdict:
    """Whether what is published is fresh, in one line."""

    is_fresh: bool
    line: str


def judge(schedule: Schedule, published: Standing | None, now: datetime) -> Verdict:
    """Fresh is what stands for the latest night that should be ready by now, or a later one."""
    due = schedule.last_due(now)
    if published and published.as_of > now + CLOCKS_DIFFER:
        return Verdict(False, f"not known: {_told(published, schedule)} lies ahead of this machine's clock; set that")
    if due is None or (published and published.as_of >= due.begins_at):
        return Verdict(True, f"fresh: {_told(published, schedule)} is published")
    began, ready = (_clock(at, schedule) for at in (due.begins_at, due.ready_at))
    missing = f"the night due on {began} should have published by {ready}"
    return Verdict(False, f"stale: {missing}, and {_told(published, schedule)} stands; see RUNBOOK.md, 'Stale'")


def _told(published: Standing | None, schedule: Schedule) -> str:
    return f"load {published.load_id} of {_clock(published.as_of, schedule)}" if published else "nothing yet"


def _clock(at: datetime, schedule: Schedule) -> str:
    return f"{at.astimezone(schedule.zone):%A %Y-%m-%d %H:%M}"


def look(clinic: Path, warehouse: Path, as_of: str | None) -> Verdict:
    """The verdict on a warehouse; what cannot be known is not fresh."""
    try:
        schedule = read_schedule(clinic)
        now = datetime.now(UTC) if as_of is None else read_time("--as-of", as_of, schedule.zone)
        return judge(schedule, standing(Folders(warehouse)), now)
    except Exception as error:
        return Verdict(False, f"not known: {sayable(error)}")


def main(arguments: list[str] | None = None) -> int:
    """Print the verdict. A monitor knows 0 and 1, so unusable arguments are 1 too."""
    parser = argparse.ArgumentParser(prog="rapport freshness", description="Is tonight's night published?")
    parser.add_argument("--clinic", type=Path, required=True, metavar="FILE", help="the clinic's file, clinic.toml")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR", help="the warehouse folder")
    parser.add_argument("--as-of", metavar="TIME", help="the clock to judge by, ISO 8601; default now")
    parser.add_argument("--tell", action="store_true", help="tell the operators when it is not, and when it is again")
    try:
        given = parser.parse_args(arguments)
    except SystemExit as ended:
        return int(bool(ended.code))
    verdict = look(given.clinic, given.warehouse, given.as_of)
    print(verdict.line)
    if given.tell:
        from rapport.flows.messages.tell import operators  # noqa: PLC0415  a look alone reads no instruments

        operators(given.clinic, given.warehouse).told_freshness(verdict.line, is_fresh=verdict.is_fresh)
    tell_open(Folders(given.warehouse))
    return 0 if verdict.is_fresh else 1
