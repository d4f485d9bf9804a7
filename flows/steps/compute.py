"""Computing: the history from the accepted rows, and the tables from the history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from rapport import transforms
from rapport.flows.private.crosswalk import add_people, birth_dates, born_otherwise
from rapport.flows.steps.changed_definitions import fingerprints, renewed
from rapport.flows.steps.discover import Found
from rapport.flows.steps.follow_slots import follow_slots, tell_repeated_starts, tell_repeats
from rapport.flows.steps.read import Read
from rapport.flows.steps.remembered_lines import remember
from rapport.flows.steps.settle_spaces import note_read
from rapport.flows.workbench import FileAtWork, Workbench
from rapport.transforms.sessions.visits import by_visit
from rapport.warehouse.derived import row_differences, touched_buckets, why_it_moved
from rapport.warehouse.derived.definitions import note_changed
from rapport.warehouse.history import record_versions, retract, risk_answers
from rapport.warehouse.intake import ledger, older_readings, staged_rows
from rapport.warehouse.published import night_in_numbers
from rapport.warehouse.published.night_in_numbers import FileSums
from rapport.warehouse.schema.records import DEFINITION
from rapport.warehouse.schema.tables import PARTIALS, Table
from rapport.warehouse.store import building_file, frames
from rapport.warehouse.store.session_settings import ONE_THREAD, setting

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Kept:
    """The result of entering tonight's records into the file's history."""

    bench: Workbench  # its crosswalk includes the people of tonight's records
    files: list[FileSums]
    remembered: tuple[Path, ...]  # files about the lines of whole exports, to be kept when the load has published
    read_otherwise: dict[str, int]  # by source, records that cannot be read again
    row_count: int
    warnings: tuple[str, ...]  # sentences about slots that may have moved


@dataclass(frozen=True)
class Computed:
    """The number of clients whose tables were computed, and whether a changed definition was the reason."""

    client_count: int = 0
    is_full_build: bool = False
    row_count: int = 0


def keep(read: Read, found: Found) -> Kept:
    """Enter changed records into the history as new versions. The result has the clients that they touch."""
    bench, con, order = read.bench, read.bench.con, read.bench.order
    row_count = bench.staging.row_count
    risk_answers.keep_risk_answers(con, order.clinic.instruments.values(), bench.load_id, order.as_of)
    record_versions.keep_history(con, bench.load_id)
    for each in read.retracted:
        retract.retract(con, bench.load_id, each.kind, each.source, each.ids["id"], each.file_number)
    moves = tuple(follow_slots(bench))
    ledger.recount_records(con)
    files = night_in_numbers.files_by_source(con)
    ledger.write_ledgers(con, bench.load_id)
    warnings = (*moves, *tell_repeats(bench), *tell_repeated_starts(bench))
    note_read(bench, found.deliveries)
    remembered = tuple(remember(bench, read.by_line))
    read_otherwise = older_readings.read_otherwise(con, found.readings)
    staged_rows.clear(con)
    crosswalk = add_people(bench.crosswalk, bench.pseudonyms.crosswalk(), read.births)
    return Kept(replace(bench, crosswalk=crosswalk), files, remembered, read_otherwise, row_count, warnings)


def compute(bench: Workbench) -> Computed:
    """Compute the clients' tables: first for changed definitions from earlier records, then for tonight's records."""
    con, tables, row_count = bench.con, transforms.tables(), 0
    touched_buckets.touch(con, born_otherwise(bench.born_before, bench.crosswalk))
    now = fingerprints(bench.order)
    anew = renewed(con, now)
    why_it_moved.begin_movements(con)
    why_it_moved.list_causes(con)
    _take_down(con, tables)
    building_file.create_tables(con, tables)
    touched_buckets.note_ends(con)
    anew &= {table.name for table in tables if table.per == "client"}
    if anew and touched_buckets.choose_known_before(con, bench.load_id):
        row_count += _compute_clients(bench, tables, anew, before=bench.load_id)
    if touched_buckets.choose_touched(con):
        row_count += _compute_clients(bench, tables, {table.name for table in tables})
    note_changed(con, now, bench.load_id)
    return Computed(touched_buckets.touched_count(con), bool(anew), row_count)


def compute_clinic(bench: Workbench) -> None:
    """Compute the clinic's tables from the clients' tables, and how much the load changed each headline.

    In one thread: between so many small writes, a second thread mostly waits."""
    with setting(bench.con, *building_file.LEAST_MEMORY), setting(bench.con, *ONE_THREAD):
        _compute_clinic(bench, transforms.tables())
    why_it_moved.write_movements(bench.con, bench.load_id)


def compute_again(bench: Workbench) -> Computed:
    """For a load that reads no export: compute the tables of the touched clients, and the clinic's tables."""
    computed = compute(bench)
    compute_clinic(bench)
    return computed


def compute_everybody(bench: Workbench) -> Computed:
    """For a load that reads no export: compute every table from the records again. Rows that differ are replaced, and
    the movements in the books agree with the tables again."""
    con, tables = bench.con, transforms.tables()
    row_count = compute(bench).row_count
    with why_it_moved.without_movements(con):
        if touched_buckets.choose_everybody(con, tables):
            row_count += _compute_clients(bench, tables, {table.name for table in tables}, before=bench.load_id)
    computed = Computed(touched_buckets.touched_count(con), is_full_build=True, row_count=row_count)
    compute_clinic(bench)
    why_it_moved.settle(con, bench.load_id)
    return computed


