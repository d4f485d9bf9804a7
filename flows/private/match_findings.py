"""The judgement of a match report: which sources are told to operators, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from rapport.flows.private.likely_reasons import Numbers, automatic, likely_reason, numbers_of_source
from rapport.flows.workbench import Workbench
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.intake import match_book

LEAST = 5  # clients or responses: of fewer only none is told
FALL = 0.20  # a share that is lower than usual by more than this is told


@dataclass(frozen=True)
class Finding:
    """Why a source is told to operators: a word for the books, and a sentence."""

    word: str
    sentence: str


def is_too_few(known: int, clients: int) -> bool:
    """Whether too few of a source's clients have appointments: fewer than half, or of fewer than LEAST none."""
    return 2 * known < clients if clients >= LEAST else clients > 0 == known


def has_fallen(matched: int, count: int, usual: float) -> bool:
    """Whether fewer delivered responses match than usual, by more than FALL. Of fewer than LEAST only none is told."""
    if count == 0 or (count < LEAST and matched > 0):
        return False
    return usual - matched / count > FALL + 1e-9  # shares are not exact: 0.9 - 0.7 is no fall of more than 0.2


@dataclass
class Judge:
    """Judges the counts of a match report. It looks at clients' numbers only where there is a doubt."""

    bench: Workbench
    rows: Mapping[str, Mapping[str, int]]  # by source, its counts
    booked: set[str]  # clients with an appointment, as hexadecimal digits
    holds_appointments: set[str]  # sources
    _known: dict[str, Numbers] = field(default_factory=dict)

    def findings(self) -> dict[str, Finding]:
        """Return by source why it is told. A source that means to stand alone is not, nor one without a count."""
        sources = self._judged() if self.booked else ()
        return {each.name: found for each in sources if (found := self._finding(each, self.rows[each.name]))}

    def notes(self, findings: Mapping[str, Finding]) -> Iterator[str]:
        """Sentences that change no exit status: nothing could be counted, or automatic numbers match."""
        judged = list(self._judged())
        if judged and not self.booked:
            yield self._no_appointments()
        for source in judged if self.booked else ():
            if source.name not in findings and (sentence := self._automatic(source, self.rows[source.name])):
                yield sentence

    def _judged(self) -> Iterator[Source]:
        clinic = self.bench.order.clinic
        return (each for each in clinic.sources if each.name in self.rows and not each.stands_alone)

    def _finding(self, source: Source, row: Mapping[str, int]) -> Finding | None:
        return self._of_clients(source, row) or self._of_responses(source, row) or self._of_chance(source, row)

    def _of_clients(self, source: Source, row: Mapping[str, int]) -> Finding | None:
        known, clients = row["known_client_count"], row["client_count"]
        if not is_too_few(known, clients):
            return None
        return Finding(
            "few_in_common" if known else "nobody_in_common",
            f"the source {source.name}: {known:,} of {clients:,} clients are known to the appointments"
            f"{_because(self._reason(source))}; if it is meant so, write stands_alone = true in [sources.{source.name}]",
        )

    def _of_responses(self, source: Source, row: Mapping[str, int]) -> Finding | None:
        usual = match_book.usual_share(self.bench.con, source.name)
        matched, count = row["delivered_matched_count"], row["delivered_count"]
        if usual is None or not has_fallen(matched, count, usual):
            return None
        return Finding(
            "share_fell",
            f"the source {source.name}: {matched:,} of {count:,} responses that came tonight meet a session "
            f"({matched / count:.0%}), and usually {usual:.0%} do{_because(self._reason_of_fall(source, row))}",
        )

    def _reason_of_fall(self, source: Source, row: Mapping[str, int]) -> str:
        unmatched = row["delivered_count"] - row["delivered_matched_count"]
        if 2 * row["delivered_unknown_count"] > unmatched:
            return self._reason(source) or "no appointments of their clients are known"
        if 2 * row["delivered_day_only_count"] > unmatched:
            return "their dates have no times, so only the day can match: export the time too"
        return "look at its dates and its time_zone"

    def _of_chance(self, source: Source, row: Mapping[str, int]) -> Finding | None:
        """Automatic numbers that match people, most of whose responses meet no session."""
        decided = row["response_count"] - row["waiting_count"]
        matched = row["appointment_count"] + row["time_count"] + row["day_count"]
        if 2 * matched >= decided or not (sentence := self._automatic(source, row)):
            return None
        return Finding("automatic_numbers", f"{sentence}; {matched:,} of {decided:,} of its responses meet a session")

    def _automatic(self, source: Source, row: Mapping[str, int]) -> str | None:
        """A sentence about automatic numbers that match the appointments of their id space."""
        if source.name in self.holds_appointments or not row["known_client_count"]:
            return None
        numbers = self._numbers(source)
        if not numbers.are_automatic:
            return None
        return (
            f"the source {source.name}: {automatic(numbers)}, and {row['known_client_count']:,} of "
            f"{row['client_count']:,} clients are known to the appointments; by chance two people may be one: make sure "
            "that these are the practice's own numbers"
        )

    def _reason(self, source: Source) -> str | None:
        order = self.bench.order
        return likely_reason(self._numbers(source), source, order.clinic.spaces, shows_shapes=order.is_check)

    def _numbers(self, source: Source) -> Numbers:
        if source.name not in self._known:
            clients = match_book.clients_of(self.bench.con, source.name)
            spaces = self.bench.order.clinic.spaces
            self._known[source.name] = numbers_of_source(self._people(), source, spaces, clients, self.booked)
        return self._known[source.name]

    def _people(self) -> pl.DataFrame:
        """Everybody who is known, tonight's people too."""
        met = self.bench.pseudonyms.crosswalk()
        return pl.concat([self.bench.crosswalk.select(met.columns), met])

    def _no_appointments(self) -> str:
        holding = [each.name for each in self.bench.order.clinic.sources if each.may_hold("appointments")]
        why = f"the source {', '.join(holding)} brought none" if holding else "no source of clinic.toml brings them"
        return f"no appointments are known ({why}), so nobody knows whether the sources speak of the same people"


def _because(reason: str | None) -> str:
    return f"; {reason}" if reason else ""
