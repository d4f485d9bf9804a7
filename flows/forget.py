"""Take a person's data out: of the published file, every kept version and the private tree.

    python -m flows.forget --space SPACE --client NUMBER [--since YYYY-MM-DD]

With --since a consent is withdrawn from that day on: what is dated before stays. A tombstone stops a re-read of an
export from bringing the data back; the exports that still hold the record are listed for ops to delete.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from flows.beginning import begin
from flows.checking import check_tables
from flows.computing import compute, compute_clinic
from flows.crosswalk import crosswalk_of, read_crosswalk
from flows.deliveries import matching
from flows.joining import join_clients
from flows.key import read_key
from flows.known_lines import drop_lines
from flows.night import at_work
from flows.order import Order, Tonight, need_exports, place_change
from flows.pages import draw
from flows.publishing import publish
from flows.terminal import arguments, finish
from flows.tombstones import read_tombstones, set_tombstone
from transforms.pseudonyms import Pseudonyms
from transforms.sources import open_delivery, read
from transforms.sources.task import Task
from warehouse import building, compaction, erasing, movement
from warehouse.errors import Damaged, RapportError, Refused, Unusable
from warehouse.folders import Folders, copy_to
from warehouse.load_facts import facts_of
from warehouse.opening import damage_of
from warehouse.versions import kept_versions, load_of, replace_version, told_place


@dataclass(frozen=True)
class Person:
    """Who is to be forgotten, as ops know them, and since when; `pseudonym` as hexadecimal digits."""

    numbers: tuple[tuple[str, str], ...]  # id space and number; several where client_links joins them
    since: date | None
    pseudonyms: tuple[str, ...]  # the one in use, and those that the numbers had, or would have, without the links


@dataclass(frozen=True)
class Receipt:
    """What was done, without personal data."""

    load_id: int
    rows: dict[str, int]
    versions: int
    version_rows: int
    uncleaned: tuple[str, ...] = ()  # kept files that are damaged, so that nobody can be taken out of them


def find_person(order: Order, space: str, number: str, since: date | None) -> Person:
    """The person. Raises Unusable for one whom the crosswalk does not know: a mistyped number would bury another."""
    pseudonyms = Pseudonyms(read_key(order.folders), order.clinic.client_links)
    numbers = order.clinic.client_links.numbers_of((space, number.strip()))
    pseudonym = pseudonyms.one(space, "client", number)
    alone = tuple(pseudonyms.alone(*each) for each in numbers)
    crosswalk = _everybody_kept(order.folders)
    is_known = crosswalk.filter(pl.col("kind") == "client")["pseudonym"].is_in([pseudonym, *alone]).any()
    tombstones = read_tombstones(order.folders)
    if not is_known and not (tombstones.days and tombstones.of(pseudonym) in tombstones.days):
        spaces = ", ".join(sorted(crosswalk.filter(pl.col("kind") == "client")["id_space"].unique()))
        raise Unusable(f"no client with this number is known in the id space '{space}'; known id spaces are {spaces}")
    return Person(tuple(numbers), since, tuple(dict.fromkeys((pseudonym, *alone))))


def _everybody_kept(where: Folders) -> pl.DataFrame:
    """The people of every crosswalk that is kept and whole: a restored load may know fewer than those before it."""
    kept = [crosswalk_of(where, 0)]
    for version in kept_versions(where.crosswalk):
        with suppress(Damaged):
            kept.append(read_crosswalk(version))
    return pl.concat(kept).unique(["kind", "id_space", "number", "pseudonym"])


def forget(order: Order, person: Person) -> Receipt:
    """Take the person out; run again, it finishes what was interrupted."""
    with at_work(order, "forget") as tonight:
        tonight.reason = "consent withdrawn from a day on" if person.since else "a person's data taken out"
        tonight.leaves_space_behind = True
        drop_lines(order.folders)
        for pseudonym in person.pseudonyms:
            set_tombstone(order.folders, pseudonym, person.since)
        begin(tonight)
        join_clients(tonight)
        rows = Counter()
        for pseudonym in person.pseudonyms:
            rows.update(erasing.erase_records(tonight.con, pseudonym, person.since))
        compute(tonight)
        compute_clinic(tonight)
        check_tables(tonight)
        _stop_if_left(tonight, person)
        publish(tonight)
        draw(tonight)
        versions, version_rows, uncleaned = _rewrite_kept(tonight, person)
        receipt = Receipt(tonight.load_id, rows, versions, version_rows, uncleaned)
        _keep(order, receipt)
    return receipt


def _stop_if_left(tonight: Tonight, person: Person) -> None:
    left = sum(erasing.rows_of_person(tonight.con, pseudonym) for pseudonym in person.pseudonyms)
    if not person.since and left:
        raise RapportError(f"{left} rows of the person are left, so nothing was published; report this fault")


def _rewrite_kept(tonight: Tonight, person: Person) -> tuple[int, int, tuple[str, ...]]:
    """Every older version and every crosswalk without the person; how many versions, how many rows went, and which
    files are damaged."""
    where = tonight.order.folders
    old = [version for version in kept_versions(where.published) if load_of(version) != tonight.load_id]
    people = [] if person.since else kept_versions(where.crosswalk)
    rows, uncleaned = [], []
    for version in old:
        try:
            rows.append(_rewrite(tonight, version, person))
        except Damaged:
            uncleaned.append(version)
    for version in people:
        try:
            _rewrite_crosswalk(tonight, version, person)
        except Damaged:
            uncleaned.append(version)
    return len(rows), sum(rows), tuple(map(told_place, uncleaned))


def _rewrite_crosswalk(tonight: Tonight, version: Path, person: Person) -> None:
    made = tonight.scratch / "crosswalk.parquet"
    made.touch(mode=0o600)
    read_crosswalk(version).filter(~pl.col("pseudonym").is_in(person.pseudonyms)).write_parquet(made)
    replace_version(made, version, facts_of(version))


def _rewrite(tonight: Tonight, version: Path, person: Person) -> int:
    """One kept version rewritten, by a copy that leaves nothing behind in empty space; how many rows went. Raises
    Damaged."""
    work = copy_to(version, tonight.scratch / "work.duckdb")
    try:
        with damage_of(version):
            rows = _erase(work, tonight.scratch, person)
            compaction.rewrite(work, version, tonight.scratch)
    finally:
        work.unlink()
    return rows


def _erase(work: Path, scratch: Path, person: Person) -> int:
    with building.open_file(work, scratch) as con:
        rows = sum(erasing.erase_everywhere(con, pseudonym, person.since) for pseudonym in person.pseudonyms)
        movement.book_erasure(con)
    return rows


def _keep(order: Order, receipt: Receipt) -> None:
    facts = {"at": datetime.now(UTC).isoformat(), "load_id": receipt.load_id, "rows": receipt.rows}
    facts |= {"versions": receipt.versions, "version_rows": receipt.version_rows}
    facts |= {"uncleaned": receipt.uncleaned} if receipt.uncleaned else {}
    with order.folders.receipts.open("a", encoding="utf-8") as file:
        file.write(json.dumps(facts) + "\n")


def still_holding(order: Order, exports: Path, person: Person) -> Iterator[str]:
    """The export files that hold the person's record, or could not be read and may."""
    for source in order.clinic.sources:
        numbers = [number for space, number in person.numbers if space == source.id_space]
        if not numbers:
            continue
        task = Task(order.as_of, order.clinic.lists, order.clinic.instruments)
        for path, _ in matching(exports, source):
            try:
                opened = open_delivery(path, source)
                if any(_holds(frame, numbers) for _, frame in read(opened, source, task)):
                    yield path.relative_to(exports).as_posix()
            except Refused as refused:
                yield f"{path.relative_to(exports).as_posix()} (not looked into: it {refused.what})"


