"""Take a person's data out: of the published file, every kept version and the private tree.

    python -m flows.forget --space SPACE --client NUMBER [--since YYYY-MM-DD]

With --since a consent is withdrawn from that day on: what is dated before stays. A tombstone stops a re-read of an
export from bringing the data back; the exports that still hold the record are listed for ops to delete.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from flows.beginning import begin
from flows.checking import check_tables
from flows.computing import compute_again
from flows.crosswalk import crosswalk_of, read_crosswalk
from flows.deliveries import matching
from flows.erasure import Cleaned, begin_erasure, unopened
from flows.key import read_key
from flows.night import at_work
from flows.open_erasures import open_erasures
from flows.order import Order, Tonight, need_exports, place_change
from flows.pages import draw
from flows.publishing import publish
from flows.terminal import arguments, finish, read_day
from flows.tombstones import read_tombstones
from transforms.pseudonyms import Pseudonyms
from transforms.sources import open_delivery, read
from transforms.sources.task import Task
from warehouse import erasing
from warehouse.erased_days import ErasedDays
from warehouse.errors import Damaged, RapportError, Refused, Unusable, escaped
from warehouse.folders import Folders
from warehouse.versions import kept_versions


@dataclass(frozen=True)
class Person:
    """Who is to be forgotten, as ops know them, and since when; `pseudonym` as hexadecimal digits."""

    numbers: tuple[tuple[str, str], ...]  # id space and number; several where client_links joins them
    since: date | None
    pseudonyms: tuple[str, ...]  # the one in use, and those that the numbers had, or would have, without the links


def find_person(order: Order, space: str, number: str, since: date | None) -> Person:
    """The person. Raises Unusable for one whom the crosswalk does not know: a mistyped number would bury another."""
    pseudonyms = Pseudonyms(read_key(order.folders), order.clinic.client_links)
    numbers = order.clinic.client_links.numbers_of((space, number.strip()))
    pseudonym = pseudonyms.one(space, "client", number)
    alone = tuple(pseudonyms.alone(*each) for each in numbers)
    crosswalk = _everybody_kept(order.folders)
    is_known = crosswalk.filter(pl.col("kind") == "client")["pseudonym"].is_in([pseudonym, *alone]).any()
    if not is_known and not read_tombstones(order.folders).days_of(pseudonym):
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


def forget(order: Order, person: Person) -> Tonight:
    """Take the person out, in a load of its own; run again, it finishes what was interrupted."""
    with at_work(order, "forget") as tonight:
        tonight.reason = "consent withdrawn from a day on" if person.since else "a person's data taken out"
        days = ErasedDays(since=person.since)
        tonight.leaves_space_behind = True
        for name in unopened(tonight):
            tonight.told(f"nobody can be taken out of {name}, which cannot be opened; the others are cleaned")
        begin_erasure(order.folders, dict.fromkeys(person.pseudonyms, days), tonight.reason)
        begin(tonight)
        compute_again(tonight)
        check_tables(tonight)
        _stop_if_left(tonight, person)
        publish(tonight)
        draw(tonight)
    return tonight


def _stop_if_left(tonight: Tonight, person: Person) -> None:
    left = sum(erasing.rows_of_person(tonight.con, pseudonym) for pseudonym in person.pseudonyms)
    if not person.since and left:
        raise RapportError(f"{left} rows of the person are left, so nothing was published; report this fault")


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
                    yield escaped(path.relative_to(exports).as_posix())
            except Refused as refused:
                yield f"{escaped(path.relative_to(exports).as_posix())} (not looked into: it {refused.what})"


def _holds(frame: pl.DataFrame, numbers: list[str]) -> bool:
    return bool(frame["client_id"].str.strip_chars().is_in(numbers).any())


def tell(done: Tonight, holding: list[str]) -> None:
    """Print what was done, which names nobody, and the files that ops must delete."""
    cleaned = done.cleaned or Cleaned()
    print(f"Done, published as load {done.load_id}. Rows taken out: {done.erased_rows}.")
    print(f"Kept versions rewritten: {cleaned.versions}, with {cleaned.rows} rows taken out of them.")
    print("A tombstone in the private tree stops a re-read. Backups and copies elsewhere are yours to clean.")
    if holding:
        print("These exports still hold the record; delete them, or the record in them:")
        print("\n".join(f"  {escaped(name)}" for name in holding))


def main(given: list[str] | None = None) -> int:
    """Forget one person, or withdraw a consent from a day on."""
    parser = arguments("forget", "Take a person's data out of the warehouse.", exports=True)
    parser.add_argument("--space", required=True, help="the id space of the number: id_space in clinic.toml")
    parser.add_argument("--client", required=True, metavar="NUMBER", help="the client's number in that space")
    parser.add_argument("--since", metavar="YYYY-MM-DD", help="only from this day on")
    asked = parser.parse_args(given)

    def run() -> int:
        since = read_day("--since", asked.since) if asked.since is not None else None
        order = place_change(asked.clinic, asked.warehouse)
        need_exports(asked.exports)
        person = find_person(order, asked.space, asked.client, since)
        done = forget(order, person)
        tell(done, list(still_holding(order, asked.exports, person)))
        for trouble in done.troubles:
            print(f"{trouble[:1].upper()}{trouble[1:]}.", file=sys.stderr)
        return 1 if open_erasures(order.folders) else 0

    return finish(run, asked.warehouse)


if __name__ == "__main__":
    sys.exit(main())
