"""Applies the clinic's client links, and id spaces that are the same, to the history. Erased people stay out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import reduce

import polars as pl

from rapport.flows.private.aliases import one_number, therapists_of_one_number
from rapport.flows.private.crosswalk import numbers_of
from rapport.flows.private.erasure import take_out
from rapport.flows.private.kept_out import list_half_taken_out
from rapport.flows.private.tombstones import Tombstones, set_tombstones
from rapport.flows.workbench import Workbench
from rapport.transforms.pseudonyms import Pseudonyms
from rapport.warehouse.errors import Unusable
from rapport.warehouse.history import erase
from rapport.warehouse.history.erased_days import ErasedDays
from rapport.warehouse.history.joined_clients import JOINS, THERAPISTS, move_therapists, use_joins
from rapport.warehouse.intake import staged_rows


def join_clients(bench: Workbench) -> Workbench:
    """Apply the links, and spaces that are the same, to the history. Then take out people with a tombstone, because a
    number with records of its own again may have one. Raises Unusable for a link that would bring an erased person
    back."""
    joined, moved = follow_links(bench)
    if not moved:
        return joined
    more = take_out(joined.con, joined.order, joined.tombstones)
    return replace(joined, taken_out=joined.taken_out.and_also(more))


def follow_links(bench: Workbench) -> tuple[Workbench, int]:
    """Apply the links without taking anybody out. Return the number of clients' numbers that moved to another client.
    Raises Unusable."""
    list_half_taken_out(bench)
    links = _links(bench)
    if bench.tombstones.days:
        bench = _with_shared_days(bench, links)
        _refuse_half_taken_out(links, bench.tombstones)
    joins = _of_the_known(bench, _of_the_living(_joins(bench, links), bench.tombstones))
    moved = use_joins(bench.con, bench.load_id, joins)
    if move_therapists(bench.con, _same_therapists(bench)) or moved:
        _print_shared_numbers(bench)
        bench = replace(bench, crosswalk=_followed(bench.crosswalk, bench.pseudonyms))
    return bench, moved


def _joins(bench: Workbench, links: pl.DataFrame) -> pl.DataFrame:
    """Every number that counts as another number, once."""
    of_one = pl.DataFrame([(*each, True) for each in one_number(bench)], JOINS, orient="row")
    return pl.concat([links, _same_numbers(bench), of_one]).unique(["id_space", "own_id"], maintain_order=True)


def _print_shared_numbers(bench: Workbench) -> None:
    spaces = bench.order.clinic.spaces
    for space, other in spaces.joined.items():
        known = numbers_of(bench.crosswalk, space)
        shared = len(known & numbers_of(bench.crosswalk, other))
        bench.progress(
            f"{shared:,} of the {len(known):,} numbers of the id space '{space}' are known in "
            f"'{spaces.name_of(other)}' too, and are one person each."
        )


def _links(bench: Workbench) -> pl.DataFrame:
    """Every number of client_links.csv, except the number that its person is known by: rows of JOINS."""
    names = bench.pseudonyms
    rows = [
        (number[0], names.alone_in_bytes(*number), names.alone_in_bytes(*main), number[0] == main[0])
        for number, main in bench.order.clinic.client_links.goes_by.items()
        if number != main
    ]
    # A number whose merge was declared before has the pseudonym of the other number already.
    return pl.DataFrame([row for row in rows if row[1] != row[2]], JOINS, orient="row")


def _same_numbers(bench: Workbench) -> pl.DataFrame:
    """Every known number of a space that is the same as another space: rows of JOINS."""
    names = bench.pseudonyms
    rows = [
        (space, names.alone_in_bytes(space, number), names.one_in_bytes(space, "client", number), False)
        for space in bench.order.clinic.spaces.joined
        for number in sorted(numbers_of(bench.crosswalk, space))
    ]
    return pl.DataFrame(rows, JOINS, orient="row")


def _same_therapists(bench: Workbench) -> pl.DataFrame:
    names = bench.pseudonyms
    known = bench.crosswalk.filter(pl.col("kind") == "therapist").select("id_space", "number")
    rows = [
        (space, names.alone_in_bytes(space, number, "therapist"), names.one_in_bytes(space, "therapist", number))
        for space, number in known.unique().sort("id_space", "number").iter_rows()
        if space in bench.order.clinic.spaces.joined
    ]
    rows += [each for each in therapists_of_one_number(bench) if each[1] != each[2]]
    return pl.DataFrame(rows, THERAPISTS, orient="row")


def _with_shared_days(bench: Workbench, links: pl.DataFrame) -> Workbench:
    """Records that are too old to be kept under one number may not be read under another number of the person. Raises
    Unusable where such old records exist under the other number: they would be lost."""
    shared: dict[str, ErasedDays] = {}
    for numbers in _numbers_of_each(bench, links).values():
        shared |= _shared(bench.tombstones, numbers)
    if not shared:
        return bench
    if erase.people_with_records(bench.con, shared):
        raise Unusable(
            "client_links, or same_as in [spaces] of clinic.toml, joins a number to another, of which everything up to "
            "a day was taken out ([keep] in clinic.toml), and the first has records of that time; remove the line that "
            "was added last"
        )
    if not bench.order.is_check:
        set_tombstones(bench.order.folders, shared)
    return replace(bench, tombstones=bench.tombstones.widened(shared))


def _numbers_of_each(bench: Workbench, links: pl.DataFrame) -> dict[str, set[str]]:
    """The people with several numbers, each with the pseudonyms of these numbers without links. In spaces that are the
    same, a number that is known in one space may have been taken out of any of them."""
    spaces, names = bench.order.clinic.spaces, bench.pseudonyms
    people: dict[str, set[str]] = defaultdict(set)
    for _, own_id, client_id, _ in links.iter_rows():
        people[client_id.hex()] |= {own_id.hex(), client_id.hex()}
    for main in set(spaces.joined.values()):
        same = [main, *spaces.same_as_this(main)]
        for number in set().union(*(numbers_of(bench.crosswalk, space) for space in same)):
            people[names.one(main, "client", number)] |= {names.alone(space, number) for space in same}
    return people


def _shared(tombstones: Tombstones, numbers: set[str]) -> dict[str, ErasedDays]:
    """The same days for each of a person's numbers, where the days differ only in how far back records are kept."""
    days = {tombstones.days_of(each) for each in numbers}
    if len(days) == 1 or len({tombstones.requested_days(each) for each in numbers}) > 1:
        return {}
    return dict.fromkeys(numbers, reduce(ErasedDays.and_also, filter(None, days)))


