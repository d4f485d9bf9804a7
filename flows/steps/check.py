"""Checks of the staged rows before they enter the history, and of the finished tables before they are published."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from rapport import transforms
from rapport.flows.intake.held_too_much import stop_if_too_much
from rapport.flows.intake.tell_lowest import tell_lowest
from rapport.flows.intake.tell_order import tell_order
from rapport.flows.steps.discover import Found
from rapport.flows.steps.follow_slots import moves_to_come, tell_held_lines, tell_repeated_starts
from rapport.flows.workbench import Workbench
from rapport.warehouse.derived import touched_buckets, why_it_moved
from rapport.warehouse.errors import DidNotRun, RapportError, Refused
from rapport.warehouse.history import vanished_records
from rapport.warehouse.intake import (
    contradictions,
    delivery_order,
    ledger,
    lines_of_visits,
    older_readings,
    quarantine,
    staged_rows,
)
from rapport.warehouse.published import night_in_numbers
from rapport.warehouse.published.night_in_numbers import FileSums
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.store.session_settings import ONE_THREAD, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from rapport.expectations.gx_on_duckdb import OpenDuckDB
    from rapport.expectations.rules import Rule
    from rapport.expectations.suite_outcomes import Outcome
    from rapport.warehouse.schema.tables import Table


@dataclass(frozen=True)
class Checked:
    """The outcome of each rule, and the number of rows that were checked."""

    outcomes: tuple[Outcome, ...] = ()
    row_count: int = 0


@dataclass(frozen=True)
class RecordsChecked(Checked):
    """The checks of tonight's records, with counts: held back, vanished, and texts that no list has."""

    _: KW_ONLY
    vanished: list[tuple[str, int]]
    quarantine: list[tuple[str, str, int]]
    unlisted: list[tuple[str, str, int]]
    files: list[FileSums]
    read_otherwise: dict[str, int]  # by source, records that cannot be read again
    held_most: dict[str, str]  # by source, a sentence about files of which more than half is held back
    warnings: tuple[str, ...]  # sentences about contradicting files, ranges of answers, and lines


def check_records(bench: Workbench, found: Found) -> RecordsChecked:
    """Check the staged rows against their rules. A row that breaks a rule is held back; too many stop the night."""
    from rapport.expectations.gx_on_duckdb import open_source  # noqa: PLC0415  importing Great Expectations takes seconds

    con = bench.con
    delivery_order.list_arrivals(con)
    lines_of_visits.give_lines_ids(con, bench.order.clinic.visit_sources)
    staged_rows.mark_repeats(con)
    contradictions.mark_contradictions(con)
    with open_source(bench.staged_cursor) as source:
        outcomes = _check_rows(bench, source)
        quarantine.settle_quarantine(con, bench.load_id, found.present)
        ledger.count_records(con)
        held_most = stop_if_too_much(bench, found)
        outcomes += _check_volumes(bench, found, source)
    return RecordsChecked(
        tuple(outcomes),
        bench.staging.row_count,
        vanished=night_in_numbers.vanished_by_source(con),
        quarantine=night_in_numbers.quarantine_by_rule(con),
        unlisted=night_in_numbers.unlisted_by_source(con, bench.load_id),
        files=night_in_numbers.files_by_source(con),
        read_otherwise=older_readings.read_otherwise(con, found.readings),
        held_most=held_most,
        warnings=(
            *tell_order(bench),
            *tell_lowest(bench),
            *tell_held_lines(bench),
            *((*moves_to_come(bench), *tell_repeated_starts(bench)) if bench.order.is_check else ()),
        ),
    )


def _check_rows(bench: Workbench, source: OpenDuckDB) -> list[Outcome]:
    """Check the rules of each kind of record, and hold back the rows that break one. Return the outcomes."""
    from rapport.expectations.records import record_rules  # noqa: PLC0415
    from rapport.expectations.suite_outcomes import check  # noqa: PLC0415  importing Great Expectations takes seconds

    con, clinic, outcomes = bench.con, bench.order.clinic, []
    for kind in staged_rows.kinds_with_rows(con):
        rules = record_rules(KINDS[kind], clinic.instruments)
        came = _all_ran(check(source, f"staged.{kind}", kind, rules, hold_rows=True))
        for outcome in came:
            if outcome.rows_query:
                staged_rows.hold(bench.staged_cursor(), kind, outcome.rule.name, outcome.rows_query)
        outcomes += came
    return outcomes


