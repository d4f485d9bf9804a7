"""Checking: the staged rows before they are believed, the finished tables before they are published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapport import transforms
from rapport.flows.order import Tonight
from rapport.warehouse.derived import touched_buckets, why_it_moved
from rapport.warehouse.errors import DidNotRun, RapportError, Refused
from rapport.warehouse.history import vanished_records
from rapport.warehouse.intake import ledger, older_readings, quarantine, staged_rows
from rapport.warehouse.published import night_in_numbers
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.store import building_file
from rapport.warehouse.store.session_settings import ONE_THREAD, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

    from rapport.expectations.rules import Rule
    from rapport.warehouse.schema.tables import Table


def check_records(tonight: Tonight) -> None:
    """The staged rows against their rules; what breaks one is held back, too much of it stops the night."""
    from rapport.expectations.gx_on_duckdb import open_source  # noqa: PLC0415
    from rapport.expectations.records import record_rules  # noqa: PLC0415
    from rapport.expectations.suite_outcomes import check  # noqa: PLC0415  importing Great Expectations takes seconds

    con, clinic = tonight.con, tonight.order.clinic
    tonight.row_count = tonight.staging.row_count
    staged_rows.mark_repeats(con)
    tonight.source = open_source(lambda: _staged_cursor(tonight))
    for kind in staged_rows.kinds_with_rows(con):
        rules = record_rules(KINDS[kind], clinic.instruments)
        found = check(tonight.source, f"staged.{kind}", kind, rules, hold_rows=True)
        _stop_unless_run(tonight, found)
        for outcome in found:
            if outcome.rows_query:
                staged_rows.hold(_staged_cursor(tonight), kind, outcome.rule.name, outcome.rows_query)
    quarantine.settle_quarantine(con, tonight.load_id, tonight.present)
    ledger.count_records(con)
    _stop_if_too_much(tonight)
    _check_volumes(tonight)
    tonight.vanished = night_in_numbers.vanished_by_source(con)
    tonight.quarantine = night_in_numbers.quarantine_by_rule(con)
    tonight.unlisted = night_in_numbers.unlisted_by_source(con, tonight.load_id)
    tonight.files = night_in_numbers.files_by_source(con)
    tonight.read_otherwise = older_readings.read_otherwise(con, tonight.readings)


def _staged_cursor(tonight: Tonight) -> duckdb.DuckDBPyConnection:
    cursor = building_file.staged_cursor(tonight.con)
    tonight.cursors.append(cursor)
    return cursor


def _stop_unless_run(tonight: Tonight, found: list) -> None:
    tonight.outcomes += found
    for outcome in found:
        if outcome.outcome == "did_not_run":
            raise DidNotRun(
                f"the check '{outcome.rule.name}' on {outcome.suite} could not run, so nothing is known about it; "
                "yesterday's warehouse stands; run the night again, and if it happens again look at the night's log"
            )


def _stop_if_too_much(tonight: Tonight) -> None:
    limit = tonight.order.clinic.quarantine_limit
    for file_id, held, filled, rules in ledger.too_much_quarantined(tonight.con, limit):
        delivery = next(d for d in tonight.deliveries if d.file_id == file_id.replace("-", ""))
        raise Refused(
            f"would have {held} of {filled} records quarantined ({', '.join(rules)}), more than {limit:.0%}: "
            "a column or a word was renamed? Correct the export or clinic.toml (quarantine_limit)",
            label=delivery.label,
            name=delivery.path.name,
        )


def _check_volumes(tonight: Tonight) -> None:
    """Before anything is closed: an export that leaves out much of what it covers is suspicious."""
    from rapport.expectations.suite_outcomes import check  # noqa: PLC0415
    from rapport.expectations.volumes import volume_rules  # noqa: PLC0415

    con, limit = tonight.con, tonight.order.clinic.vanished_limit
    vanished_records.find_vanished(con)
    found = check(tonight.source, "staged.volumes", "volumes", volume_rules(limit), hold_rows=False)
    _stop_unless_run(tonight, found)
    for file_id, row_count, known, vanished in vanished_records.suspicious_exports(con, limit):
        delivery = next(d for d in tonight.deliveries if d.file_id == file_id.replace("-", ""))
        raise Refused(
            f"holds {row_count} rows and leaves out {vanished} of the {known} known that it covers, more than "
            f"{limit:.0%}: is it truncated or filtered? Export it again, or raise vanished_limit in clinic.toml",
            label=delivery.label,
            name=delivery.path.name,
        )
    if any(outcome.outcome == "failed" for outcome in found):
        raise RapportError("an export is suspiciously small; yesterday's warehouse stands; export it again")


def check_tables(tonight: Tonight, *, whole: bool = False) -> None:
    """The finished tables that this load changed and the books against their promises: of a table the rows that came,
    and, where rows promise something together, all of the clients touched.

    What did not change was checked when it was written; `whole` checks every table all the same.
    """
    from rapport.expectations.gx_on_duckdb import open_source  # noqa: PLC0415
    from rapport.expectations.suite_outcomes import check_together  # noqa: PLC0415

    con = tonight.con
    if tonight.source is None:  # a load that read nothing
        tonight.source = open_source(lambda: _staged_cursor(tonight))
    written = why_it_moved.changed_tables(con, tonight.load_id)
    everybody = whole or touched_buckets.all_touched(con)
    asked = [
        (f"main.{table.name}", relation, rule)
        for table in transforms.tables()
        if whole or table.name in written
        for relation, rule in _asked_of(tonight, table, whole, everybody)
    ]
    asked += _asked_of_books(tonight)
    with setting(con, *ONE_THREAD):  # to look for a key that stands twice costs two a quarter more
        found = check_together(tonight.source, asked)
    _stop_unless_kept(tonight, found)


def _asked_of(tonight: Tonight, table: Table, whole: bool, everybody: bool) -> Iterator[tuple[str, Rule]]:
    """A table's rules, each with the relation that it is asked of."""
    from rapport.expectations.table_suites import table_rules  # noqa: PLC0415

    con = tonight.con
    is_of_clients = table.per == "client"
    alone = (touched_buckets.whole_table if whole else touched_buckets.rows_that_came)(con, table)
    together = (touched_buckets.rows_of_touched if is_of_clients and not everybody else touched_buckets.whole_table)(
        con, table
    )
    tonight.row_count += touched_buckets.row_count(con, alone) if is_of_clients else 0
    for rule in table_rules(table):
        yield (alone if rule.is_of_one_row else together), rule


def _asked_of_books(tonight: Tonight) -> Iterator[tuple[str, str, Rule]]:
    from rapport.expectations.table_suites import book_rules  # noqa: PLC0415

    for book in ("files", "rows"):
        relation = touched_buckets.book_rows(tonight.con, book)
        for rule in book_rules(book, tonight.load_id):
            yield f"load.{book}", relation, rule


def _stop_unless_kept(tonight: Tonight, found: list) -> None:
    _stop_unless_run(tonight, found)
    for outcome in found:
        if outcome.outcome == "failed":
            raise RapportError(
                f"the check '{outcome.rule.name}' failed on {outcome.unexpected_count} rows of {outcome.suite}; "
                "yesterday's warehouse stands; this is a fault of Rapport's tables, report it"
            )
