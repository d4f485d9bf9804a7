"""Why the clients of a source may not be known to the appointments: their numbers, compared in the private tree.

A sentence says what to look at and which key mends it. It has counts, and names of id spaces and keys. It has shapes of
numbers only where it is shown on a terminal by hand, and never a number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

import polars as pl

from rapport.flows.check.shapes import shape_of
from rapport.transforms.sources.drafting.id_spaces import are_automatic
from rapport.transforms.sources.drafting.toml_lines import written
from rapport.warehouse.clinic_file.id_spaces import Spaces
from rapport.warehouse.clinic_file.sources import Source


@dataclass(frozen=True)
class Reason:
    """A likely reason, and what to do."""

    why: str
    next_step: str

    @property
    def parts(self) -> tuple[str, str]:
        """Both as parts of a sentence."""
        return self.why, self.next_step


@dataclass(frozen=True)
class Numbers:
    """The clients' numbers of a source, and those of the clients with appointments, by the name of their id space."""

    own: frozenset[str]
    unknown: frozenset[str]  # of its clients without an appointment
    booked: dict[str, frozenset[str]]

    @property
    def are_automatic(self) -> bool:
        """Whether they are 1, 2, 3 ... without a gap, as the record numbers that a system counts itself."""
        return are_automatic(self.own)

    @property
    def all_booked(self) -> frozenset[str]:
        """The numbers of every id space."""
        return frozenset().union(*self.booked.values())


def numbers_of_source(
    people: pl.DataFrame, source: Source, spaces: Spaces, clients: Collection[str], booked: Collection[str]
) -> Numbers:
    """Return the numbers that a crosswalk has of a source's clients and of the clients with appointments.

    `people`: a crosswalk. `clients`, `booked`: pseudonyms as hexadecimal digits.
    """
    named = people.filter(pl.col("kind") == "client").select("id_space", "number", "pseudonym").unique()
    first = spaces.counts_as(source.id_space)
    own = named.filter(pl.col("id_space") == first, pl.col("pseudonym").is_in(list(clients)))
    met = named.filter(pl.col("pseudonym").is_in(list(booked)))
    by_space = {
        spaces.name_of(space): frozenset(met.filter(id_space=space)["number"]) for space in met["id_space"].unique()
    }
    unknown = own.filter(~pl.col("pseudonym").is_in(list(booked)))
    return Numbers(frozenset(own["number"]), frozenset(unknown["number"]), by_space)


def automatic(numbers: Numbers) -> str:
    """Return the words for automatic numbers."""
    return f"its numbers are 1 to {len(numbers.own):,} without a gap, as automatic record numbers are"


def likely_reason(numbers: Numbers, source: Source, spaces: Spaces, *, shows_shapes: bool = False) -> Reason | None:
    """Return the most likely reason why clients are unknown; None where no reason is seen."""
    if numbers.are_automatic:
        return Reason(automatic(numbers), "name the column with the client's own number in client_id")
    return (
        _other_space(numbers, source, spaces)
        or _other_form(numbers)
        or _other_shape(numbers, shows_shapes=shows_shapes)
    )


def _other_space(numbers: Numbers, source: Source, spaces: Spaces) -> Reason | None:
    here = spaces.name_of(spaces.counts_as(source.id_space))
    for space in sorted(numbers.booked.keys() - {here}):
        if count := _shared(numbers.unknown, numbers.booked[space], str):
            name = written(space)
            return Reason(
                f"{_of_numbers(count, numbers)} in the id space {name} of the appointments too",
                f"if they are the same people, write id_space = {name} in [sources.{source.name}]",
            )
    return None


def _other_form(numbers: Numbers) -> Reason | None:
    for how, change, key in _FORMS:
        if count := _shared(numbers.unknown, numbers.all_booked, change):
            return Reason(
                f"{_of_numbers(count, numbers)} among those of the appointments but for {how}",
                f"if they are the same people, write {key}",
            )
    return None


def _of_numbers(count: int, numbers: Numbers) -> str:
    """Words that begin a sentence about some of the unknown numbers."""
    return f"{count:,} of {len(numbers.unknown):,} unknown numbers {'is' if count == 1 else 'are'}"


def _shared(own: Collection[str], others: Collection[str], change: Callable[[str], str]) -> int:
    """How many numbers are the same when both are changed; 0 where they are fewer than half."""
    there = {change(each) for each in others}
    count = sum(change(each) in there for each in own)
    return count if 2 * count >= len(own) else 0


def _without_zeros(number: str) -> str:
    return re.sub(r"^0+(?=.)", "", number)


def _digits(number: str) -> str:
    """The digits of a number; a text without digits stays."""
    return _without_zeros(re.sub(r"[^0-9]", "", number)) or number


_FORMS: tuple[tuple[str, Callable[[str], str], str], ...] = (
    ("leading zeros", _without_zeros, "id_zero_pad in the section with the shorter numbers"),
    ("capitals", str.casefold, "id_case in both sections"),
    ("marks and letters around the digits", _digits, "id_pattern in the section with the longer numbers"),
)


def _other_shape(numbers: Numbers, *, shows_shapes: bool) -> Reason | None:
    mine, theirs = _usual_shape(numbers.unknown), _usual_shape(numbers.all_booked)
    if mine is None or theirs is None or mine == theirs:
        return None
    shapes = f" ({mine}, and there {theirs})" if shows_shapes else ""
    return Reason(
        f"its numbers have another form than those of the appointments{shapes}",
        "name the column with the client's own number in client_id",
    )


def _usual_shape(numbers: Collection[str]) -> str | None:
    """The shape of most numbers: letters are A, four or more A…, digits 9. None where most have no shape in common."""
    shapes = Counter(shape_of(number) for number in numbers)
    (usual, count), *_ = shapes.most_common(1) or [("", 0)]
    return usual if 2 * count > len(numbers) else None
