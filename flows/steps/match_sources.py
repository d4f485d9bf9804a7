"""The match report of a night: do the sources speak of the same people, and do their responses meet sessions.

It never stops a night. A source whose clients or responses do not match is told, and changes the exit status.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from rapport.flows.private.likely_reasons import Numbers, numbers_of_source
from rapport.flows.private.match_findings import Finding, Judge
from rapport.flows.troubles import MATCH, Troubles
from rapport.flows.workbench import Workbench
from rapport.transforms.sessions.matches import COUNTS, Told, finished, match_counts, told_by_records
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.derived.touched_buckets import ROWS_PER_BUCKET, everybody_by_bucket
from rapport.warehouse.intake import match_book

if TYPE_CHECKING:
    import duckdb

NO_COUNTS = pl.DataFrame(schema={"source": pl.String, **dict.fromkeys(COUNTS, pl.Int64)})


@dataclass(frozen=True)
class Matched:
    """The match report of a load."""

    counts: pl.DataFrame = field(default_factory=lambda: NO_COUNTS)  # source and COUNTS
    findings: Mapping[str, Finding] = field(default_factory=dict)  # by source
    notes: tuple[str, ...] = ()  # sentences that change no exit status

    def added_to(self, troubles: Troubles) -> Troubles:
        """The problems, and those of the match report."""
        sentences = {source: finding.sentence for source, finding in self.findings.items()}
        return troubles.looking_at(MATCH, sentences, self.notes)


def match_sources(bench: Workbench) -> Matched:
    """Count per source its clients with appointments and its responses that meet sessions; enter it in load.matches.

    A check counts its staged rows too, and enters nothing.
    """
    con, is_check = bench.con, bench.order.is_check
    match_book.list_current(con, bench.load_id, with_staged=is_check)
    counts = finished([NO_COUNTS, *_partials(bench)])
    judge = _judge(bench, counts)
    findings = judge.findings()
    if not is_check:
        words = {source: finding.word for source, finding in findings.items()}
        match_book.enter_matches(con, bench.load_id, counts, words)
    return Matched(counts, findings, tuple(judge.notes(findings)))


def _partials(bench: Workbench) -> Iterator[pl.DataFrame]:
    """The counts, bucket by bucket of clients. A check has no finished tables: they are computed from its records."""
    con, clinic = bench.con, bench.order.clinic
    known_to = match_book.known_to(con)
    bucket_count = bench.order.bucket_count or 1 + match_book.record_count(con) // ROWS_PER_BUCKET
    for whose in everybody_by_bucket(con, bucket_count):
        is_check = bench.order.is_check
        told = _told_by_staged(con, whose, clinic) if is_check else _told_by_tables(con, whose)
        yield match_counts(told, clinic, known_to)


def _told_by_staged(con: duckdb.DuckDBPyConnection, whose: str, clinic: Clinic) -> Told:
    return told_by_records(match_book.current_records(con, whose), clinic)


def _told_by_tables(con: duckdb.DuckDBPyConnection, whose: str) -> Told:
    return Told(match_book.people(con, whose), match_book.matched(con, whose), *match_book.unmatched(con, whose))


def _judge(bench: Workbench, counts: pl.DataFrame) -> Judge:
    con, clinic = bench.con, bench.order.clinic
    met = bench.pseudonyms.crosswalk()
    people = pl.concat([bench.crosswalk.select(met.columns), met])  # everybody who is known, tonight's people too
    booked = match_book.booked_clients(con)
    sources = {source.name: source for source in clinic.sources}

    @cache
    def numbers(name: str) -> Numbers:
        return numbers_of_source(people, sources[name], clinic.spaces, match_book.clients_of(con, name), booked)

    return Judge(
        clinic=clinic,
        rows={row["source"]: row for row in counts.iter_rows(named=True)},
        usual=match_book.usual_shares(con),
        numbers=numbers,
        holds_appointments=frozenset(match_book.sources_of(con, "appointments")),
        shows_shapes=bench.order.is_check,
    )
