"""An erasure, from its note to its end: tombstones, the file of the load, the kept versions, the receipt.

    1. private/erasing.json names the people, before anything else; from here on the erasure is finished or reported
    2. a tombstone for each of their pseudonyms; remembered lines are dropped
    3. every load deletes the rows of people with a tombstone from the file that it begins with (`take_out`)
    4. the load is published; then every kept version and crosswalk is rewritten without them (`finish_erasures`)
    5. a receipt; erasing.json goes

A load that is killed or fails leaves erasing.json, and the next night does the rest.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from rapport import transforms
from rapport.flows.failures import sayable
from rapport.flows.order import Order
from rapport.flows.private.crosswalk import read_crosswalk
from rapport.flows.private.open_erasures import Erasure, note, open_erasures
from rapport.flows.private.tombstones import Tombstones, read_tombstones, set_tombstones
from rapport.flows.steps.remembered_lines import drop_lines
from rapport.flows.workbench import Load, TakenOut
from rapport.warehouse.derived import why_it_moved
from rapport.warehouse.errors import RapportError
from rapport.warehouse.history import erase, expiry
from rapport.warehouse.history.erased_days import ErasedDays
from rapport.warehouse.intake import match_book
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.load_facts import facts_of
from rapport.warehouse.places.private_files import add_line
from rapport.warehouse.places.versions import kept_versions, load_of, replace_version, tree_path
from rapport.warehouse.store import building_file, compaction
from rapport.warehouse.store.opening import damage_of

if TYPE_CHECKING:
    import duckdb

AGAIN = "a file held people who had been taken out before"


@dataclass
class Cleaned:
    """The kept versions that were rewritten, their deleted rows, and the files that cannot be opened."""

    versions: int = 0
    rows: int = 0
    uncleaned: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)  # a sentence for each file that was not cleaned


def begin_erasure(folders: Folders, people: Mapping[str, ErasedDays], reason: str) -> None:
    """Note an erasure, then set its tombstones."""
    erasure = Erasure(people, datetime.now(UTC), reason)
    others = [each for each in open_erasures(folders) if each.people != erasure.people]
    note(folders, [*others, erasure])
    set_open_tombstones(folders)


def set_open_tombstones(folders: Folders) -> None:
    """Set the tombstones of every open erasure, and delete the remembered lines, which may contain these people."""
    erasures = open_erasures(folders)
    if erasures:
        drop_lines(folders)
    for each in erasures:
        set_tombstones(folders, each.people)


def take_out(con: duckdb.DuckDBPyConnection, order: Order, tombstones: Tombstones) -> TakenOut:
    """Delete the rows of people with a tombstone from the load's file, which may be older than the tombstone. These
    people are marked as touched, so the load computes the tables of main again."""
    found = _to_take_out(con, tombstones)
    if not found:
        return TakenOut()
    clients, episodes = expiry.count_going(con)
    taken_out = TakenOut(erase.erase_records(con), clients, episodes, _reason(order))
    _open_again(order, tombstones.among(found))
    return taken_out


def _reason(order: Order) -> str:
    reasons = dict.fromkeys(each.reason for each in open_erasures(order.folders))
    return f"an erasure was finished: {', '.join(reasons)}" if reasons else AGAIN


def _open_again(order: Order, people: Mapping[str, ErasedDays]) -> None:
    """Note an erasure for people whom a file from a backup has brought back: kept versions are cleaned again."""
    if not order.is_check and not open_erasures(order.folders):
        note(order.folders, [Erasure(people, datetime.now(UTC), AGAIN)])


def _to_take_out(con: duckdb.DuckDBPyConnection, tombstones: Tombstones) -> Collection[str]:
    """The people in a file with a tombstone and with rows that it forbids, as hexadecimal digits."""
    people = tombstones.among(erase.known_people(con)) if tombstones.days else {}
    return erase.people_to_erase(con, people) if people else []


def finish_erasures(load: Load, published: Path, erased_rows: int) -> Cleaned:
    """Rewrite every kept version and crosswalk without the people who have a tombstone, and write the receipt. A file
    that cannot be cleaned is named, and the erasure stays open. The load is published, and the next night goes on.

    `erased_rows`: the number of rows that the load deleted from its own file."""
    cleaned = Cleaned()
    if open_erasures(load.order.folders):
        try:
            _clean_kept(load, published, erased_rows, cleaned)
        except Exception as error:
            cleaned.damaged.append(
                f"the load is published, and kept versions may still hold a person who is taken out: {sayable(error)}"
            )
    return cleaned


def _clean_kept(load: Load, published: Path, erased_rows: int, cleaned: Cleaned) -> None:
    where = load.order.folders
    tombstones = read_tombstones(where)
    for version in kept_versions(where.published):
        if load_of(version) != load.load_id:
            _clean(load.scratch, version, tombstones, cleaned)
    with building_file.open_published(published) as con:
        known = set(erase.known_people(con))
    for version in kept_versions(where.crosswalk):
        _clean_crosswalk(load.scratch, version, tombstones, known, cleaned)
    _give_receipt(load, erased_rows, cleaned)
    if not cleaned.uncleaned:
        where.erasing.unlink()
    for name in cleaned.uncleaned:
        cleaned.damaged.append(
            f"nobody can be taken out of {name}, which cannot be opened: delete its folder, then run the next night"
        )


def unopened(folders: Folders) -> list[str]:
    """The kept versions that cannot be opened, found before anything is published."""
    names = []
    for version in kept_versions(folders.published):
        try:
            compaction.try_opening(version)
        except RapportError:
            names.append(tree_path(version))
    return names


def _clean(scratch: Path, version: Path, tombstones: Tombstones, cleaned: Cleaned) -> None:
    """Clean one kept version by a copy, so that no deleted row stays in the file's empty space."""
    work = scratch / "work.duckdb"
    try:
        with damage_of(version):
            compaction.copy_compactly(version, work)
            if rows := _erased(work, scratch, tombstones):
                compaction.rewrite(work, version, scratch)
                cleaned.versions, cleaned.rows = cleaned.versions + 1, cleaned.rows + rows
    except RapportError:
        cleaned.uncleaned.append(tree_path(version))
    finally:
        work.unlink(missing_ok=True)


