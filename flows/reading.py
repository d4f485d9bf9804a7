"""Reading: every delivery through its reader and its pseudonyms, into the staged rows and the books."""

from __future__ import annotations

import polars as pl

from flows.deliveries import Delivery
from flows.joining import join_clients
from flows.order import Tonight
from transforms.pseudonyms import pseudonymise, retracted_ids
from transforms.sources import open_delivery, read
from transforms.sources.task import Task
from warehouse import history, ledger, quarantine, risk, staging
from warehouse.errors import Refused


def read_deliveries(tonight: Tonight) -> None:
    """Every file through its reader, pseudonymised, into the staged rows."""
    join_clients(tonight)
    for delivery in tonight.deliveries:
        tonight.told(f"reading {delivery.label}")
        try:
            _read(tonight, delivery)
        except Refused as refused:
            raise refused.of(delivery.label, delivery.path.name) from None
    tonight.row_count = tonight.staging.row_count


def _read(tonight: Tonight, delivery: Delivery) -> None:
    order = tonight.order
    if delivery.same_as:
        _pass_over(tonight, delivery)
        return
    clinic = order.clinic
    task = Task(order.as_of, clinic.lists, clinic.instruments, made_at=delivery.exported_at)
    opened = open_delivery(delivery.path, delivery.source)
    births = []
    for kind, frame in read(opened, delivery.source, task):
        safe = pseudonymise(kind, frame, delivery.source, tonight.pseudonyms)
        if kind == "clients":
            born = safe.select("client_id").with_columns(frame["birth_date"])
            births.append(tonight.tombstones.without(kind, born).rename({"client_id": "pseudonym"}))
        tonight.staging.add_rows(kind, tonight.tombstones.without(kind, safe), delivery.number)
    if not delivery.is_unmoved:
        tonight.staging.drop_file(delivery.number)
        tonight.waiting.append(delivery.path.name)
        return
    exported_at = delivery.exported_at or task.exported_at or order.as_of
    for kind, ids in task.retracted:
        named = retracted_ids(kind, ids, delivery.source, tonight.pseudonyms)
        tonight.retracted.append((kind, delivery.source.name, named, exported_at))
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
        "rules": delivery.rules,
        "covers": delivery.source.covers,
    }


def _pass_over(tonight: Tonight, delivery: Delivery) -> None:
    """The source's latest bytes again, under another name: nothing to parse, but it was still true then."""
    exported_at = delivery.exported_at or tonight.order.as_of
    for confirm in (history.confirm_file, risk.confirm_file, quarantine.confirm_file):
        confirm(tonight.con, delivery.same_as, delivery.file_id, exported_at)
    facts = {**_identity(tonight, delivery), "exported_at": exported_at, "is_passed_over": True}
    tonight.staging.add_file(delivery.number, {**facts, **ledger.repeated(tonight.con, delivery.same_as)})
