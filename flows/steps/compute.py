"""Computing: history out of the accepted rows, and the tables out of history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from rapport import transforms
from rapport.flows.order import Tonight
from rapport.flows.private.crosswalk import add_people, birth_dates, born_otherwise
from rapport.flows.steps.changed_definitions import fingerprints, renewed
from rapport.flows.steps.join_clients import join_clients
from rapport.flows.steps.remembered_lines import remember
from rapport.flows.steps.settle_spaces import note_read
from rapport.warehouse.derived import row_differences, touched_buckets, why_it_moved
from rapport.warehouse.derived.definitions import note_changed
from rapport.warehouse.history import record_versions, retract, risk_answers
from rapport.warehouse.intake import ledger, older_readings, staged_rows
from rapport.warehouse.published import night_in_numbers
from rapport.warehouse.schema.tables import PARTIALS, Table
from rapport.warehouse.store import building_file, frames
from rapport.warehouse.store.session_settings import ONE_THREAD, setting

if TYPE_CHECKING:
    import duckdb


def keep(tonight: Tonight) -> None:
    """Changed records become new versions; out come the clients touched."""
    con, order = tonight.con, tonight.order
    tonight.row_count = tonight.staging.row_count
    risk_answers.keep_risk_answers(con, order.clinic.instruments.values(), tonight.load_id, order.as_of)
    record_versions.keep_history(con, tonight.load_id)
    for kind, source, ids, exported_at in tonight.retracted:
        retract.retract(con, tonight.load_id, kind, source, ids["id"], exported_at)
    ledger.recount_records(con)
    tonight.files = night_in_numbers.files_by_source(con)
    ledger.write_ledgers(con, tonight.load_id)
    note_read(tonight)
    remember(tonight)
    tonight.read_otherwise = older_readings.read_otherwise(con, tonight.readings)
    staged_rows.clear(con)
    tonight.crosswalk = add_people(tonight.crosswalk, tonight.pseudonyms.crosswalk(), tonight.births)


def compute(tonight: Tonight) -> None:
    """New definitions over what was known before; then what came tonight, by client."""
    con, tables = tonight.con, transforms.tables()
    touched_buckets.touch(con, born_otherwise(tonight.born_before, tonight.crosswalk))
    now = fingerprints(tonight.order)
    anew = renewed(con, now)
    why_it_moved.begin_movements(con)
    why_it_moved.list_causes(con)
    _take_down(tonight, tables)
    building_file.create_tables(con, tables)
    touched_buckets.note_ends(con)
    anew &= {table.name for table in tables if table.per == "client"}
    if anew and touched_buckets.choose_known_before(con, tonight.load_id):
        _compute_clients(tonight, tables, anew, before=tonight.load_id)
    if touched_buckets.choose_touched(con):
        _compute_clients(tonight, tables, {table.name for table in tables})
    tonight.client_count = touched_buckets.touched_count(con)
    tonight.is_full_build = bool(anew)
    note_changed(con, now, tonight.load_id)


def compute_clinic(tonight: Tonight) -> None:
    """The clinic's tables, which read what is finished; and by how much the load moved everything. In one thread:
    between so many small writes a second one mostly waits."""
    with setting(tonight.con, *building_file.LEAST_MEMORY), setting(tonight.con, *ONE_THREAD):
        _compute_clinic(tonight, transforms.tables())
    why_it_moved.write_movements(tonight.con, tonight.load_id)


def compute_again(tonight: Tonight) -> None:
    """A load that reads no export: client links, tables of the clients whom it touched, and the clinic's tables."""
    join_clients(tonight)
    compute(tonight)
    compute_clinic(tonight)


def compute_everybody(tonight: Tonight) -> None:
    """The same, and then every table from the records, whatever the file holds of it: rows that differ are written, and
    what the books say of movements agrees with the tables again."""
    con, tables = tonight.con, transforms.tables()
    join_clients(tonight)
    compute(tonight)
    with why_it_moved.counted_alone(con):
        if touched_buckets.choose_everybody(con, tables):
            _compute_clients(tonight, tables, {table.name for table in tables}, before=tonight.load_id)
    tonight.client_count, tonight.is_full_build = touched_buckets.touched_count(con), True
    compute_clinic(tonight)
    why_it_moved.settle(con, tonight.load_id)


def derive_anew(tonight: Tonight) -> None:
    """Every table from the records alone, whatever the file held of them."""
    con, tables = tonight.con, transforms.tables()
    why_it_moved.begin_movements(con)
    why_it_moved.list_causes(con)
    building_file.drop_tables(con)
    building_file.create_tables(con, tables)
    if touched_buckets.choose_known_before(con, tonight.load_id):
        _compute_clients(tonight, tables, {table.name for table in tables})
    _compute_clinic(tonight, tables)


