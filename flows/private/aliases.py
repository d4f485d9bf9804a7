"""Aliases: texts of numbers that Rapport reads in another way now. Each person keeps the first pseudonym.

The crosswalk has the texts. Two of its people who have one number now become one person (join_clients). A person who
was taken out by one text of a number is taken out by every other text of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import TYPE_CHECKING

import polars as pl

from rapport.flows.order import Order
from rapport.flows.private.tombstones import Tombstones, set_tombstones
from rapport.transforms.aliases import Aliases, Of
from rapport.transforms.pseudonyms import Pseudonyms
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.identifiers import PLAIN, Writing, identified, other_writings
from rapport.warehouse.history import erase
from rapport.warehouse.history.erased_days import ErasedDays
from rapport.warehouse.history.joined_clients import first_loads, in_use, sources_of

if TYPE_CHECKING:
    import duckdb

    from rapport.flows.workbench import Workbench


def aliases_of(clinic: Clinic, crosswalk: pl.DataFrame, con: duckdb.DuckDBPyConnection, names: Pseudonyms) -> Aliases:
    """The aliases of the people in the crosswalk. `names`: the pseudonyms without aliases."""
    numbers: dict[Of, dict[str, str]] = {}
    first: dict[Of, dict[str, str]] = {}
    people = crosswalk.select("kind", "id_space", pl.col("number").str.strip_chars(), "pseudonym")
    for (kind, space), group in people.group_by("kind", "id_space", maintain_order=True):
        read = _read(clinic, con, names, (space, kind), group["number"].unique())
        before = _known_before(names, (space, kind), group)
        if read or before:
            known = dict(group.select("number", "pseudonym").iter_rows())
            numbers[space, kind] = {text: text for text in before} | read
            first[space, kind] = before | dict(_first(con, names, (space, kind), read, known))
    return Aliases(numbers, first)


def _known_before(names: Pseudonyms, of: Of, people: pl.DataFrame) -> dict[str, str]:
    """Each number whose person has the pseudonym of another text in the same space, with that text. The pseudonym
    stays, whatever a section says about its numbers later: one person cannot become two again."""
    own = names.ids_alone(*of, people["number"]).bin.encode("hex")
    other = people.filter(own != people["pseudonym"])
    texts = dict(zip(own, people["number"], strict=True)) if other.height else {}
    return {number: texts[known] for number, known in other.select("number", "pseudonym").iter_rows() if known in texts}


def _read(
    clinic: Clinic, con: duckdb.DuckDBPyConnection, names: Pseudonyms, of: Of, texts: pl.Series
) -> dict[str, str]:
    """Each text that is another number now, with that number."""
    found = _by_writing(texts, PLAIN)
    stated = _writings(clinic, of[0]) if of[1] == "client" else {}
    if any(writing != PLAIN for writing in stated.values()):
        found |= _as_stated(con, names, of, texts, stated)
    as_plain = _by_writing(texts, PLAIN)
    found |= {as_plain[text]: number for text, number in found.items() if as_plain[text] not in found}
    return {text: number for text, number in found.items() if number != text}


def _by_writing(texts: pl.Series, writing: Writing) -> dict[str, str]:
    read = identified(texts, writing).ids
    return {text: number or text for text, number in zip(texts, read, strict=True)}


def _writings(clinic: Clinic, space: str) -> dict[str, Writing]:
    return {each.name: each.writing for each in clinic.sources if clinic.spaces.first_name(each.id_space) == space}


def _as_stated(
    con: duckdb.DuckDBPyConnection, names: Pseudonyms, of: Of, texts: pl.Series, stated: Mapping[str, Writing]
) -> dict[str, str]:
    """Each text with its number by the keys of the sections. All sources that have the text must agree: the keys of one
    source say nothing about the numbers of another."""
    sources = sources_of(con)
    read = {writing: _by_writing(texts, writing) for writing in {PLAIN, *stated.values()}}
    found = {}
    for text in texts:
        having = sources.get(names.as_written(of[0], text), set()) & stated.keys()
        said = {read[stated[source]][text] for source in having}
        if len(said) == 1:
            found[text] = said.pop()
    return found


def _first(
    con: duckdb.DuckDBPyConnection, names: Pseudonyms, of: Of, read: Mapping[str, str], known: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Each number with the text whose pseudonym its person has. `known`: the present pseudonym of each text. Two people
    who become one tonight get the pseudonym of the text with the earliest record. Where both came in one load, it is
    the pseudonym of the number itself."""
    space, kind = of
    texts: dict[str, list[str]] = defaultdict(list)
    for text, number in read.items():
        texts[number].append(text)
    for number in texts.keys() & known.keys():
        texts[number].append(number)
    ids = {text: names.as_written(space, text, kind) for several in texts.values() for text in several}
    loads = first_loads(con, kind, ids.values()) if any(len(several) > 1 for several in texts.values()) else {}
    linked = in_use(con) if loads else set()
    never = max(loads.values(), default=0) + 1

    def turn(text: str) -> tuple[bool, int, bool, bool, str]:
        number = read.get(text, text)
        is_now = {known[each] for each in texts[number] if each in known} == {ids[text].hex()}
        return not is_now, loads.get(ids[text], never), ids[text] not in linked, text != number, text

    for number, several in texts.items():
        yield number, min(several, key=turn)


