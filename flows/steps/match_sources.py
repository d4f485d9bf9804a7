"""The match report of a night: do the sources speak of the same people, and do their responses meet sessions.

It never stops a night. A source whose clients or responses do not match is told, and changes the exit status.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from rapport.flows.private.match_findings import Finding, Judge
from rapport.flows.workbench import Workbench
from rapport.transforms.sessions.matches import COUNTS, counts_of_records, finished, match_counts
from rapport.warehouse.derived.touched_buckets import ROWS_PER_BUCKET, everybody_by_bucket
from rapport.warehouse.intake import match_book

NO_COUNTS = pl.DataFrame(schema={"source": pl.String, **dict.fromkeys(COUNTS, pl.Int64)})


@dataclass(frozen=True)
class Matched:
    """The match report of a load."""

    counts: pl.DataFrame = field(default_factory=lambda: NO_COUNTS)  # source and COUNTS
    findings: Mapping[str, Finding] = field(default_factory=dict)  # by source
    notes: tuple[str, ...] = ()  # sentences that change no exit status


def match_sources(bench: Workbench) -> Matched:
    """Count per source its clients with appointments and its responses that meet sessions; enter it in load.matches.

    A check counts its staged rows too, and enters nothing.
    """
    con, is_check = bench.con, bench.order.is_check
    match_book.list_current(con, bench.load_id, with_staged=is_check)
    counts = finished([NO_COUNTS, *_partials(bench)])
    rows = {row["source"]: row for row in counts.iter_rows(named=True)}
    judge = Judge(bench, rows, match_book.booked_clients(con), match_book.sources_of(con, "appointments"))
    findings = judge.findings()
    if not is_check:
        words = {source: finding.word for source, finding in findings.items()}
        match_book.enter_matches(con, bench.load_id, counts, words)
    return Matched(counts, findings, tuple(judge.notes(findings)))


def _partials(bench: Workbench) -> Iterator[pl.DataFrame]:
    """The counts, bucket by bucket of clients. A check has no finished tables: they are computed from its records."""
    con, clinic, is_check = bench.con, bench.order.clinic, bench.order.is_check
    known_to = match_book.known_to(con)
    bucket_count = bench.order.bucket_count or 1 + match_book.record_count(con) // ROWS_PER_BUCKET
    for whose in everybody_by_bucket(con, bucket_count):
        records = match_book.current_records(con, whose, is_whole=is_check)
        if is_check:
            yield counts_of_records(records, clinic, known_to)
            continue
        booked, responses = match_book.finished_tables(con, whose)
        lazy = {name: frame.lazy() for name, frame in records.items()}
        yield match_counts(lazy, booked.lazy(), responses.lazy(), clinic, known_to)
