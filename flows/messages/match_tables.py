"""The match report on the terminal: do the sources speak of the same people, and do responses meet sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from rich.console import Console

from rapport.flows.messages.literal import grid
from rapport.warehouse.clinic_file.clinic import Clinic

OF_PEOPLE = {"record_count": "records", "client_count": "clients", "known_client_count": "with appointments"}
OF_RESPONSES = {
    "response_count": "responses",
    "appointment_count": "by id",
    "time_count": "by time",
    "day_count": "by day",
    "waiting_count": "waiting",
    "too_early_count": "too early",
    "too_late_count": "too late",
    "no_session_count": "no session",
    "client_unknown_count": "client unknown",
}


@dataclass(frozen=True)
class MatchRow:
    """A source's figures in the match report; None for what could not be counted."""

    source: str
    id_space: str
    counts: Mapping[str, int | None]  # the columns of OF_PEOPLE and OF_RESPONSES


def match_rows(counts: pl.DataFrame, clinic: Clinic) -> list[MatchRow]:
    """The rows of a match report: `counts` has source and COUNTS (transforms/sessions/matches.py)."""
    spaces = {source.name: source.id_space for source in clinic.sources}
    rows = counts.select("source", *OF_PEOPLE, *OF_RESPONSES).iter_rows(named=True)
    return [MatchRow(row["source"], spaces.get(row["source"], ""), row) for row in rows]


def print_matches(console: Console, rows: Sequence[MatchRow]) -> None:
    """Print the match report: a table of people, and one of responses."""
    if not rows:
        return
    people = grid("source", "id space", *OF_PEOPLE.values(), title="Do the sources speak of the same people?")
    for row in rows:
        people.add_row(row.source, row.id_space, *(_told(row.counts[name]) for name in OF_PEOPLE))
    console.print(people, "")
    if not (answering := [row for row in rows if row.counts["response_count"]]):
        return
    responses = grid("source", *OF_RESPONSES.values(), title="Do the responses meet a session?")
    for row in answering:
        responses.add_row(row.source, *(_told(row.counts[name]) for name in OF_RESPONSES))
    console.print(responses, "")


def _told(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"
