"""The steps of a night, as plain functions of `Tonight`. design.md says what each is for."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import polars as pl

import transforms
from dashboards.questions import load_questions
from flows.deliveries import Delivery, find_deliveries
from flows.key import read_key
from flows.order import Order, Tonight
from transforms.pseudonyms import Pseudonyms, pseudonymise
from transforms.sources import open_delivery, read
from transforms.sources.task import Task
from warehouse import building, computing, folders, frames, history, ledger, publishing, staging, summary, views
from warehouse.attempts import failed_attempts
from warehouse.errors import DidNotRun, RapportError, Refused, Unusable
from warehouse.records import KINDS

if TYPE_CHECKING:
    import duckdb

CROSSWALK = {
    "kind": pl.String,
    "id_space": pl.String,
    "number": pl.String,
    "pseudonym": pl.String,
    "birth_date": pl.Date,
    "born_at_export": pl.Datetime("us", "UTC"),
}


def begin(tonight: Tonight) -> None:
    """Yesterday's file copied to a building file; the key; the crosswalk."""
    order = tonight.order
    order.folders.sweep()
    tonight.pseudonyms = Pseudonyms(read_key(order.folders))
    tonight.failed_attempts = failed_attempts(order.folders)
    tonight.building = folders.copy_yesterday(order.folders, os.getpid())
    tonight.con = building.open_building(tonight.building, order.folders.building)
    tonight.staging = staging.Staging(tonight.con)
    _same_key_as_yesterday(tonight)
    link = order.folders.crosswalk
    tonight.crosswalk = pl.read_parquet(link) if link.exists() else pl.DataFrame(schema=CROSSWALK)


def _same_key_as_yesterday(tonight: Tonight) -> None:
    tonight.key_check = tonight.pseudonyms.one("rapport", "key check", "the same key every night")
    known = tonight.con.sql("SELECT key_check FROM load.current").fetchone()
    if known and known[0] != tonight.key_check:
        raise Unusable(
            "the pseudonym key is not the one this warehouse was made with; restore the old key "
            "(RAPPORT_KEY or private/key), or give an empty --warehouse"
        )


def discover(tonight: Tonight) -> None:
    """Which files are to be read."""
    find_deliveries(tonight)


def read_deliveries(tonight: Tonight) -> None:
    """Every file through its reader, pseudonymised, into the staged rows."""
    for delivery in tonight.deliveries:
        tonight.told(f"reading {delivery.path.name}")
        try:
            _read(tonight, delivery)
        except Refused as refused:
            raise refused.of(delivery.label, delivery.path.name) from None


def _read(tonight: Tonight, delivery: Delivery) -> None:
    order = tonight.order
    if delivery.same_as:
        _pass_over(tonight, delivery)
        return
    task = Task(order.as_of, order.clinic.lists, order.clinic.instruments)
    opened = open_delivery(delivery.path, delivery.source)
    births = []
    for kind, frame in read(opened, delivery.source, task):
        safe = pseudonymise(kind, frame, delivery.source, tonight.pseudonyms)
        tonight.staging.add_rows(kind, safe, delivery.number)
        if kind == "clients":
            births.append(safe.select(pseudonym="client_id").with_columns(frame["birth_date"]))
    if not delivery.is_unmoved:
        tonight.staging.drop_file(delivery.number)
        tonight.waiting.append(delivery.path.name)
        return
    exported_at = delivery.exported_at or task.exported_at or order.as_of
    if births:
        tonight.births.append(pl.concat(births).with_columns(born_at_export=pl.lit(exported_at)))
    facts = {
        **_identity(tonight, delivery),
        "exported_at": exported_at,
        "rereads_at": task.rereads_at,
        "is_passed_over": False,
        "record_count": opened.record_count + opened.header_count,
        "header_count": opened.header_count,
        "blank_or_footer_count": opened.blank_count,
        "ambiguous_time_count": task.clock_changes["ambiguous"],
        "missing_time_count": task.clock_changes["missing"],
    }
    tonight.staging.add_file(delivery.number, facts)
    for column, count in task.unlisted.items():
        if count:
            row = {"load_id": tonight.load_id, "file_id": delivery.file_id, "column_name": column}
            staging.enter(tonight.con, "load.unlisted", {**row, "unlisted_count": count})


def _identity(tonight: Tonight, delivery: Delivery) -> dict[str, object]:
    return {
        "load_id": tonight.load_id,
        "file_id": delivery.file_id,
        "source": delivery.source.name,
        "pattern": delivery.source.files,
        "name_id": delivery.name_id,
        "content": delivery.content,
        "byte_count": delivery.byte_count,
        "modified": delivery.modified,
        "reading": delivery.reading,
    }


