"""Which questionnaire is due at which sessions: section [protocol] of clinic.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from rapport.warehouse.instruments import Instrument
from rapport.warehouse.toml_keys.keys import in_order, keys_of, read
from rapport.warehouse.toml_keys.kinds import nearest

OLDEST_MINOR = 17  # a caregiver is asked about a minor, where the clinic says nothing else


@dataclass(frozen=True)
class Due:
    """An instrument and the rater who fills it in at treatment session `first` of an episode and every `every`-th
    after it, where the client was `age_from` to `age_to` at the episode's opening."""

    instrument: str
    rater: str
    first: int = keys_of("protocol")["first"].default
    every: int = keys_of("protocol")["every"].default
    age_from: int | None = None
    age_to: int | None = None
    since: date | None = None  # null: since the clinic first received one


def usual(instrument: str, rater: str) -> Due:
    """Where the clinic declares nothing: due at every treatment session; a caregiver's only for minors."""
    return Due(instrument, rater, age_to=OLDEST_MINOR if rater == "caregiver" else None)


def read_protocol(facts: Mapping[str, Mapping[str, object]], instruments: Mapping[str, Instrument]) -> tuple[Due, ...]:
    """The declared protocol. Raises ValueError that names the key and says what to do."""
    return tuple(due for name, keys in facts.items() for due in _dues(name, keys, instruments))


def _dues(name: str, facts: Mapping[str, object], instruments: Mapping[str, Instrument]) -> list[Due]:
    where = f"[protocol.{name}]"
    if name not in instruments:
        hint = nearest(name, instruments, "INSTRUMENTS.md lists the names")
        raise ValueError(f"{where} names no instrument; {hint}")
    told = read(where, facts, keys_of("protocol"))
    in_order(where, told, "age_from", "age_to")
    raters = dict.fromkeys(told.pop("raters"))
    oldest = {rater: usual(name, rater).age_to if told["age_to"] is None else told["age_to"] for rater in raters}
    return [Due(name, rater, **{**told, "age_to": oldest[rater]}) for rater in raters]