def _holds(frame: pl.DataFrame, numbers: list[str]) -> bool:
    return bool(frame["client_id"].str.strip_chars().is_in(numbers).any())


def tell(receipt: Receipt, holding: list[str]) -> None:
    """Print the receipt, which names nobody, and the files that ops must delete."""
    removed = ", ".join(f"{count} of {table}" for table, count in receipt.rows.items() if count) or "none"
    print(f"Done, published as load {receipt.load_id}. Rows taken out: {removed}.")
    print(f"Kept versions rewritten: {receipt.versions}, with {receipt.version_rows} rows taken out of them.")
    for name in receipt.uncleaned:
        print(f"{name} is damaged, so nobody can be taken out of it: delete its folder, then run this again.")
    print("A tombstone in the private tree stops a re-read. Backups and copies elsewhere are yours to clean.")
    if holding:
        print("These exports still hold the record; delete them, or the record in them:")
        print("\n".join(f"  {name}" for name in holding))


def main(given: list[str] | None = None) -> int:
    """Forget one person, or withdraw a consent from a day on."""
    parser = arguments("forget", "Take a person's data out of the warehouse.", exports=True)
    parser.add_argument("--space", required=True, help="the id space of the number: id_space in clinic.toml")
    parser.add_argument("--client", required=True, metavar="NUMBER", help="the client's number in that space")
    parser.add_argument("--since", type=date.fromisoformat, metavar="YYYY-MM-DD", help="only from this day on")
    asked = parser.parse_args(given)

    def run() -> int:
        order = place_change(asked.clinic, asked.warehouse)
        need_exports(asked.exports)
        person = find_person(order, asked.space, asked.client, asked.since)
        receipt = forget(order, person)
        tell(receipt, list(still_holding(order, asked.exports, person)))
        return 1 if receipt.uncleaned else 0

    return finish(run)


if __name__ == "__main__":
    sys.exit(main())