def _pass_over(tonight: Tonight, delivery: Delivery) -> None:
    """The source's latest bytes again, under another name: nothing to parse, but it was still true then."""
    exported_at = delivery.exported_at or tonight.order.as_of
    history.confirm_file(tonight.con, delivery.same_as, delivery.file_id, exported_at)
    facts = {**_identity(tonight, delivery), "exported_at": exported_at, "is_passed_over": True}
    tonight.staging.add_file(delivery.number, {**facts, **ledger.repeated(tonight.con, delivery.same_as)})


def check_records(tonight: Tonight) -> None:
    """The staged rows against their rules; what breaks one is held back, too much of it stops the night."""
    from expectations.checking import check  # noqa: PLC0415  importing Great Expectations takes seconds
    from expectations.engine import open_source  # noqa: PLC0415
    from expectations.records import record_rules  # noqa: PLC0415

    con, clinic = tonight.con, tonight.order.clinic
    staging.mark_repeats(con)
    tonight.source = open_source(lambda: _staged_cursor(tonight))
    for kind in _kinds_with_rows(tonight):
        rules = record_rules(KINDS[kind], clinic.instruments)
        found = check(tonight.source, f"staged.{kind}", kind, rules, hold_rows=True)
        _stop_unless_run(tonight, found)
        for outcome in found:
            if outcome.rows_query:
                staging.hold(_staged_cursor(tonight), kind, outcome.rule.name, outcome.rows_query)
    staging.settle_quarantine(con, tonight.load_id)
    ledger.count_records(con)
    _stop_if_too_much(tonight)
    tonight.quarantine = summary.quarantine_by_rule(con)
    tonight.unlisted = summary.unlisted_by_source(con, tonight.load_id)
    tonight.files = summary.files_by_source(con)


def _kinds_with_rows(tonight: Tonight) -> list[str]:
    return [kind for kind in KINDS if tonight.con.sql(f"SELECT 1 FROM staged.{kind} LIMIT 1").fetchone()]


def _staged_cursor(tonight: Tonight) -> duckdb.DuckDBPyConnection:
    cursor = building.staged_cursor(tonight.con)
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


def keep(tonight: Tonight) -> None:
    """Changed records become new versions; out come the clients touched."""
    con = tonight.con
    history.keep_history(con, tonight.load_id)
    ledger.count_records(con)
    tonight.files = summary.files_by_source(con)
    ledger.write_ledgers(con, tonight.load_id)
    staging.clear(con)
    _update_crosswalk(tonight)


def _update_crosswalk(tonight: Tonight) -> None:
    """The people met tonight, and the newest birth date of each. It stays in memory until the night publishes."""
    born = pl.concat([tonight.crosswalk.select("pseudonym", "birth_date", "born_at_export"), *tonight.births])
    newest = born.drop_nulls("birth_date").sort("born_at_export", maintain_order=True).unique("pseudonym", keep="last")
    people = pl.concat([tonight.crosswalk.select(list(CROSSWALK)[:4]), tonight.pseudonyms.crosswalk()])
    tonight.crosswalk = people.unique("pseudonym").sort("pseudonym").join(newest, on="pseudonym", how="left")


def compute(tonight: Tonight) -> None:
    """The touched clients' whole history through the tables, bucket by bucket; then the clinic's tables."""
    con, declared = tonight.con, tonight.order.clinic
    tables = transforms.tables()
    tonight.is_full_build = _definitions_changed(tonight)
    building.create_tables(con, tables, anew=tonight.is_full_build)
    if tonight.is_full_build:
        computing.touch_everyone(con)
    buckets = computing.deal_buckets(con, tonight.order.bucket_count)
    tonight.client_count = computing.touched_count(con)
    births = tonight.crosswalk.lazy().select("birth_date", client_id=pl.col("pseudonym").str.decode("hex"))
    for bucket in range(buckets if tonight.client_count else 0):
        tonight.told(f"computing bucket {bucket + 1} of {buckets}")
        known = {**computing.records_of(con, bucket), "birth_dates": births, "clinic": declared}
        for table in (table for table in tables if table.per == "client"):
            made = _made(table, known)
            known[table.name] = made.lazy()
            computing.write_differences(con, table, made, bucket)
    finished = {table.name: frames.lazy_table(con, f"main.{table.name}") for table in tables if table.per == "client"}
    for table in (table for table in tables if table.per == "clinic"):
        made = _made(table, {**finished, "clinic": declared})
        finished[table.name] = made.lazy()
        computing.write_differences(con, table, made, None)


def _made(table: object, known: dict) -> pl.DataFrame:
    frame = table(**{name: known[name] for name in table.reads})
    return frame.select(table.column_names).collect()


def _definitions_changed(tonight: Tonight) -> bool:
    last = tonight.con.sql(
        "SELECT definition_version FROM load.loads WHERE outcome = 'published' ORDER BY load_id DESC LIMIT 1"
    ).fetchone()
    return last is None or last[0] != definition_version(tonight.order)


