"""People who were taken out by their number in a former id space of their source, or by another text of the number.

When a source gets another space, or its ids are read in another way, the same numbers have other pseudonyms. These
pseudonyms have no tombstone. So each number is looked up under the former spaces and texts too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from itertools import permutations
from typing import NamedTuple

import polars as pl

from rapport.flows.private.crosswalk import numbers_of
from rapport.flows.private.request_lines import request_lines
from rapport.flows.private.tombstones import without_people
from rapport.flows.steps.settle_spaces import former_spaces, same_spaces
from rapport.flows.workbench import Workbench
from rapport.transforms.pseudonyms import Pseudonyms
from rapport.warehouse.clinic_file.identifiers import marked_writings, other_writings
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import Unusable
from rapport.warehouse.history import erase
from rapport.warehouse.history.erased_days import ErasedDays
from rapport.warehouse.places.folders import replace_private


@dataclass
class KeptOut:
    """The people who are not read tonight: their number was taken out of a former space of the source, of a space that
    is the same, or by another text."""

    bench: Workbench
    old: dict[str, ErasedDays] = field(default_factory=dict)  # pseudonyms whose records up to a day stay out
    numbers: dict[str, set[str]] = field(default_factory=dict)  # by source, the numbers of a former space
    by_text: dict[str, ErasedDays] = field(default_factory=dict)  # pseudonyms that another text took out

    def without(
        self, source: Source, kind: str, frame: pl.DataFrame, texts: Sequence[pl.DataFrame] = ()
    ) -> pl.DataFrame:
        """A reader's rows without the rows of these people. `texts`: the text of each number now, and before."""
        if not self.bench.tombstones.days:
            return frame
        bench, same = self.bench, same_spaces(self.bench, source)
        others = {*former_spaces(bench, source), *same}
        taken_out = _taken_out_of(bench, others, frame["client_id"]) if others else {}
        for number, days in _taken_out_by_text(bench, source, frame["client_id"], texts):
            taken_out[number] = days.and_also(taken_out.get(number, days))
            if asked := days.requested_only:
                self.by_text[bench.pseudonyms.alone(source.id_space, number)] = asked
        found = _not_read_before(bench, source, taken_out)
        self.old |= {_client(bench, source, number): days for number, days in found.items() if days.until}
        if not others <= {*same}:
            self.numbers.setdefault(source.name, set()).update(found)
        return without_people(kind, frame, found)

    @property
    def sentences(self) -> list[str]:
        """A sentence per source: the count of numbers that stay out, and the key for numbers of other people."""
        spaces = {source.name: source.id_space for source in self.bench.order.clinic.sources}
        return [
            f"{len(numbers):,} numbers of the source {source} were taken out under an id space that it had before, "
            f"so what was taken out stays out. If '{spaces[source]}' has the numbers of other people, give it "
            "new_numbers = true in [spaces] of clinic.toml"
            for source, numbers in sorted(self.numbers.items())
            if numbers
        ]


def _taken_out_of(bench: Workbench, spaces: Collection[str], numbers: pl.Series) -> dict[str, ErasedDays]:
    """The numbers that were taken out of one of these spaces, each with its days."""
    found = {}
    for number in numbers.unique().drop_nulls():
        ids = [each for space in spaces for each in _ids_in(bench.pseudonyms, space, number)]
        if days := bench.tombstones.among(ids):
            found[number] = reduce(ErasedDays.and_also, days.values())
    return found


def _ids_in(names: Pseudonyms, space: str, number: str) -> list[str]:
    """The pseudonyms of a number in a space without links, now and in earlier versions of Rapport."""
    return [names.alone(space, number), *(names.as_written(space, text).hex() for text in other_writings(number))]