def _all_ran(outcomes: list[Outcome]) -> list[Outcome]:
    """Return the outcomes. Raises DidNotRun where a rule did not run."""
    for outcome in outcomes:
        if outcome.outcome == "did_not_run":
            raise DidNotRun(
                f"the check '{outcome.rule.name}' on {outcome.suite} could not run, so nothing is known about it; "
                "yesterday's warehouse stands; run the night again; if it fails again, look at the night's log"
            )
    return outcomes


def _check_volumes(bench: Workbench, found: Found, source: OpenDuckDB) -> list[Outcome]:
    """Check each export before its missing records are closed. One that leaves out many known records stops the
    night."""
    from rapport.expectations.suite_outcomes import check  # noqa: PLC0415
    from rapport.expectations.volumes import volume_rules  # noqa: PLC0415

    con, limit = bench.con, bench.order.clinic.vanished_limit
    vanished_records.find_vanished(con)
    outcomes = _all_ran(check(source, "staged.volumes", "volumes", volume_rules(limit), hold_rows=False))
    for file_id, row_count, known, vanished in vanished_records.suspicious_exports(con, limit):
        delivery = next(d for d in found.deliveries if d.file_id == file_id.replace("-", ""))
        raise Refused(
            f"holds {row_count} rows and leaves out {vanished} of the {known} known that it covers, more than "
            f"{limit:.0%}: export it again if it is truncated or filtered, or else raise vanished_limit in clinic.toml",
            label=delivery.label,
            name=delivery.path.name,
        )
    if any(outcome.outcome == "failed" for outcome in outcomes):
        raise RapportError("an export is suspiciously small; yesterday's warehouse stands; export it again")
    return outcomes


def check_tables(bench: Workbench, *, whole: bool = False) -> Checked:
    """Check the books, and the tables that this load changed. A rule of one row is checked on new rows; a rule of
    several rows is checked on all rows of the touched clients.

    Unchanged rows were checked when they were written; `whole` checks every table completely.
    """
    from rapport.expectations.gx_on_duckdb import open_source  # noqa: PLC0415
    from rapport.expectations.suite_outcomes import check_together  # noqa: PLC0415

    con = bench.con
    written = why_it_moved.changed_tables(con, bench.load_id)
    everybody = whole or touched_buckets.all_touched(con)
    row_count, checks = 0, []
    for table in (table for table in transforms.tables() if whole or table.name in written):
        rows, rules = _rules_of(con, table, whole, everybody)
        row_count += rows
        checks += [(f"main.{table.name}", relation, rule) for relation, rule in rules]
    checks += _rules_of_books(con, bench.load_id)
    with (
        open_source(bench.staged_cursor) as source,
        setting(con, *ONE_THREAD),
    ):  # with two threads, the search for repeated keys costs a quarter more
        outcomes = _all_ran(check_together(source, checks))
    _stop_if_one_failed(outcomes)
    return Checked(tuple(outcomes), row_count)


def _rules_of(
    con: duckdb.DuckDBPyConnection, table: Table, whole: bool, everybody: bool
) -> tuple[int, list[tuple[str, Rule]]]:
    """The number of rows that are checked one by one; a table's rules, each with the relation that it checks."""
    from rapport.expectations.table_suites import table_rules  # noqa: PLC0415

    is_of_clients, relation = table.per == "client", f"main.{table.name}"
    alone = touched_buckets.rows_to_check(con, relation, "all" if whole else "new")
    together = touched_buckets.rows_to_check(con, relation, "of touched" if is_of_clients and not everybody else "all")
    row_count = touched_buckets.row_count(con, alone) if is_of_clients else 0
    return row_count, [(alone if rule.is_of_one_row else together, rule) for rule in table_rules(table)]


def _rules_of_books(con: duckdb.DuckDBPyConnection, load_id: int) -> Iterator[tuple[str, str, Rule]]:
    from rapport.expectations.table_suites import book_rules  # noqa: PLC0415

    for book in ("files", "rows"):
        relation = touched_buckets.rows_to_check(con, f"load.{book}", "all")
        for rule in book_rules(book, load_id):
            yield f"load.{book}", relation, rule


def _stop_if_one_failed(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.outcome == "failed":
            raise RapportError(
                f"the check '{outcome.rule.name}' failed on {outcome.unexpected_count} rows of {outcome.suite}; "
                "yesterday's warehouse stands; this is a fault of Rapport's tables, report it"
            )
