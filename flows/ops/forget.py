"""Takes a person's data out of the published file, every kept version and the private tree.

    rapport forget --space SPACE --client NUMBER [--since YYYY-MM-DD]
    rapport forget --space SPACE --rater ID [--since YYYY-MM-DD]

With --rater, the responses of one person who rates, such as a parent or a partner, are taken out, about any client.
With --since, a consent is withdrawn from that day on: older records stay. A tombstone prevents that a second reading of
an export brings the data back. The command lists the exports that still hold the record, for ops to delete.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from rapport.flows.load import at_work
from rapport.flows.ops.publish_load import Done, publish_load
from rapport.flows.order import Order, need_exports, place_change
from rapport.flows.private.aliases import aliases_of, number_known_as
from rapport.flows.private.crosswalk import crosswalk_of, damaged_crosswalks, everybody_kept, numbers_of
from rapport.flows.private.erasure import begin_erasure, unopened
from rapport.flows.private.key import read_key
from rapport.flows.private.open_erasures import open_erasures
from rapport.flows.private.tombstones import read_tombstones
from rapport.flows.steps.begin import begin, refuse_other_key
from rapport.flows.steps.check import check_tables
from rapport.flows.steps.compute import compute_again
from rapport.flows.steps.discover import matching
from rapport.flows.steps.join_clients import join_clients
from rapport.flows.steps.settle_spaces import settled_now
from rapport.flows.terminal import arguments, finish, read_day
from rapport.flows.troubles import print_troubles
from rapport.flows.workbench import Workbench
from rapport.transforms.pseudonyms import Pseudonyms
from rapport.transforms.sources import open_delivery, read
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.warehouse.clinic_file.id_spaces import Spaces
from rapport.warehouse.errors import RapportError, Refused, Unusable, escaped
from rapport.warehouse.history import erase
from rapport.warehouse.history.erased_days import ErasedDays
from rapport.warehouse.history.moved_slots import probable_moves
from rapport.warehouse.intake.space_book import Used
from rapport.warehouse.places.private_files import need_file
from rapport.warehouse.places.publication import published_version
from rapport.warehouse.places.versions import kept_versions, load_of
from rapport.warehouse.store.building_file import open_published


@dataclass(frozen=True)
class Person:
    """The person to forget: their numbers, and the first day. Pseudonyms are hexadecimal digits."""

    numbers: tuple[tuple[str, str], ...]  # id space (its first name) and number; several where numbers are joined
    since: date | None
    pseudonyms: tuple[str, ...]  # the one in use, and those of the numbers without links
    probably_too: tuple[tuple[str, str, int], ...] = ()  # id space, number, and slots that may have moved between them
    column: str = "client_id"  # the column of exports that holds the number
    known_elsewhere: tuple[str, ...] = ()  # former id spaces of the sources, where the number may be another person's


class NobodyKnown(Unusable):
    """No person of the warehouse has this number."""


def find_person(order: Order, space: str, number: str, since: date | None) -> Person:
    """The person. Raises NobodyKnown for a number that is not in the crosswalk: a mistyped number could erase another
    person."""
    crosswalk, spaces = everybody_kept(order.folders), order.clinic.spaces
    used = settled_now(order, crosswalk)
    pseudonyms = _names(order, crosswalk)
    number = number_known_as(order.clinic, crosswalk, space, number)
    number = pseudonyms.aliases.number(spaces.first_name(space), "client", number)
    joined = order.clinic.client_links.numbers_of((spaces.counts_as(space), number))
    numbers = [(same, each) for main, each in joined for same in (main, *spaces.same_as_this(main))]
    pseudonym = pseudonyms.one(space, "client", number)
    alone = tuple(pseudonyms.alone(*each) for each in numbers)
    alone += tuple(pseudonyms.as_written(*each).hex() for of in numbers for each in _as_written(pseudonyms, *of))
    is_known = crosswalk.filter(pl.col("kind") == "client")["pseudonym"].is_in([pseudonym, *alone]).any()
    if not is_known and not read_tombstones(order.folders).days_of(pseudonym):
        _refuse_unknown(order, pseudonyms)
        known = crosswalk.filter(pl.col("kind") == "client")["id_space"].unique()
        names = ", ".join(sorted(map(spaces.name_of, known)))
        raise NobodyKnown(f"no client with this number is known in the id space '{space}'; known id spaces are {names}")
    elsewhere = _known_elsewhere(spaces, used, numbers, crosswalk)
    ids = tuple(dict.fromkeys((pseudonym, *alone)))
    too = tuple(_probably_too(order, ids, crosswalk))
    return Person(tuple(numbers), since, ids, too, known_elsewhere=elsewhere)


def find_rater(order: Order, space: str, number: str, since: date | None) -> Person:
    """The person who rates under this rater_id. The crosswalk has no raters, so the kept files are asked. Raises
    NobodyKnown."""
    names = _names(order, everybody_kept(order.folders))
    ids = (names.one(space, "rater", number), names.alone_in_bytes(space, number, "rater").hex())
    first = (order.clinic.spaces.first_name(space), number.strip())
    person = Person((first,), since, tuple(dict.fromkeys(ids)), column="rater_id")
    has_tombstone = any(map(read_tombstones(order.folders).days_of, ids))
    if not has_tombstone and not any(
        _has_responses(version, ids) for version in kept_versions(order.folders.published)
    ):
        _refuse_unknown(order, names)
        raise NobodyKnown(
            f"no response of a rater with this id is known in the id space '{escaped(space)}'; look for the id in the "
            "column rater_id of the exports"
        )
    return person


def _has_responses(version: Path, raters: Collection[str]) -> bool:
    """Whether a kept file has responses of one of these raters; of one that cannot be opened, no."""
    with suppress(RapportError), open_published(version) as con:
        return any(erase.rows_of_person(con, rater) for rater in raters)
    return False


def _probably_too(order: Order, ids: Collection[str], crosswalk: pl.DataFrame) -> Iterator[tuple[str, str, int]]:
    """The clients whose appointments were this person's before, or became this person's: perhaps the same person under
    another number."""
    counts: Counter[str] = Counter()
    with open_published(published_version(order.folders)) as con:
        for each in probable_moves(con):
            if len({each.old_id, each.new_id} & set(ids)) == 1:
                counts[each.new_id if each.old_id in ids else each.old_id] += each.slot_count
    clients = crosswalk.filter(pl.col("kind") == "client", pl.col("pseudonym").is_in(list(counts)))
    numbers = clients.select("id_space", "number", "pseudonym").sort(pl.all()).unique("pseudonym", maintain_order=True)
    for space, number, other in numbers.iter_rows():
        yield order.clinic.spaces.name_of(space), number, counts[other]


def _names(order: Order, crosswalk: pl.DataFrame) -> Pseudonyms:
    """The pseudonyms that the next night will use."""
    names = Pseudonyms(read_key(order.folders), order.clinic.client_links, order.clinic.spaces)
    with open_published(published_version(order.folders)) as con:
        return names.with_aliases(aliases_of(order.clinic, crosswalk, con, names))


def _as_written(names: Pseudonyms, space: str, number: str) -> Iterator[tuple[str, str]]:
    """Every text of a number. A file may hold the person under each of them."""
    for text in names.aliases.texts_of(space, "client", number):
        yield space, text


def _refuse_unknown(order: Order, pseudonyms: Pseudonyms) -> None:
    """Raise the error that may explain why the number is unknown: another key, or a damaged or lost crosswalk."""
    published = published_version(order.folders)
    with open_published(published) as con:
        refuse_other_key(con, pseudonyms)
    for damaged in damaged_crosswalks(order.folders):
        raise damaged
    crosswalk_of(order.folders, load_of(published))


def _known_elsewhere(
    spaces: Spaces, used: Collection[Used], numbers: Collection[tuple[str, str]], crosswalk: pl.DataFrame
) -> tuple[str, ...]:
    here = {space for space, _ in numbers}
    sources = {each.source for each in used if each.first_name in here and each.source}
    others = {each.first_name for each in used if each.source in sources} - here
    if spaces.with_new_numbers & set(map(spaces.name_of, here)):
        return ()
    texts = {number for _, number in numbers}
    return tuple(sorted(spaces.name_of(other) for other in others if texts & numbers_of(crosswalk, other)))


def forget(order: Order, person: Person) -> Done:
    """Take the person out, in a load of its own. A second run finishes an interrupted one."""
    need_file(order.folders.receipts)
    with at_work(order, "forget") as load:
        reason = "consent withdrawn from a day on" if person.since else "a person's data taken out"
        for name in unopened(order.folders):
            load.progress(f"nobody can be taken out of {name}, which cannot be opened; the others are cleaned")
        begin_erasure(order.folders, dict.fromkeys(person.pseudonyms, ErasedDays(since=person.since)), reason)
        bench = join_clients(begin(load))
        computed = compute_again(bench)
        checked = check_tables(bench)
        _stop_if_left(bench, person)
        return publish_load(bench, computed, checked, reason, leaves_space_behind=True)


def _stop_if_left(bench: Workbench, person: Person) -> None:
    left = sum(erase.rows_of_person(bench.con, pseudonym) for pseudonym in person.pseudonyms)
    if not person.since and left:
        raise RapportError(f"{left} rows of the person are left, so nothing was published; report this fault")


def still_holding(order: Order, exports: Path, person: Person) -> Iterator[str]:
    """The export files that hold the person's record, or that cannot be read and may hold it."""
    for source in order.clinic.sources:
        its_space = order.clinic.spaces.first_name(source.id_space)
        numbers = [number for space, number in person.numbers if space == its_space]
        if not numbers:
            continue
        tallies = Tallies(order.as_of, order.clinic.lists, order.clinic.instruments)
        for path, _ in matching(exports, source, with_unfinished=True):
            try:
                export = open_delivery(path, source)
                if any(_holds(frame, person.column, numbers) for _, frame in read(export, source, tallies)):
                    yield escaped(path.relative_to(exports).as_posix())
            except Refused as refused:
                yield f"{escaped(path.relative_to(exports).as_posix())} (not looked into: it {refused.what})"
    for space in order.clinic.spaces.retired:
        if order.clinic.spaces.first_name(space) in dict(person.numbers):
            yield f"the exports of '{escaped(space)}' (not looked into: the id space is retired in clinic.toml)"


