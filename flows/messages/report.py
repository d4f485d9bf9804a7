"""The report of a night on the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console

from rapport.flows.intake.not_read import NotRead
from rapport.flows.messages.literal import console as terminal
from rapport.flows.messages.literal import grid, line
from rapport.flows.messages.match_tables import MatchRow, match_rows, print_matches
from rapport.flows.order import Order
from rapport.flows.private.expired_episodes import expired_of, told_of
from rapport.flows.results import Night
from rapport.flows.terminal import TROUBLED, capital
from rapport.flows.troubles import Troubles
from rapport.flows.workbench import StepTime
from rapport.warehouse.published.night_in_numbers import COUNTS, FileSums, SampleQuery, sample_query

SUITE_OUTCOMES = ("passed", "failed", "did_not_run")


@dataclass(frozen=True)
class Report:
    """The facts of a night's report."""

    clinic: str  # its name in the keys of artifacts
    load_id: int
    as_of: datetime
    is_check: bool
    published: Path | None
    files: list[FileSums]
    quarantine: list[tuple[str, str, int]]
    unlisted: list[tuple[str, str, int]]
    suites: dict[str, Counter[str]]
    tables: dict[str, int]
    steps: list[StepTime]
    waiting: Sequence[str]
    not_read: NotRead
    late_sources: list[str]
    troubles: Troubles
    vanished: list[tuple[str, int]]
    again: list[str]
    read_otherwise: dict[str, int]
    client_count: int
    matches: list[MatchRow]
    expired: list[str]
    sample: SampleQuery | None = None

    @property
    def status(self) -> int:
        """The exit status of the night."""
        return TROUBLED if self.late_sources else self.troubles.status


def report_of(night: Night) -> Report:
    """A night's report: plain facts, without a connection to the warehouse."""
    order, intake, publication = night.order, night.intake, night.publication
    checked, found = intake.checked, intake.found
    outcomes = [*checked.outcomes, *(publication.checked.outcomes if publication else ())]
    suites: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        suites.setdefault(outcome.suite, Counter())[outcome.outcome] += 1
    return Report(
        clinic=order.clinic.monitoring.slug,
        load_id=night.load_id,
        as_of=order.as_of.astimezone(order.clinic.zone),
        is_check=order.is_check,
        published=order.folders.published if publication else None,
        files=night.files,
        quarantine=checked.quarantine,
        unlisted=checked.unlisted,
        suites=suites,
        tables=publication.published.tables if publication else {},
        steps=night.steps,
        waiting=intake.waiting,
        not_read=found.not_read,
        late_sources=publication.published.late_sources if publication else [],
        troubles=night.troubles,
        vanished=checked.vanished,
        again=found.again.sentences,
        read_otherwise=publication.read_otherwise if publication else checked.read_otherwise,
        client_count=publication.computed.client_count if publication else 0,
        matches=match_rows(night.matched.counts, order.clinic),
        expired=_expiry_sentences(order),
        sample=sample_query(publication.published.version) if publication else None,
    )


def _expiry_sentences(order: Order) -> list[str]:
    """Sentences about the expired episodes that the next weekly compact takes out. Only a check reports that there are
    none."""
    expired = expired_of(order)
    if not order.is_check and not (expired and (expired.until or expired.idle_count)):
        return []
    return told_of(expired, order.clinic.years_after_closing, "the weekly compact takes out")


