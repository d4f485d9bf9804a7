"""The sessions at which each questionnaire is due: section [protocol] of clinic.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from rapport.warehouse.instruments import Instrument
from rapport.warehouse.toml_keys.keys import in_order, keys_of, read
from rapport.warehouse.toml_keys.kinds import nearest

OLDEST_MINOR = 17  # by default caregivers are asked only about minors


@dataclass(frozen=True)
class Due:
    """An instrument that a rater fills in at treatment session `first` of an episode and at every `every`-th after it.
    It is for clients who were `age_from` to `age_to` years old at the episode's opening."""

    instrument: str
    rater: str
    first: int = keys_of("protocol")["first"].default
    every: int = keys_of("protocol")["every"].default
    age_from: int | None = None
    age_to: int | None = None
    since: date | None = None  # null: since the clinic first received one


def usual(instrument: str, rater: str) -> Due:
    """Return the default: due at every treatment session; a caregiver's questionnaire only for minors."""
    return Due(instrument, rater, age_to=OLDEST_MINOR if rater == "caregiver" else None)


def read_protocol(facts: Mapping[str, Mapping[str, object]], instruments: Mapping[str, Instrument]) -> tuple[Due, ...]:
    """Return the declared protocol. Raises ValueError, which names the key and says what to do."""
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
