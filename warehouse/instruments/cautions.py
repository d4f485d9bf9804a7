"""A warning about answers at an age: they are scored, and flagged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rapport.warehouse.instruments.provenance import ORIGIN_KEYS, Provenance, provenance
from rapport.warehouse.schema.columns import RATERS
from rapport.warehouse.toml_keys import known, one_of

_KEYS = {"below_age": "age", "respondents": "texts"}


@dataclass(frozen=True)
class Caution:
    """Below this age of the client these raters' answers are weakly valid."""

    below_age: int
    respondents: tuple[str, ...]
    origin: Provenance


def read_caution(facts: Mapping, default: Provenance) -> Caution:
    known("[caution]", facts, _KEYS | ORIGIN_KEYS, needed=_KEYS)
    for respondent in facts["respondents"]:
        one_of("[caution] respondents", respondent, RATERS)
    return Caution(facts["below_age"], tuple(facts["respondents"]), provenance("[caution]", facts, default))