def _erased(work: Path, scratch: Path, tombstones: Tombstones) -> int:
    """Delete the people's rows, and the sums that include them, from a copy of a kept version. Return their number."""
    with building_file.open_file(work, scratch) as con:
        if not _to_take_out(con, tombstones):
            return 0
        rows = erase.erase_everywhere(con)
        erase.empty(con, _tables_of_sums())
        why_it_moved.withhold_amounts(con)
        match_book.withhold_totals(con)
        return rows


def _tables_of_sums() -> list[str]:
    """Tables over all clients. A restoration computes them again."""
    return [table.name for table in transforms.tables() if table.per == "clinic" and table.reads != ("clinic",)]


def _clean_crosswalk(
    scratch: Path, version: Path, tombstones: Tombstones, known: Collection[str], cleaned: Cleaned
) -> None:
    try:
        crosswalk = read_crosswalk(version)
    except RapportError:
        cleaned.uncleaned.append(tree_path(version))
        return
    living = without_erased(crosswalk, tombstones, known)
    if living.height < crosswalk.height:
        made = scratch / "crosswalk.parquet"
        made.touch(mode=0o600)
        living.write_parquet(made)
        replace_version(made, version, facts_of(version))


def without_erased(crosswalk: pl.DataFrame, tombstones: Tombstones, known: Collection[str]) -> pl.DataFrame:
    """The crosswalk without people whose records may not be read, and without people who have no record left. `known`:
    the people with records in the newest file."""
    people = tombstones.among(crosswalk["pseudonym"].unique())
    gone = [each for each, days in people.items() if days.is_everything or (days.until and each not in known)]
    return crosswalk.filter(~pl.col("pseudonym").is_in(gone)) if gone else crosswalk


def _give_receipt(load: Load, erased_rows: int, cleaned: Cleaned) -> None:
    """Add a line without personal data. It has totals only: one row of a named table could reveal its content."""
    facts = {"at": datetime.now(UTC).isoformat(), "load_id": load.load_id, "rows": erased_rows}
    facts |= {"versions": cleaned.versions, "version_rows": cleaned.rows}
    facts |= {"uncleaned": cleaned.uncleaned} if cleaned.uncleaned else {}
    add_line(load.order.folders.receipts, json.dumps(facts))