def _holds(frame: pl.DataFrame, column: str, numbers: list[str]) -> bool:
    return column in frame.columns and bool(frame[column].str.strip_chars().is_in(numbers).any())


def print_done(done: Done, person: Person, holding: list[str]) -> None:
    """Print the result without names, and the files that ops must delete."""
    cleaned = done.cleaned
    print(f"Done, published as load {done.load_id}. Rows taken out: {done.erased_rows}.")
    print(f"Kept versions rewritten: {cleaned.versions}, with {cleaned.rows} rows taken out of them.")
    print("A tombstone in the private tree stops a re-read. Backups and copies elsewhere are yours to clean.")
    for space, number, count in person.probably_too:
        print(
            f"{count:,} appointments of the client {escaped(number)} in the id space '{escaped(space)}' are probably "
            "this person's too: the same slots were under one number first, and under the other later. If they are "
            f"one person, run rapport forget --space {shlex.quote(space)} --client {shlex.quote(number)} with the same "
            "folders"
        )
    if person.known_elsewhere:
        print(elsewhere_sentence(person))
    if holding:
        print("These exports still hold the record; delete them, or the record in them:")
        print("\n".join(f"  {escaped(name)}" for name in holding))


def elsewhere_sentence(person: Person) -> str:
    """The next step where the number is known in a former id space of its sources too."""
    names = ", ".join(f"'{name}'" for name in person.known_elsewhere)
    return (
        f"The number is known in the id space {names} too, which a source had: if that is the person, forget it there."
    )


def main(given: list[str] | None = None) -> int:
    """Forget one person, or withdraw a consent from a day on."""
    parser = arguments("forget", "Take a person's data out of the warehouse.", exports=True)
    parser.add_argument("--space", required=True, help="the id space of the number: id_space in clinic.toml")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--client", metavar="NUMBER", help="the client's number in that space")
    whom.add_argument("--rater", metavar="ID", help="the rater_id of a person who rates, in that space")
    parser.add_argument("--since", metavar="YYYY-MM-DD", help="only from this day on")
    options = parser.parse_args(given)

    def run() -> int:
        since = read_day("--since", options.since) if options.since is not None else None
        order = place_change(options.clinic, options.warehouse)
        need_exports(options.exports)
        find, number = (find_person, options.client) if options.rater is None else (find_rater, options.rater)
        person = find(order, options.space, number, since)
        done = forget(order, person)
        print_done(done, person, list(still_holding(order, options.exports, person)))
        status = print_troubles(done.troubles)
        return 1 if open_erasures(order.folders) else status

    return finish(run, options.warehouse)
