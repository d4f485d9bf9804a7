"""Computing: history out of the accepted rows, and the tables out of history."""

from __future__ import annotations

import hashlib

import polars as pl

import transforms
from flows.crosswalk import add_people, birth_dates
from flows.order import Order, Tonight
from warehouse import building, computing, frames, history, ledger, publishing, risk, staging, summary
from warehouse.tables import Table


def keep(tonight: Tonight) -> None:
    """Changed records become new versions; out come the clients touched."""
    con, order = tonight.con, tonight.order
    risk.keep_risk_answers(con, order.clinic.instruments.values(), tonight.load_id, order.as_of)
    history.keep_history(con, tonight.load_id)
    ledger.count_records(con)
    tonight.files = summary.files_by_source(con)
    ledger.write_ledgers(con, tonight.load_id)
    staging.clear(con)
    tonight.crosswalk = add_people(tonight.crosswalk, tonight.pseudonyms.crosswalk(), tonight.births)


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
    births = birth_dates(tonight.crosswalk)
    for bucket in range(buckets if tonight.client_count else 0):
        tonight.told(f"computing bucket {bucket + 1} of {buckets}")
        known = {**computing.records_of(con, bucket), "birth_dates": births, "clinic": declared}
        for table in (table for table in tables if table.per == "client"):
            made = _made(table, known)
            known[table.name] = made.lazy()
            computing.write_differences(con, table, made, bucket)
    finished = {table.name: frames.lazy_table(con, f"main.{table.name}") for table in tables if table.per == "client"}
    given = {"clinic": declared, "as_of": tonight.order.as_of}
    for table in (table for table in tables if table.per == "clinic"):
        made = _made(table, {**finished, **given})
        finished[table.name] = made.lazy()
        computing.write_differences(con, table, made, None)


def _made(table: Table, known: dict) -> pl.DataFrame:
    frame = table(**{name: known[name] for name in table.reads})
    return frame.select(table.column_names).collect()


def _definitions_changed(tonight: Tonight) -> bool:
    return publishing.last_definition_version(tonight.con) != definition_version(tonight.order)


def definition_version(order: Order) -> str:
    """A fingerprint of everything that tables are computed from beside the records."""
    clinic = order.clinic
    declared = (clinic.not_treatment, clinic.accepted, clinic.licences, dict(clinic.instruments), clinic.t_scores)
    declared += (dict(clinic.alliance_sd), clinic.rupture_rules)
    facts = (transforms.tables_version(), *declared)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]
