"""Which questionnaire is due at which sessions: section [protocol] of clinic.toml."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from rapport.warehouse.instruments import Instrument
from rapport.warehouse.schema.columns import RATERS
from rapport.warehouse.toml_keys import known, one_of

_KEYS = {
    "raters": "texts",
    "first": "count",
    "every": "count",
    "age_from": "age",
    "age_to": "age",
    "since": "day",
}
OLDEST_MINOR = 17  # a caregiver is asked about a minor, where the clinic says nothing else


@dataclass(frozen=True)
class Due:
    """An instrument and the rater who fills it in at treatment session `first` of an episode and every `every`-th
    after it, where the client was `age_from` to `age_to` at the episode's opening."""

    instrument: str
    rater: str
    first: int = 1
    every: int = 1
    age_from: int | None = None
    age_to: int | None = None
    since: date | None = None  # null: since the clinic first received one


def usual(instrument: str, rater: str) -> Due:
    """Where the clinic declares nothing: due at every treatment session; a caregiver's only for minors."""
    return Due(instrument, rater, age_to=OLDEST_MINOR if rater == "caregiver" else None)


def read_protocol(facts: Mapping, instruments: Mapping[str, Instrument]) -> tuple[Due, ...]:
    """The declared protocol. Raises ValueError that names the key and says what to do."""
    known("[protocol]", facts, dict.fromkeys(facts, "section"))
    return tuple(due for name, keys in facts.items() for due in _dues(name, keys, instruments))


def _dues(name: str, keys: Mapping, instruments: Mapping[str, Instrument]) -> list[Due]:
    where = f"[protocol.{name}]"
    if name not in instruments:
        near = difflib.get_close_matches(name, instruments, 1)
        hint = f"did you mean '{near[0]}'?" if near else "INSTRUMENTS.md lists the names"
        raise ValueError(f"{where} names no instrument; {hint}")
    known(where, keys, _KEYS, needed=("raters",))
    first, every = keys.get("first", 1), keys.get("every", 1)
    if keys.get("age_from", 0) > keys.get("age_to", 200):
        raise ValueError(f"{where} age_from must not be above age_to")
    since = date.fromisoformat(str(keys["since"])) if "since" in keys else None
    return [
        Due(
            name,
            one_of(f"{where} raters", rater, RATERS),
            first,
            every,
            keys.get("age_from"),
            keys.get("age_to", usual(name, rater).age_to),
            since,
        )
        for rater in dict.fromkeys(keys["raters"])
    ]
