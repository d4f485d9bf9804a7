"""The judgement of a match report: which sources are told to operators, and why.

It needs no warehouse: a draft or a check can be judged with counts and numbers of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from rapport.flows.private.likely_reasons import Numbers, Reason, automatic, likely_reason
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.sources import Source

LEAST = 5  # clients or responses: of fewer only none is told
FALL = 0.20  # a share that is lower than usual by more than this is told


@dataclass(frozen=True)
class Finding:
    """Why a source is told to operators. `count` of `whole` are known clients, or responses with a session."""

    source: str
    word: str  # for the books: one of MATCH_FINDINGS
    count: int
    whole: int
    says: str  # the numbers as a sentence
    reason: Reason | None
    usual: float | None = None  # the share that is usual; of share_fell

    @property
    def sentence(self) -> str:
        """The finding with its likely reason and the next step."""
        return "; ".join(filter(None, [self.says, *(self.reason.parts if self.reason else ()), self._meant])).strip()

    @property
    def _meant(self) -> str:
        if self.word not in ("nobody_in_common", "few_in_common"):
            return ""
        return f"if it is meant so, write stands_alone = true in [sources.{self.source}]"


def is_too_few(known: int, clients: int) -> bool:
    """Whether too few of a source's clients have appointments: fewer than half, or of fewer than LEAST none."""
    return 2 * known < clients if clients >= LEAST else clients > 0 == known


def has_fallen(matched: int, count: int, usual: float) -> bool:
    """Whether fewer responses of a delivery match than usual, by more than FALL. Of fewer than LEAST only none is
    told."""
    if count == 0 or (count < LEAST and matched > 0):
        return False
    return usual - matched / count > FALL + 1e-9  # shares are not exact: 0.9 - 0.7 is no fall of more than 0.2


@dataclass(frozen=True)
class Judge:
    """Judges the counts of a match report. It asks for clients' numbers only where there is a doubt."""

    clinic: Clinic
    rows: Mapping[str, Mapping[str, int]]  # by source, its counts
    usual: Mapping[str, float]  # by source, the usual share of matched responses
    numbers: Callable[[str], Numbers]  # of a source's clients
    holds_appointments: frozenset[str]  # sources
    shows_shapes: bool = False  # of numbers, on a terminal

    def findings(self) -> dict[str, Finding]:
        """Return by source why it is told. A source that means to stand alone is not."""
        return {each.name: found for each in self._judged() if (found := self._finding(each, self.rows[each.name]))}

    def notes(self, findings: Mapping[str, Finding]) -> Iterator[str]:
        """Sentences that change no exit status: nothing could be counted, no response matches, or automatic numbers
        do."""
        untold = [each for each in self._judged() if each.name not in findings]
        if untold and not self.holds_appointments:
            yield (
                "no appointments are known, and no source of clinic.toml brings them, so nobody knows whether the "
                "sources speak of the same people"
            )
            return
        for source in untold:
            row = self.rows[source.name]
            yield from filter(None, [self._automatic(source, row), self._none_matches(source, row)])

    def _judged(self) -> Iterator[Source]:
        return (each for each in self.clinic.sources if each.name in self.rows and not each.stands_alone)

    def _finding(self, source: Source, row: Mapping[str, int]) -> Finding | None:
        if not self.holds_appointments:
            return self._without_appointments(source, row)
        return self._of_clients(source, row) or self._of_responses(source, row) or self._of_chance(source, row)

    def _without_appointments(self, source: Source, row: Mapping[str, int]) -> Finding | None:
        """Nobody's appointments are known, and a source of clinic.toml should bring them."""
        holding = [each.name for each in self.clinic.sources if each.may_hold("appointments")]
        if not (holding and self.clinic.names_its_sources):
            return None
        why = f"no appointments are known: {', '.join(holding)} brought none"
        return self._of_known(source, 0, row["client_count"], Reason(why, "look why, and mend its section"))

    def _of_clients(self, source: Source, row: Mapping[str, int]) -> Finding | None:
        known, clients = row["known_client_count"], row["client_count"]
        return self._of_known(source, known, clients, self._reason(source)) if is_too_few(known, clients) else None

    def _of_known(self, source: Source, known: int, clients: int, reason: Reason | None) -> Finding:
        word = "few_in_common" if known else "nobody_in_common"
        says = f"the source {source.name}: {known:,} of {clients:,} clients are known to the appointments"
        return Finding(source.name, word, known, clients, says, reason)

    def _of_responses(self, source: Source, row: Mapping[str, int]) -> Finding | None:
        usual = self.usual.get(source.name)
        matched, count = row["delivery_matched_count"], row["delivery_count"]
        if usual is None or not has_fallen(matched, count, usual):
            return None
        says = (
            f"the source {source.name}: {matched:,} of the {count:,} responses that came last meet a session "
            f"({matched / count:.0%}), and usually {usual:.0%} do"
        )
        return Finding(source.name, "share_fell", matched, count, says, self._reason_of_fall(source, row), usual)

    def _reason_of_fall(self, source: Source, row: Mapping[str, int]) -> Reason:
        unmatched = row["delivery_count"] - row["delivery_matched_count"]
        if 2 * row["delivery_unknown_count"] > unmatched:
            unknown = Reason("no appointments of their clients are known", "look at their clients' numbers")
            return self._reason(source) or unknown
        if 2 * row["delivery_day_only_count"] > unmatched:
            return Reason("their dates have no times, so only the day can match", "export the time too")
        return Reason("their clients are known, so their times may be wrong", f"look at {_zone_of(source)}")

    def _of_chance(self, source: Source, row: Mapping[str, int]) -> Finding | None:
        """Automatic numbers that match people, most of whose responses meet no session."""
        matched, decided = _decided(row)
        if 2 * matched >= decided or not (sentence := self._automatic(source, row)):
            return None
        says = f"{sentence}; {matched:,} of {decided:,} of its responses meet a session"
        return Finding(source.name, "automatic_numbers", matched, decided, says, None)

    def _automatic(self, source: Source, row: Mapping[str, int]) -> str | None:
        """A sentence about automatic numbers that match the appointments of their id space."""
        if source.name in self.holds_appointments or not row["known_client_count"]:
            return None
        numbers = self.numbers(source.name)
        if not numbers.are_automatic:
            return None
        return (
            f"the source {source.name}: {automatic(numbers)}, and {row['known_client_count']:,} of "
            f"{row['client_count']:,} clients are known to the appointments; by chance two people may be one: make "
            "sure that these are the practice's own numbers"
        )

    def _none_matches(self, source: Source, row: Mapping[str, int]) -> str | None:
        matched, decided = _decided(row)
        if matched or decided < LEAST:
            return None
        return (
            f"the source {source.name}: none of its {decided:,} responses meets a session; "
            f"{'; '.join(self._reason_of_fall(source, row).parts)}"
        )

    def _reason(self, source: Source) -> Reason | None:
        return likely_reason(self.numbers(source.name), source, self.clinic.spaces, shows_shapes=self.shows_shapes)


def _decided(row: Mapping[str, int]) -> tuple[int, int]:
    """The matched responses of a source, and those that do not wait."""
    matched = row["appointment_count"] + row["time_count"] + row["day_count"]
    return matched, row["response_count"] - row["waiting_count"]


def _zone_of(source: Source) -> str:
    return f"its dates, and at time_zone in [sources.{source.name}]"