def _take_down(tonight: Tonight, tables: list[Table]) -> None:
    """Rows of a table whose columns have changed leave the books under the new definition."""
    for table in building_file.with_other_columns(tonight.con, tables):
        why_it_moved.note_taken_down(tonight.con, table)


def _compute_clients(tonight: Tonight, tables: list[Table], wanted: set[str], before: int | None = None) -> None:
    """The chosen clients' whole history through the wanted tables, bucket by bucket; the others are read as they are.

    `before`: a definition changed, and what counts is what was known before that load.
    """
    con = tonight.con
    buckets = touched_buckets.deal_buckets(con, tonight.order.bucket_count)
    to_make = {table.name: table for table in tables if table.per == "client" and table.name in wanted}
    births = birth_dates(tonight.crosswalk)
    with setting(con, *building_file.LESS_MEMORY), touched_buckets.filled_at_once(con), _whole_frames():
        for bucket in range(buckets):
            name = f"bucket {bucket + 1} of {buckets}"
            tonight.told(f"computing {name}")
            tonight.part(name, partial(_compute_bucket, tonight, to_make, births, bucket, before))
    for name in touched_buckets.began_empty(con) & to_make.keys():
        table = to_make[name]
        why_it_moved.note_changes(con, table, f"main.{name}", row_differences.nothing(table), _cause(before))


def _whole_frames() -> pl.Config:
    """A bucket is in memory anyhow: to stream through it part by part costs polars a fifth more, and 50 MiB (measured
    at size M; reading, which does not hold a file as a whole, streams)."""
    return pl.Config(engine_affinity="in-memory")


def _cause(before: int | None) -> str | None:
    return why_it_moved.DEFINITION if before else None


def _compute_bucket(
    tonight: Tonight, to_make: Mapping[str, Table], births: pl.DataFrame, bucket: int, before: int | None
) -> None:
    con = tonight.con
    began_empty = touched_buckets.began_empty(con)
    given = partial(_given, tonight, to_make, births, bucket, before)
    for name, made in transforms.rows_of_clients(given(), tonight.order.clinic, to_make):  # which keeps what it needs
        table = to_make[name]
        tonight.row_count += made.height
        if name in began_empty:  # noted once it is whole: a question costs the same of a bucket's rows as of all
            row_differences.append(con, table, made)
        else:
            why_it_moved.note_changes(
                con, table, *touched_buckets.write_differences(con, table, made, bucket), _cause(before)
            )


def _given(
    tonight: Tonight, to_make: Mapping[str, Table], births: pl.DataFrame, bucket: int, before: int | None
) -> dict[str, pl.DataFrame]:
    """What the tables to make read of a bucket's clients."""
    read = {name for table in to_make.values() for name in table.reads}
    records = touched_buckets.records_of(tonight.con, bucket, before)
    tonight.row_count += sum(frame.height for frame in records.values())
    records["birth_dates"] = births.join(records["client_ids"], on="client_id", how="semi")
    given = {name: records[name] for name in records.keys() & read}
    finished = read & {table.name for table in transforms.tables()} - to_make.keys()
    return given | {name: touched_buckets.rows_of(tonight.con, name, bucket) for name in finished}


def _compute_clinic(tonight: Tonight, tables: list[Table]) -> None:
    """The clinic's tables, from the finished ones: what a table reads of all clients together, and its partials."""
    con = tonight.con
    facts: dict[str, object] = {"clinic": tonight.order.clinic, "as_of": tonight.order.as_of}
    known = facts | {each.name: frames.lazy_table(con, f"main.{each.name}") for each in tables if each.per == "client"}
    buckets = touched_buckets.everybody_by_bucket(con, tonight.order.bucket_count)
    to_make = [table for table in tables if table.per == "clinic"]
    for place, table in enumerate(to_make):
        known = transforms.still_read(known, to_make[place:])
        made = transforms.compute(table, {**known, **_partials(con, table, facts, buckets)})
        known[table.name] = made.lazy()
        come, gone = row_differences.write(con, table, made)
        why_it_moved.note_changes(con, table, come, gone)


def _partials(
    con: duckdb.DuckDBPyConnection, table: Table, facts: Mapping[str, object], buckets: Iterable[str]
) -> dict[str, pl.LazyFrame]:
    """A table's partials of all clients, from the finished tables bucket by bucket; nothing of one without."""
    if not table.partial:
        return {}
    finished = [name for name in table.read_by_bucket if name not in facts]
    parts = []
    for whose in buckets:
        tables = {name: frames.lazy_table(con, f"main.{name}", whose) for name in finished}
        parts.append(table.partial_of({**facts, **tables}).collect())
    return {PARTIALS: pl.concat(parts).lazy()}