def number_known_as(clinic: Clinic, crosswalk: pl.DataFrame, space: str, written: str) -> str:
    """The known number of a space for a number that a person typed: as it is, or as a section of the space reads it."""
    first = clinic.spaces.counts_as(space)
    known = set(crosswalk.filter(pl.col("id_space") == first)["number"].str.strip_chars())
    stated = set(_writings(clinic, clinic.spaces.first_name(space)).values())
    read = [identified(pl.Series([written]), writing).ids.first() for writing in (PLAIN, *stated)]
    ways = [*(str(each) for each in read if each), written.strip()]
    return next((each for each in ways if each in known), ways[0])


def held_by_every_text(order: Order, crosswalk: pl.DataFrame, names: Pseudonyms, tombstones: Tombstones) -> Tombstones:
    """The tombstones, where each holds for all texts of its number. They are written, except in a check."""
    if not tombstones.days:
        return tombstones
    shared = dict(_held_by_another_text(crosswalk, names, tombstones))
    if shared and not order.is_check:
        set_tombstones(order.folders, shared)
    return tombstones.widened(shared)


def _held_by_another_text(
    crosswalk: pl.DataFrame, names: Pseudonyms, tombstones: Tombstones
) -> Iterator[tuple[str, ErasedDays]]:
    """Pseudonyms of known people, each with the days that a tombstone of another text of its number forbids."""
    people = crosswalk.filter(pl.col("kind") == "client").select("id_space", "number").unique()
    for space, text in people.sort("id_space", "number").iter_rows():
        number = names.aliases.number(space, "client", text.strip())
        texts = {number, *names.aliases.texts_of(space, "client", number), *other_writings(number)}
        if len(texts) == 1:
            continue
        ids = [names.as_written(space, each).hex() for each in sorted(texts)]
        days = tombstones.among(ids)
        if days and len({tombstones.days_of(each) for each in ids}) > 1:
            yield from dict.fromkeys(ids, reduce(ErasedDays.and_also, days.values())).items()


def one_number(bench: Workbench) -> Iterator[tuple[str, bytes, bytes]]:
    """Every other text of a client's number that a person was known by: its id space, its old pseudonym, and the
    person's pseudonym now."""
    names = bench.pseudonyms
    others = [
        (space, names.as_written(space, text), names.one_in_bytes(space, "client", text))
        for (space, kind), numbers in names.aliases.texts.items()
        if kind == "client"
        for number in numbers
        for text in names.aliases.texts_of(space, kind, number)
    ]
    if others:
        known = {bytes.fromhex(person) for person in erase.known_people(bench.con)} | in_use(bench.con)
        yield from (each for each in others if each[1] in known and each[1] != each[2])


def therapists_of_one_number(bench: Workbench) -> Iterator[tuple[str, bytes, bytes]]:
    """The same for therapists' numbers."""
    names = bench.pseudonyms
    for (space, kind), numbers in names.aliases.texts.items():
        for number in numbers if kind == "therapist" else ():
            for text in names.aliases.texts_of(space, kind, number):
                yield space, names.as_written(space, text, kind), names.one_in_bytes(space, kind, text)