def definition_version(order: Order) -> str:
    """A fingerprint of everything that tables are computed from beside the records."""
    clinic = order.clinic
    declared = (clinic.not_treatment, clinic.accepted, clinic.licences, dict(clinic.instruments))
    facts = (transforms.tables_version(), *declared)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def check_tables(tonight: Tonight) -> None:
    """The finished tables (the rows of the clients touched) and the books against their promises."""
    from expectations.checking import check  # noqa: PLC0415
    from expectations.finished import book_rules, table_rules  # noqa: PLC0415

    con = tonight.con
    tables = [table for table in transforms.tables() if tonight.client_count or table.per == "clinic"]
    for table in tables:
        relation = computing.touched_rows(con, table)
        found = check(tonight.source, f"main.{table.name}", relation, table_rules(table), hold_rows=False)
        _stop_unless_kept(tonight, found)
    for book in ("files", "rows"):
        relation = computing.book_rows(con, book)
        found = check(tonight.source, f"load.{book}", relation, book_rules(book, tonight.load_id), hold_rows=False)
        _stop_unless_kept(tonight, found)


def _stop_unless_kept(tonight: Tonight, found: list) -> None:
    _stop_unless_run(tonight, found)
    for outcome in found:
        if outcome.outcome == "failed":
            raise RapportError(
                f"the check '{outcome.rule.name}' failed on {outcome.unexpected_count} rows of {outcome.suite}; "
                "yesterday's warehouse stands; this is a fault of Rapport's tables, report it"
            )


def publish(tonight: Tonight) -> None:
    """Views, comments, the books closed; then a read-only version, and one symlink moved."""
    con, order = tonight.con, tonight.order
    tables = transforms.tables()
    views.make_views(con)
    views.make_question_views(con, load_questions())
    views.make_comments(con, tables)
    ledger.write_sources(con, order.clinic, order.as_of)
    _write_outcomes(tonight)
    _write_loads(tonight)
    tonight.late_sources = [name for (name,) in con.sql("SELECT source FROM load.sources WHERE is_late").fetchall()]
    tonight.tables = publishing.table_counts(con, tables)
    for cursor in tonight.cursors:  # an open transaction of theirs would hold up the checkpoint
        cursor.close()
    publishing.seal(con)
    _move_links(tonight)


def _write_outcomes(tonight: Tonight) -> None:
    for outcome in tonight.outcomes:
        facts = {
            "load_id": tonight.load_id,
            "suite": outcome.suite,
            "expectation": outcome.rule.name,
            "severity": outcome.rule.severity,
            "outcome": outcome.outcome,
            "checked_count": outcome.checked_count,
            "unexpected_count": outcome.unexpected_count,
        }
        staging.enter(tonight.con, "load.expectation_results", facts)


def _write_loads(tonight: Tonight) -> None:
    order, con = tonight.order, tonight.con
    for attempt in tonight.failed_attempts:
        staging.enter(con, "load.loads", {**attempt, "outcome": "failed"})
    for place, step in enumerate(tonight.steps, start=1):
        facts = {"seconds": step.seconds, "cpu_seconds": step.cpu_seconds}
        staging.enter(con, "load.steps", {"load_id": tonight.load_id, "step": step.name, "position": place, **facts})
    load = {
        "load_id": tonight.load_id,
        "as_of": order.as_of,
        "started_at": tonight.started_at,
        "finished_at": datetime.now(UTC),
        "outcome": "published",
        "client_count": tonight.client_count,
        "is_full_build": tonight.is_full_build,
        "definition_version": definition_version(order),
    }
    current = {
        "load_id": tonight.load_id,
        "as_of": order.as_of,
        "time_zone": order.clinic.time_zone,
        "key_check": tonight.key_check,
        "rapport_version": RAPPORT_VERSION,
        "polars_version": version("polars"),
    }
    publishing.close_books(con, load, current)


RAPPORT_VERSION = "0.1.0"


def _move_links(tonight: Tonight) -> None:
    where = tonight.order.folders
    stamp = folders.version_stamp(tonight.started_at, tonight.load_id)
    made = where.building / "crosswalk.parquet"
    tonight.crosswalk.write_parquet(made)
    folders.publish(made, where.crosswalk, stamp, 0o600)
    tonight.published = folders.publish(tonight.building, where.published, stamp, 0o440)
    where.attempts.unlink(missing_ok=True)
    for link in (where.crosswalk, where.published):
        folders.keep_newest(link)


STEPS = {
    "begin": begin,
    "discover": discover,
    "read": read_deliveries,
    "check records": check_records,
    "keep history": keep,
    "compute tables": compute,
    "check tables": check_tables,
    "publish": publish,
}
CHECK_STEPS = ("begin", "discover", "read", "check records")
