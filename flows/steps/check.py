"""Checking: the staged rows before they are believed, the finished tables before they are published."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from rapport import transforms
from rapport.flows.steps.discover import Found
from rapport.flows.workbench import Workbench
from rapport.warehouse.derived import touched_buckets, why_it_moved
from rapport.warehouse.errors import DidNotRun, RapportError, Refused
from rapport.warehouse.history import vanished_records
from rapport.warehouse.intake import ledger, older_readings, quarantine, staged_rows
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
    """What came of each rule."""

    outcomes: tuple[Outcome, ...] = ()
    row_count: int = 0


@dataclass(frozen=True)
class RecordsChecked(Checked):
    """Tonight's records, checked: how many were held back, vanished, or hold a text that no list has."""

    _: KW_ONLY
    vanished: list[tuple[str, int]]
    quarantine: list[tuple[str, str, int]]
    unlisted: list[tuple[str, str, int]]
    files: list[FileSums]
    read_otherwise: dict[str, int]  # by source, records that cannot be read again


def check_records(bench: Workbench, found: Found) -> RecordsChecked:
    """The staged rows against their rules; what breaks one is held back, too much of it stops the night."""
    from rapport.expectations.gx_on_duckdb import open_source  # noqa: PLC0415  importing Great Expectations takes seconds

    con = bench.con
    staged_rows.mark_repeats(con)
    with open_source(bench.staged_cursor) as source:
        outcomes = _check_rows(bench, source)
        quarantine.settle_quarantine(con, bench.load_id, found.present)
        ledger.count_records(con)
        _stop_if_too_much(bench, found)
        outcomes += _check_volumes(bench, found, source)
    return RecordsChecked(
        tuple(outcomes),
        bench.staging.row_count,
        vanished=night_in_numbers.vanished_by_source(con),
        quarantine=night_in_numbers.quarantine_by_rule(con),
        unlisted=night_in_numbers.unlisted_by_source(con, bench.load_id),
        files=night_in_numbers.files_by_source(con),
        read_otherwise=older_readings.read_otherwise(con, found.readings),
    )


def _check_rows(bench: Workbench, source: OpenDuckDB) -> list[Outcome]:
    """The outcomes of the rules of each kind of record; the rows that break one are held back."""
    from rapport.expectations.records import record_rules  # noqa: PLC0415
    from rapport.expectations.suite_outcomes import check  # noqa: PLC0415  importing Great Expectations takes seconds

    con, clinic, outcomes = bench.con, bench.order.clinic, []
    for kind in staged_rows.kinds_with_rows(con):
        rules = record_rules(KINDS[kind], clinic.instruments)
        came = _that_ran(check(source, f"staged.{kind}", kind, rules, hold_rows=True))
        for outcome in came:
            if outcome.rows_query:
                staged_rows.hold(bench.staged_cursor(), kind, outcome.rule.name, outcome.rows_query)
        outcomes += came
    return outcomes


