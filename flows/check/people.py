"""Whether the files speak of the same people, before any night: a row for each source."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from rapport.flows.check.read_file import FileRead
from rapport.flows.check.shapes import shapes_of
from rapport.transforms.frames.typed_rows import empty_records
from rapport.transforms.pseudonyms import Pseudonyms, pseudonymise
from rapport.transforms.sessions.matches import MATCHED, matches_of_records
from rapport.transforms.sources.drafting.id_spaces import are_automatic
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.schema.records import KINDS

LEAST = 5  # clients; a source with fewer is told only where nobody is known


@dataclass(frozen=True)
class SourcePeople:
    """A source's clients and responses; None for what could not be counted."""

    source: str
    id_space: str
    client_count: int
    known_count: int | None  # clients with an appointment
    response_count: int
    matched_count: int | None  # responses matched to a session
    hint: str = ""  # why few are known, and what to write; "" where that is meant so

    @property
    def is_told(self) -> bool:
        return bool(self.hint)


@dataclass
class People:
    """The records of the files that were read so far, with pseudonyms of a key that is thrown away."""

    clinic: Clinic
    pseudonyms: Pseudonyms = field(init=False)
    frames: dict[str, list[pl.DataFrame]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    numbers: dict[str, set[str]] = field(default_factory=dict)  # by source, its clients' numbers
    booked: dict[str, set[str]] = field(default_factory=dict)  # by id space, numbers with an appointment
    known_to: dict[str, datetime] = field(default_factory=dict)  # by source, the time of its newest export

    def __post_init__(self) -> None:
        self.pseudonyms = Pseudonyms(secrets.token_bytes(32), self.clinic.client_links, self.clinic.spaces)

    def add(self, file: FileRead, held: frozenset[int]) -> None:
        """Take the records of a file. The clients of records that are held back count all the same."""
        source = file.source
        self.known_to[source.name] = max(file.exported_at, self.known_to.get(source.name, file.exported_at))
        for kind, frame in file.frames:
            numbers = frame["client_id"].unique().drop_nulls().to_list()
            self.numbers.setdefault(source.name, set()).update(numbers)
            if kind == "appointments":
                self.booked.setdefault(source.id_space, set()).update(numbers)
            readable = frame.filter(~pl.col("record_number").is_in(list(held)))
            self.frames[kind].append(self._safe(kind, readable, file))

    def _safe(self, kind: str, frame: pl.DataFrame, file: FileRead) -> pl.DataFrame:
        safe = pseudonymise(kind, frame, file.source, self.pseudonyms)
        there = [column for column in KINDS[kind].columns if column.name in safe.columns]
        columns, required = [each.name for each in there], [each.name for each in there if each.required]
        return safe.drop_nulls(required).select(columns).with_columns(exported_at=pl.lit(file.exported_at))

    def rows(self) -> Iterator[SourcePeople]:
        """A row for each source of which a client was read, in the order of the clinic file."""
        records = {f"{kind.removesuffix('s')}_records": _current(kind, frames) for kind, frames in self.frames.items()}
        report = matches_of_records(records, self.clinic, self.known_to)
        counts = {row["source"]: row for row in report.iter_rows(named=True)}
        booked = {person for space, numbers in self.booked.items() for person in self._people(space, numbers)}
        for source in self.clinic.sources:
            if numbers := self.numbers.get(source.name):
                row = counts.get(source.name, {})
                known = len(self._people(source.id_space, numbers) & booked) if booked else None
                matched = [row.get(f"{state}_count") for state in MATCHED]
                yield SourcePeople(
                    source.name,
                    source.id_space,
                    len(numbers),
                    known,
                    row.get("response_count", 0),
                    None if None in matched else sum(each or 0 for each in matched),
                    self._hint(source, numbers) if _are_few(known, len(numbers)) else "",
                )

    def _people(self, space: str, numbers: set[str]) -> set[bytes]:
        return {self.pseudonyms.one_in_bytes(space, "client", number) for number in numbers}

    def _hint(self, source: Source, own: set[str]) -> str:
        """The likely reason why few clients of a source are known to the appointments."""
        section = f"in [sources.{source.name}]"
        for space, numbers in sorted(self.booked.items()):
            if space != source.id_space and 2 * len(own & numbers) >= len(own) and not are_automatic(frozenset(own)):
                name = json.dumps(space, ensure_ascii=False)
                met = f"{len(own & numbers):,} of its numbers are in the space {name} too"
                return f"{met}. Say   id_space = {name}   {section}"
        if are_automatic(frozenset(own)):
            met = f"its numbers are automatic (1 to {len(own):,})"
            return f"{met}. Name the column of the practice's own number:   client_id   {section}"
        look = "  or  ".join(shapes_of(own))
        theirs = "  or  ".join(shapes_of(number for numbers in self.booked.values() for number in numbers))
        return f"its numbers look like  {look} ; those of the appointments like  {theirs}"


def _are_few(known: int | None, count: int) -> bool:
    """Whether fewer than half of the clients are known, or of fewer than LEAST none."""
    if known is None:
        return False
    return 2 * known < count if count >= LEAST else known == 0


def _current(kind: str, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The newest of each record, numbered in the order of the exports."""
    every = pl.concat([empty_records(KINDS[kind]), *frames], how="diagonal_relaxed")
    newest = every.sort("exported_at", maintain_order=True).unique(KINDS[kind].key, keep="last", maintain_order=True)
    return newest.with_columns(loaded_number=pl.int_range(pl.len(), dtype=pl.Int64))