class Progress:
    """Shows on standard error what the night is doing."""

    def __init__(self) -> None:
        self._console = terminal(stderr=True)
        self._status = self._console.status("starting") if self._console.is_terminal else None

    def __call__(self, what: str) -> None:
        """Show the present work. A sentence stays on the screen."""
        if self._status and not what.endswith("."):
            self._status.update(line(what))
            self._status.start()
        else:
            self._console.print(line(f"… {what}"), soft_wrap=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the moving line, and show the cursor of the terminal again."""
        if self._status:
            self._status.stop()


def print_report(report: Report) -> None:
    """Print the report."""
    console = terminal()
    when = f"{report.as_of:%A %d %B %Y, %H:%M} ({report.as_of.tzinfo})"
    outcome = "checked, nothing published" if report.is_check else f"published as load {report.load_id}"
    console.print(f"\nThe night of {when}: {outcome}\n", style="bold")
    _print_again(console, report)
    _print_files(console, report)
    _print_quarantine(console, report)
    print_matches(console, report.matches)
    _print_checks(console, report)
    _print_tables(console, report)
    _print_steps(console, report)
    _print_worries(console, report)
    _print_sample(console, report)


def _print_again(console: Console, report: Report) -> None:
    for sentence in report.again:
        console.print(line(sentence))
    if report.again:
        console.print()


def _print_files(console: Console, report: Report) -> None:
    if not report.files:
        console.print("No file brought anything new.\n")
        return
    names = ("= header", "+ blank", "+ ignored", "+ duplicate", "+ unchanged", "+ quarantined", "+ loaded")
    table = grid("source", "files", "records", *names, title="Records in, and where they went")
    for row in report.files:
        table.add_row(row.source, *(f"{number:,}" for number in (row.file_count, *row.counts)))
    if len(report.files) > 1:
        sums = [sum(numbers) for numbers in zip(*((r.file_count, *r.counts) for r in report.files), strict=True)]
        table.add_row("all", *(f"{number:,}" for number in sums), style="bold")
    assert len(names) + 1 == len(COUNTS)
    console.print(table, "")


def _print_quarantine(console: Console, report: Report) -> None:
    if not report.quarantine:
        return
    table = grid("rule", "kind", "records", title="Held back tonight, by rule")
    for rule, kind, count in report.quarantine:
        table.add_row(rule, kind, f"{count:,}")
    console.print(table, "")


def _print_checks(console: Console, report: Report) -> None:
    table = grid("suite", *(word.replace("_", " ") for word in SUITE_OUTCOMES), title="Checks")
    for suite, counts in report.suites.items():
        table.add_row(suite, *(f"{counts[word]:,}" for word in SUITE_OUTCOMES))
    console.print(table, "")


def _print_tables(console: Console, report: Report) -> None:
    if report.is_check:
        return
    listing = grid("table", "rows", title="Tables")
    for table, count in report.tables.items():
        listing.add_row(table, f"{count:,}")
    console.print(listing, f"\nComputed again for {report.client_count:,} clients.\n")


def _print_steps(console: Console, report: Report) -> None:
    table = grid("step", "seconds", title="Steps")
    for step in report.steps:
        table.add_row(step.name, f"{step.seconds:.1f}")
    console.print(table, "")


def _print_worries(console: Console, report: Report) -> None:
    for name in report.waiting:
        console.print(line(f"{name} is still being written; it waits for the next night."))
    for sentence in report.not_read.sentences:
        console.print(line(f"{capital(sentence)}."))
    if report.is_check and report.not_read.names:
        console.print(line(f"They match no source: {report.not_read.names}."))
    for source, column, count in report.unlisted:
        console.print(f"{count:,} texts in {column} of {source} are not in clinic.toml's [lists]; they became 'other'.")
    for source, count in report.vanished:
        console.print(
            f"{count:,} records of {source} vanished from its export; they left the tables and stay in history."
        )
    for sentence in report.expired:
        console.print(line(sentence))
    for source, count in report.read_otherwise.items():
        console.print(
            line(
                f"{count:,} records of {source} come from exports that are gone and were read by older code, or under "
                "another clinic file. They stay as they were read; put the exports back to have them read again."
            )
        )
    for source in report.late_sources:
        late = (f"The source {source} is overdue", "bold")
        console.print(line(late, ": see load.sources, and its export's schedule."))
    for name in report.troubles.failed_questions:
        failed = (f"The question {name} failed", "bold")
        console.print(line(failed, f": its page says so; mend dashboards/{name}.sql."))
    for trouble in report.troubles.warnings:
        console.print(line(f"{capital(trouble)}."))
    for trouble in (*report.troubles.to_look_at.values(), *report.troubles.damaged):
        console.print(line((capital(trouble), "bold"), "."))
    if report.troubles.pages_failed:
        failed = (capital(report.troubles.pages_failed), "bold")
        console.print(line(failed, "; run rapport pages once it is mended."))


def _print_sample(console: Console, report: Report) -> None:
    if not report.sample:
        return
    console.print(f"The analysts' file: {report.published}\n")
    console.print("A query to try\n", style="bold")
    console.print(report.sample.query, style="cyan")
    table = grid(*report.sample.columns)
    for row in report.sample.rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    console.print(table)