def _that_ran(outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes. Raises DidNotRun where one is none."""
    for outcome in outcomes:
        if outcome.outcome == "did_not_run":
            raise DidNotRun(
                f"the check '{outcome.rule.name}' on {outcome.suite} could not run, so nothing is known about it; "
                "yesterday's warehouse stands; run the night again, and if it happens again look at the night's log"
            )
    return outcomes


def _stop_if_too_much(bench: Workbench, found: Found) -> None:
    limit = bench.order.clinic.quarantine_limit
    for file_id, held, filled, rules in ledger.too_much_quarantined(bench.con, limit):
        delivery = next(d for d in found.deliveries if d.file_id == file_id.replace("-", ""))
        raise Refused(
            f"would have {held} of {filled} records quarantined ({', '.join(rules)}), more than {limit:.0%}: "
            "a column or a word was renamed? Correct the export or clinic.toml (quarantine_limit)",
            label=delivery.label,
            name=delivery.path.name,
        )


def _check_volumes(bench: Workbench, found: Found, source: OpenDuckDB) -> list[Outcome]:
    """Before anything is closed: an export that leaves out much of what it covers is suspicious."""
    from rapport.expectations.suite_outcomes import check  # noqa: PLC0415
    from rapport.expectations.volumes import volume_rules  # noqa: PLC0415

    con, limit = bench.con, bench.order.clinic.vanished_limit
    vanished_records.find_vanished(con)
    outcomes = _that_ran(check(source, "staged.volumes", "volumes", volume_rules(limit), hold_rows=False))
    for file_id, row_count, known, vanished in vanished_records.suspicious_exports(con, limit):
        delivery = next(d for d in found.deliveries if d.file_id == file_id.replace("-", ""))
        raise Refused(
            f"holds {row_count} rows and leaves out {vanished} of the {known} known that it covers, more than "
            f"{limit:.0%}: is it truncated or filtered? Export it again, or raise vanished_limit in clinic.toml",
            label=delivery.label,
            name=delivery.path.name,
        )
    if any(outcome.outcome == "failed" for outcome in outcomes):
        raise RapportError("an export is suspiciously small; yesterday's warehouse stands; export it again")
    return outcomes


def check_tables(bench: Workbench, *, whole: bool = False) -> Checked:
    """The finished tables that this load changed and the books against their promises: of a table the rows that came,
    and, where rows promise something together, all of the clients touched.

    What did not change was checked when it was written; `whole` checks every table all the same.
    """
    from rapport.expectations.gx_on_duckdb import open_source  # noqa: PLC0415
    from rapport.expectations.suite_outcomes import check_together  # noqa: PLC0415

    con = bench.con
    written = why_it_moved.changed_tables(con, bench.load_id)
    everybody = whole or touched_buckets.all_touched(con)
    row_count, asked = 0, []
    for table in (table for table in transforms.tables() if whole or table.name in written):
        rows, rules = _asked_of(con, table, whole, everybody)
        row_count += rows
        asked += [(f"main.{table.name}", relation, rule) for relation, rule in rules]
    asked += _asked_of_books(con, bench.load_id)
    with (
        open_source(bench.staged_cursor) as source,
        setting(con, *ONE_THREAD),
    ):  # to look for a key that stands twice costs two a quarter more
        outcomes = _that_ran(check_together(source, asked))
    _stop_unless_kept(outcomes)
    return Checked(tuple(outcomes), row_count)


def _asked_of(
    con: duckdb.DuckDBPyConnection, table: Table, whole: bool, everybody: bool
) -> tuple[int, list[tuple[str, Rule]]]:
    """How many rows are checked alone; a table's rules, each with the relation that it is asked of."""
    from rapport.expectations.table_suites import table_rules  # noqa: PLC0415

    is_of_clients, relation = table.per == "client", f"main.{table.name}"
    alone = touched_buckets.rows_to_check(con, relation, "all" if whole else "new")
    together = touched_buckets.rows_to_check(con, relation, "of touched" if is_of_clients and not everybody else "all")
    row_count = touched_buckets.row_count(con, alone) if is_of_clients else 0
    return row_count, [(alone if rule.is_of_one_row else together, rule) for rule in table_rules(table)]


def _asked_of_books(con: duckdb.DuckDBPyConnection, load_id: int) -> Iterator[tuple[str, str, Rule]]:
    from rapport.expectations.table_suites import book_rules  # noqa: PLC0415

    for book in ("files", "rows"):
        relation = touched_buckets.rows_to_check(con, f"load.{book}", "all")
        for rule in book_rules(book, load_id):
            yield f"load.{book}", relation, rule


def _stop_unless_kept(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.outcome == "failed":
            raise RapportError(
                f"the check '{outcome.rule.name}' failed on {outcome.unexpected_count} rows of {outcome.suite}; "
                "yesterday's warehouse stands; this is a fault of Rapport's tables, report it"
            )
