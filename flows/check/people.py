"""Whether the files speak of the same people, before any night: a row for each source."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from rapport.flows.check.read_file import FileRead
from rapport.flows.private.likely_reasons import Numbers
from rapport.flows.private.match_findings import Finding, Judge
from rapport.transforms.frames.typed_rows import empty_records
from rapport.transforms.pseudonyms import Pseudonyms, pseudonymise
from rapport.transforms.sessions.matches import COUNTS, MATCHED, matches_of_records
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.schema.records import KINDS


@dataclass(frozen=True)
class SourcePeople:
    """A source's clients and responses; None for what could not be counted."""

    source: str
    id_space: str
    client_count: int
    known_count: int | None  # clients with an appointment
    response_count: int
    matched_count: int | None  # responses matched to a session
    finding: Finding | None  # why somebody should look; None where nothing is wrong, or meant so


@dataclass
class People:
    """The records of the files that were read so far, with pseudonyms of a key that is thrown away."""

    clinic: Clinic
    pseudonyms: Pseudonyms = field(init=False)
    frames: dict[str, list[pl.DataFrame]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    numbers: dict[str, set[str]] = field(default_factory=dict)  # by source, its clients' numbers
    booked: dict[str, set[str]] = field(default_factory=dict)  # by id space, numbers with an appointment
    holds_appointments: set[str] = field(default_factory=set)  # sources
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
                self.holds_appointments.add(source.name)
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
        numbers = {source.name: self._numbers(source) for source in self.clinic.sources if source.name in self.numbers}
        for name, of in numbers.items():
            people = {"client_count": len(of.own), "known_client_count": len(of.own - of.unknown)}
            counts[name] = {**dict.fromkeys(COUNTS, 0), **counts.get(name, {}), **people}
        judge = Judge(
            self.clinic, counts, {}, numbers.__getitem__, frozenset(self.holds_appointments), shows_shapes=True
        )
        findings = judge.findings()
        spaces = {source.name: source.id_space for source in self.clinic.sources}
        for name in numbers:
            yield _row(name, spaces[name], counts[name], findings.get(name), is_counted=bool(self.booked))

    def _numbers(self, source: Source) -> Numbers:
        """The numbers of a source's clients, and those of all clients with appointments."""
        booked = {person for space, numbers in self.booked.items() for person in self._people(space, numbers).values()}
        own = self._people(source.id_space, self.numbers[source.name])
        unknown = frozenset(number for number, person in own.items() if person not in booked)
        spaces = self.clinic.spaces
        by_space = {spaces.name_of(spaces.counts_as(space)): frozenset(met) for space, met in self.booked.items()}
        return Numbers(frozenset(own), unknown, by_space)

    def _people(self, space: str, numbers: set[str]) -> dict[str, bytes]:
        return {number: self.pseudonyms.one_in_bytes(space, "client", number) for number in numbers}


def _row(
    source: str, space: str, counts: Mapping[str, int], finding: Finding | None, *, is_counted: bool
) -> SourcePeople:
    return SourcePeople(
        source,
        space,
        counts["client_count"],
        counts["known_client_count"] if is_counted else None,
        counts["response_count"],
        sum(counts[f"{state}_count"] or 0 for state in MATCHED) if is_counted else None,
        finding,
    )


def _current(kind: str, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The newest of each record, numbered in the order of the exports."""
    every = pl.concat([empty_records(KINDS[kind]), *frames], how="diagonal_relaxed")
    newest = every.sort("exported_at", maintain_order=True).unique(KINDS[kind].key, keep="last", maintain_order=True)
    return newest.with_columns(loaded_number=pl.int_range(pl.len(), dtype=pl.Int64))