def derive_anew(file: FileAtWork) -> None:
    """Drop every table, and compute it again from the records alone."""
    con, tables = file.con, transforms.tables()
    why_it_moved.begin_movements(con)
    why_it_moved.list_causes(con)
    building_file.drop_tables(con)
    building_file.create_tables(con, tables)
    if touched_buckets.choose_known_before(con, file.load_id):
        _compute_clients(file, tables, {table.name for table in tables})
    _compute_clinic(file, tables)


def _take_down(con: duckdb.DuckDBPyConnection, tables: list[Table]) -> None:
    """Record that the rows of a table with changed columns were removed by the new definition."""
    for table in building_file.with_other_columns(con, tables):
        why_it_moved.note_taken_down(con, table)


def _compute_clients(file: FileAtWork, tables: list[Table], wanted: set[str], before: int | None = None) -> int:
    """Compute the wanted tables from the whole history of the chosen clients, bucket by bucket. Other tables are read
    from the file. Return the number of rows that were read and computed.

    `before`: for a changed definition, the load whose records do not count yet.
    """
    con, row_count = file.con, 0
    buckets = touched_buckets.deal_buckets(con, file.order.bucket_count)
    to_make = {table.name: table for table in tables if table.per == "client" and table.name in wanted}
    births = birth_dates(file.crosswalk)
    with setting(con, *building_file.LESS_MEMORY), touched_buckets.filled_at_once(con), _whole_frames():
        for bucket in range(buckets):
            name = f"bucket {bucket + 1} of {buckets}"
            file.progress(f"computing {name}")
            row_count += file.run(name, partial(_compute_bucket, file, to_make, births, bucket, before))
    for name in touched_buckets.began_empty(con) & to_make.keys():
        table = to_make[name]
        why_it_moved.note_changes(con, table, f"main.{name}", row_differences.no_rows(table), _cause(before))
    return row_count


def _whole_frames() -> pl.Config:
    """Polars settings for a bucket, which is in memory as a whole. Streaming would cost a fifth more time and 50 MiB
    (measured at size M). Reading streams, because it does not hold a whole file."""
    return pl.Config(engine_affinity="in-memory")


def _cause(before: int | None) -> str | None:
    return DEFINITION if before else None


def _compute_bucket(
    file: FileAtWork, to_make: Mapping[str, Table], births: pl.DataFrame, bucket: int, before: int | None
) -> int:
    con = file.con
    began_empty = touched_buckets.began_empty(con)
    records = touched_buckets.records_of(con, bucket, before, file.order.clinic.visit_sources)
    row_count = sum(frame.height for frame in records.values())
    frames_read = _frames_read(file, to_make, births, bucket, records)
    rows_by_table = transforms.rows_of_clients(frames_read, file.order.clinic, to_make)
    del records, frames_read  # the iterator keeps the frames that it needs
    for name, made in rows_by_table:
        table = to_make[name]
        row_count += made.height
        if name in began_empty:  # its changes are noted once, after the last bucket: each note costs the same
            row_differences.append(con, table, made)
        else:
            why_it_moved.note_changes(
                con, table, *touched_buckets.write_differences(con, table, made, bucket), _cause(before)
            )
    return row_count


def _frames_read(
    file: FileAtWork, to_make: Mapping[str, Table], births: pl.DataFrame, bucket: int, records: dict[str, pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    """The frames of a bucket's clients that the tables to compute read, by name."""
    read = {name for table in to_make.values() for name in table.reads}
    clinic = file.order.clinic
    visits = by_visit(
        records["appointment_records"], records["former_lines"], clinic.visit_sources, clinic.not_treatment
    )
    known = records | visits | {"birth_dates": births.join(records["client_ids"], on="client_id", how="semi")}
    finished = read & {table.name for table in transforms.tables()} - to_make.keys()
    frames_known = {name: known[name] for name in known.keys() & read}
    return frames_known | {name: touched_buckets.rows_of(file.con, name, bucket) for name in finished}


def _compute_clinic(file: FileAtWork, tables: list[Table]) -> None:
    """Compute the clinic's tables from the finished tables of all clients, and from partials."""
    con = file.con
    facts: dict[str, object] = {"clinic": file.order.clinic, "as_of": file.order.as_of}
    known = facts | {each.name: frames.lazy_table(con, f"main.{each.name}") for each in tables if each.per == "client"}
    buckets = touched_buckets.everybody_by_bucket(con, file.order.bucket_count)
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
    """A table's partials of all clients, from the finished tables bucket by bucket. Empty for a table without
    partials."""
    if not table.partial:
        return {}
    finished = [name for name in table.read_by_bucket if name not in facts]
    parts = []
    for whose in buckets:
        tables = {name: frames.lazy_table(con, f"main.{name}", whose) for name in finished}
        parts.append(table.partial_of({**facts, **tables}).collect())
    return {PARTIALS: pl.concat(parts).lazy()}