def _refuse_half_taken_out(links: pl.DataFrame, tombstones: Tombstones) -> None:
    """Raise Unusable where one of two numbers was taken out, and the other was not."""
    for space, own_id, client_id, _ in links.iter_rows():
        if tombstones.requested_days(own_id.hex()) != tombstones.requested_days(client_id.hex()):
            raise Unusable(
                f"client_links joins a number of the id space '{space}' to another, and one of the two was "
                "taken out (rapport forget) and the other was not; remove its line, here or in merged_clients"
            )


def _of_the_living(joins: pl.DataFrame, tombstones: Tombstones) -> pl.DataFrame:
    """The joins without those of people who were taken out by either number."""
    numbers = joins.select("own_id", "client_id").iter_rows()
    is_living = [_may_join(tombstones, *(each.hex() for each in pair)) for pair in numbers]
    return joins.filter(pl.Series(is_living, dtype=pl.Boolean))


def _may_join(tombstones: Tombstones, own: str, other: str) -> bool:
    """Whether the records of a number may become records of the other number's person."""
    days = tombstones.days_of(own)
    if days and days.is_everything:
        return False
    return tombstones.requested_days(other) in (None, tombstones.requested_days(own))


def _of_the_known(bench: Workbench, joins: pl.DataFrame) -> pl.DataFrame:
    """The joins without people whose records have all expired, until a new record comes."""
    joined = bench.tombstones.among(person.hex() for person in joins["client_id"].unique())
    over = {person for person, days in joined.items() if days.until}
    over -= {*erase.known_people(bench.con), *staged_rows.people(bench.con)} if over else set()
    return joins.filter(~pl.col("client_id").is_in([bytes.fromhex(person) for person in over]))


def _followed(crosswalk: pl.DataFrame, pseudonyms: Pseudonyms) -> pl.DataFrame:
    """The crosswalk with the present pseudonym of each number."""
    known = crosswalk.select("kind", "id_space", "number").iter_rows()
    now = [pseudonyms.one(space, kind, number) for kind, space, number in known]
    return crosswalk.with_columns(pl.Series("pseudonym", now, dtype=pl.String))
