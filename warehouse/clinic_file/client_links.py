"""Which record numbers of two systems are one person: client_links.csv, given by the clinic.

Columns: space, id, space, id. Lines that share a number, in a chain or a circle, are about one person, who goes by the
number that stands first in the file. Within one space nobody is joined, so that a join can be withdrawn. A space may be
named by an old name too. Every join in use is in load.client_links.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from rapport.warehouse.clinic_file.id_spaces import Spaces
from rapport.warehouse.clinic_file.identifiers import plain
from rapport.warehouse.places.small_files import read_small

HEADER = ["space", "id", "space", "id"]
Number = tuple[str, str]  # id space (by its first name), record number


@dataclass(frozen=True)
class ClientLinks:
    """Each joined record number, and the number of the same person that all of them go by."""

    goes_by: Mapping[Number, Number] = field(default_factory=dict, repr=False)

    @cached_property
    def mark(self) -> str:
        """A fingerprint of the joins, in whatever order they were written."""
        return hashlib.sha256("".join(sorted(map(repr, self.goes_by.items()))).encode()).hexdigest()[:32]

    def numbers_of(self, number: Number) -> list[Number]:
        """Every number of the person who has this one."""
        main = self.goes_by.get(number, number)
        return [each for each, goes_by in self.goes_by.items() if goes_by == main] or [number]


NO_LINKS = ClientLinks()


def read_client_links(path: Path, spaces: Spaces) -> ClientLinks:
    """The file's joins; `spaces` are the clinic's. Raises ValueError with the line and what to do, never a number."""
    try:
        text = read_small(path, "client_links file").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"client_links file {path.name} is not UTF-8; save it as CSV UTF-8") from None
    try:
        return _joined(text, tuple(spaces.names.items()))
    except ValueError as error:
        raise ValueError(f"client_links file {path.name}, {error}") from None


@lru_cache(maxsize=1)  # a night reads its clinic file several times
def _joined(text: str, names: tuple[tuple[str, str], ...]) -> ClientLinks:
    groups: dict[Number, list[Number]] = {}  # each number's person: their numbers in the order of the file
    for line, one, other in _pairs(text, dict(names)):
        mine = groups.setdefault(one, [one])
        others = groups.setdefault(other, [other])
        if mine is others:
            continue
        if len({space for space, _ in (*mine, *others)}) < len(mine) + len(others):
            raise ValueError(
                f"line {line}: it joins two numbers of one id space; merge them in that system, or remove the line"
            )
        together = [*mine, *others]
        groups |= dict.fromkeys(together, together)
    first = {number: place for place, number in enumerate(groups)}
    return ClientLinks({number: min(group, key=first.__getitem__) for number, group in groups.items()})


def _pairs(text: str, spaces: Mapping[str, str]) -> Iterator[tuple[int, Number, Number]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for cells in reader:
            told = [cell.strip() for cell in cells]
            if any(told) and not (reader.line_num == 1 and [cell.lower() for cell in told] == HEADER):
                yield reader.line_num, *_pair(f"line {reader.line_num}", told, spaces)
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: it is not CSV ({error}); mend it, or remove it") from None


def _pair(where: str, told: list[str], spaces: Mapping[str, str]) -> tuple[Number, Number]:
    if len(told) != len(HEADER) or not all(told):
        raise ValueError(f"{where}: it must have four values, space, id, space and id")
    for place in (0, 2):
        if told[place] not in spaces:  # it may be a number in a wrong place: it is not named
            known = ", ".join(f"'{space}'" for space in spaces)
            raise ValueError(f"{where}: value {place + 1} is no source's id space; known are {known}")
    return (spaces[told[0]], plain(told[1])), (spaces[told[2]], plain(told[3]))
