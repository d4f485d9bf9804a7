"""Which record numbers of two systems are one person: client_links.csv, given by the clinic.

Columns: space, id, space, id. Two id spaces join only here; within one space nobody is joined, so that a join can be
withdrawn. Every join in use is in load.client_links.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HEADER = ["space", "id", "space", "id"]
Number = tuple[str, str]  # id space, record number


@dataclass(frozen=True)
class ClientLinks:
    """Each joined record number, and the number of the same person that all of them go by."""

    goes_by: Mapping[Number, Number] = field(default_factory=dict, repr=False)

    def people(self) -> Iterator[tuple[Number, list[Number]]]:
        """Each joined person: the number they go by, and all their numbers, that one among them."""
        groups: dict[Number, list[Number]] = {}
        for number, main in self.goes_by.items():
            groups.setdefault(main, []).append(number)
        yield from groups.items()

    def numbers_of(self, number: Number) -> list[Number]:
        """Every number of the person who has this one."""
        main = self.goes_by.get(number, number)
        return [each for each, goes_by in self.goes_by.items() if goes_by == main] or [number]


NO_LINKS = ClientLinks()


def read_client_links(path: Path, spaces: Collection[str]) -> ClientLinks:
    """The file's joins; `spaces` are the clinic's, and a person goes by the number in the first of them.

    Raises ValueError with the line and what to do, and never a number.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"client_links file {path.name} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ValueError(f"client_links file {path.name} is not UTF-8; save it as CSV UTF-8") from None
    try:
        return _joined(list(_pairs(text, spaces)), list(dict.fromkeys(spaces)))
    except (ValueError, csv.Error) as error:
        raise ValueError(f"client_links file {path.name}, {error}") from None


def _pairs(text: str, spaces: Collection[str]) -> Iterator[tuple[int, Number, Number]]:
    reader = csv.reader(io.StringIO(text, newline=""))
    for cells in reader:
        told = [cell.strip() for cell in cells]
        if not any(told) or (reader.line_num == 1 and [cell.lower() for cell in told] == HEADER):
            continue
        if len(told) != len(HEADER) or not all(told):
            raise ValueError(f"line {reader.line_num}: it must have four values, space, id, space and id")
        for space in told[::2]:
            if space not in spaces:
                raise ValueError(f"line {reader.line_num}: no source has the id space '{space}' (id_space)")
        yield reader.line_num, (told[0], told[1]), (told[2], told[3])


def _joined(pairs: list[tuple[int, Number, Number]], spaces: list[str]) -> ClientLinks:
    groups: dict[Number, set[Number]] = {}
    for line, one, other in pairs:
        group = groups.get(one, {one}) | groups.get(other, {other})
        if len({space for space, _ in group}) < len(group):
            raise ValueError(
                f"line {line}: it joins two numbers of one id space; merge them in that system, or remove the line"
            )
        groups |= dict.fromkeys(group, group)
    return ClientLinks({number: min(group, key=lambda each: spaces.index(each[0])) for number, group in groups.items()})