def _taken_out_by_text(
    bench: Workbench, source: Source, numbers: pl.Series, texts: Sequence[pl.DataFrame]
) -> Iterator[tuple[str, ErasedDays]]:
    """The numbers that were taken out by another text, each with its days. A person with nothing left but a tombstone
    can be found in this way only. Known numbers were looked up when the load began (aliases.py), but not by the texts
    of tonight's files. `texts`: now, before."""
    names, space = bench.pseudonyms, source.id_space
    counts_as = bench.order.clinic.spaces.counts_as(space)
    known = bench.crosswalk.filter(pl.col("kind") == "client", pl.col("id_space") == counts_as)["number"].unique()
    distinct = numbers.unique().drop_nulls()
    written: dict[str, set[str]] = defaultdict(set)
    for now, before in pl.concat(texts).unique().iter_rows() if texts else ():
        written[now].add(before)
    is_known = dict(zip(distinct, distinct.is_in(known.implode()), strict=True))
    for number in distinct:
        usual = set(other_writings(number))
        others = written[number] - usual if is_known[number] else {*written[number], *usual, *marked_writings(number)}
        if others and (days := bench.tombstones.among(names.as_written(space, text).hex() for text in others)):
            yield number, reduce(ErasedDays.and_also, days.values())


def _not_read_before(bench: Workbench, source: Source, found: dict[str, ErasedDays]) -> dict[str, ErasedDays]:
    """The numbers and days that stay out. Old records that the source already brought under its present space are kept:
    of those people, only the days of a request stay out."""
    old = {_client(bench, source, number): days for number, days in found.items() if days.until}
    read = erase.people_with_records(bench.con, old, source.name) if old else ()
    asked = {number: days.requested_only for number, days in found.items() if _client(bench, source, number) in read}
    return {number: days for number, days in {**found, **asked}.items() if days}


def _client(bench: Workbench, source: Source, number: str) -> str:
    return bench.pseudonyms.one(source.id_space, "client", number)


class HalfTakenOut(NamedTuple):
    """A person who was taken out by a number of one space, and who is in the file by this number of another space."""

    space: str  # the other space, by its first name
    number: str
    since: date | None


def list_half_taken_out(bench: Workbench) -> None:
    """List in the private tree the people who were taken out of one space only. Raises Unusable in a night, since the
    clinic must decide about them. A load of an erasure goes on."""
    found = sorted(set(_half_taken_out(bench)), key=str) if bench.tombstones.days else []
    where, spaces = bench.order.folders.forget_too, bench.order.clinic.spaces
    if not bench.order.is_check:
        if found:
            replace_private(
                where, request_lines((spaces.name_of(each.space), each.number, each.since) for each in found)
            )
        else:
            where.unlink(missing_ok=True)
    if found and bench.load.purpose == "night":
        names = ", ".join(f"'{name}'" for name in sorted({spaces.name_of(each.space) for each in found}))
        raise Unusable(
            f"{len(found):,} people of the id space {names} were taken out by the same number in another space that "
            "is the same, or that their source had. A night lists them in private/forget_too.csv: take them out here "
            "too (move the lines to private/forget.csv, then run rapport forget-requests), or correct [spaces] in "
            "clinic.toml"
        )


def _half_taken_out(bench: Workbench) -> Iterator[HalfTakenOut]:
    yield from _taken_out_of_one(bench)
    names, tombstones = bench.pseudonyms, bench.tombstones
    for source in bench.order.clinic.sources:  # taken out by the number that they had in the source
        now = bench.order.clinic.spaces.first_name(source.id_space)
        for space in {*former_spaces(bench, source)} - {*same_spaces(bench, source)}:
            asked, numbers = {}, {}
            for number in numbers_of(bench.crosswalk, now):
                days, client = (
                    tombstones.requested_days(names.alone(space, number)),
                    names.one(now, "client", number),
                )
                if days and days != tombstones.requested_days(client):
                    asked[client], numbers[client] = days, number
            for client in erase.people_with_records(bench.con, asked, source.name) if asked else ():
                yield HalfTakenOut(now, numbers[client], asked[client].since)


def _taken_out_of_one(bench: Workbench) -> Iterator[HalfTakenOut]:
    """Of spaces that are the same: there equal numbers are one person."""
    spaces, names, tombstones = bench.order.clinic.spaces, bench.pseudonyms, bench.tombstones
    for main in set(spaces.joined.values()):
        for known, taken_out in permutations([main, *spaces.same_as_this(main)], 2):
            for number in numbers_of(bench.crosswalk, known):
                asked = map(tombstones.requested_days, _ids_in(names, taken_out, number))
                days = next(filter(None, asked), None)
                if days and days != tombstones.requested_days(names.alone(known, number)):
                    yield HalfTakenOut(known, number, days.since)
