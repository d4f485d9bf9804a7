"""client_links.csv, from the clinic: record numbers of two systems that belong to one person.

Columns: space, id, space, id. Lines that share a number, in a chain or a circle, are about one person. This person's
pseudonym is made from the number that comes first in the file. Two numbers of one space are never joined, so that a
join can be withdrawn. A space may have its old name too. Every join in use is in load.client_links.

merged_clients.csv says which of two numbers of one space the practice system merged into the other. Columns: space,
merged, into. Such a join stays: the records of both cannot be told apart since.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TypeVar

from rapport.warehouse.clinic_file.id_spaces import Spaces
from rapport.warehouse.clinic_file.identifiers import plain
from rapport.warehouse.places.small_files import read_small

HEADER = ["space", "id", "space", "id"]
MERGED = ["space", "merged", "into"]
Made = TypeVar("Made")
Number = tuple[str, str]  # id space (by its first name), record number


@dataclass(frozen=True)
class ClientLinks:
    """Each joined record number, with the number from which the person's pseudonym is made."""

    goes_by: Mapping[Number, Number] = field(default_factory=dict, repr=False)

    @cached_property
    def mark(self) -> str:
        """A fingerprint of the joins, the same for every order of lines."""
        return hashlib.sha256("".join(sorted(map(repr, self.goes_by.items()))).encode()).hexdigest()[:32]

    def numbers_of(self, number: Number) -> list[Number]:
        """Return all numbers of the person with this number."""
        main = self.goes_by.get(number, number)
        return [each for each, goes_by in self.goes_by.items() if goes_by == main] or [number]


NO_LINKS = ClientLinks()


def read_client_links(links: Path | None, spaces: Spaces, merges: Path | None = None) -> ClientLinks:
    """The joins of the clinic's files; `spaces` are the clinic's. Raises ValueError with the line and what to do, never
    a number."""
    names = tuple(spaces.names.items())
    merged = _read(merges, "merged_clients", lambda text: _merged(text, names)) if merges else {}
    given = tuple(sorted(merged.items()))
    if links is None:
        return _joined("", names, given) if given else NO_LINKS
    return _read(links, "client_links", lambda text: _joined(text, names, given))


def _read(path: Path, key: str, made: Callable[[str], Made]) -> Made:
    try:
        text = read_small(path, f"{key} file").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{key} file {path.name} is not UTF-8; save it as CSV UTF-8") from None
    try:
        return made(text)
    except ValueError as error:
        raise ValueError(f"{key} file {path.name}, {error}") from None


def _merged(text: str, names: tuple[tuple[str, str], ...]) -> dict[Number, Number]:
    """Each merged number, and the one that it is in the end."""
    into: dict[Number, Number] = {}
    for line, told in _lines(text, MERGED):
        space = _space(f"line {line}", 1, told[0], dict(names))
        one, other = (space, plain(told[1])), (space, plain(told[2]))
        if into.setdefault(one, other) != other:
            raise ValueError(f"line {line}: another line merges this number into another one; keep one of them")
        end = other
        while end in into and end != one:
            end = into[end]
        if end == one:
            raise ValueError(f"line {line}: it leads back to where it began; remove a line")
    return {number: _end(into, number) for number in into}


def _end(into: Mapping[Number, Number], number: Number) -> Number:
    while number in into:
        number = into[number]
    return number


@lru_cache(maxsize=1)  # a night reads its clinic file several times
def _joined(text: str, names: tuple[tuple[str, str], ...], merges: tuple[tuple[Number, Number], ...]) -> ClientLinks:
    merged = dict(merges)
    groups: dict[Number, list[Number]] = {}  # each number's person: their numbers in the order of the file
    for line, *pair in _pairs(text, dict(names)):
        one, other = (merged.get(number, number) for number in pair)
        mine = groups.setdefault(one, [one])
        others = groups.setdefault(other, [other])
        if mine is others:
            continue
        if len({space for space, _ in (*mine, *others)}) < len(mine) + len(others):
            raise ValueError(
                f"line {line}: it joins two numbers of one id space; say it in merged_clients, or remove the line"
            )
        together = [*mine, *others]
        groups |= dict.fromkeys(together, together)
    first = {number: place for place, number in enumerate(groups)}
    goes_by = {number: min(group, key=first.__getitem__) for number, group in groups.items()}
    goes_by |= {number: goes_by.get(into, into) for pair in merges for into in pair[1:] for number in pair}
    return ClientLinks(goes_by)


def _pairs(text: str, spaces: Mapping[str, str]) -> Iterator[tuple[int, Number, Number]]:
    for line, told in _lines(text, HEADER):
        one, other = (_space(f"line {line}", place + 1, told[place], spaces) for place in (0, 2))
        yield line, (one, plain(told[1])), (other, plain(told[3]))


def _lines(text: str, header: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The lines with their values, each with its number. Raises ValueError for one that has too few or too many."""
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for cells in reader:
            told = [cell.strip() for cell in cells]
            if not any(told) or (reader.line_num == 1 and [cell.lower() for cell in told] == header):
                continue
            if len(told) != len(header) or not all(told):
                count = {3: "three", 4: "four"}[len(header)]
                listed = f"{', '.join(header[:-1])} and {header[-1]}"
                raise ValueError(f"line {reader.line_num}: it must have {count} values, {listed}")
            yield reader.line_num, told
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: it is not CSV ({error}); correct it, or remove it") from None


def _space(where: str, place: int, name: str, spaces: Mapping[str, str]) -> str:
    """The space that a value names. It may be a number in a wrong place: it is not named."""
    if name not in spaces:
        known = ", ".join(f"'{space}'" for space in spaces)
        raise ValueError(f"{where}: value {place} is no source's id space; known are {known}")
    return spaces[name]
