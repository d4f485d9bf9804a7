"""The rules by which a fall of the alliance is a possible rupture: rows of data, read from rupture_rules.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rapport.warehouse.errors import Unusable
from rapport.warehouse.instruments.provenance import LOCAL, ORIGIN_KEYS, Provenance, provenance
from rapport.warehouse.toml_keys import known, one_of

FILE = Path(__file__).with_name("rupture_rules.toml")
KINDS = ("below", "fall", "control_limit", "sudden_loss", "report")
REPAIRS = ("out", "level", "rise", "centre", "resolution")
_NEEDED = {"code": "text", "description": "text", "kind": "text", "repair": "text", "within": "integer"}
_NUMBERS = ("sd", "times", "share", "width", "share_of_previous", "resolved_from")
_KEYS = {
    **_NEEDED,
    **ORIGIN_KEYS,
    **dict.fromkeys(_NUMBERS, "number"),
    "instruments": "texts",
    "threshold": "text",
    "least_earlier": "integer",
}


@dataclass(frozen=True)
class RuptureRule:
    """One rule. Without instruments it is for every alliance questionnaire that has a total."""

    name: str
    code: str
    description: str
    kind: str
    repair: str
    within: int
    instruments: tuple[str, ...] = ()
    threshold: str | None = None
    sd: float | None = None
    times: float = 1
    least_earlier: int = 0
    share: float = 1
    width: float | None = None
    share_of_previous: float | None = None
    resolved_from: float | None = None
    origin: Provenance = LOCAL


def read_rupture_rules(path: Path = FILE) -> tuple[RuptureRule, ...]:
    """All rules, in the file's order. Raises Unusable with the section, the key and the reason."""
    try:
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
        known("the file", sections, dict.fromkeys(sections, "section"))
        return tuple(_rule(name, facts) for name, facts in sections.items())
    except (OSError, ValueError) as error:
        raise Unusable(f"rule file {path.name}: {error}") from None


def _rule(name: str, facts: Mapping) -> RuptureRule:
    where = f"[{name}]"
    known(where, facts, _KEYS, needed=(*_NEEDED, *_asked(where, facts)))
    one_of(f"{where} repair", facts["repair"], REPAIRS)
    if facts["within"] < 1:
        raise ValueError(f"{where} within must be at least 1 rated session")
    told = {key: facts[key] for key in _KEYS if key in facts and key not in ORIGIN_KEYS}
    told["instruments"] = tuple(facts.get("instruments", ()))
    return RuptureRule(name=name, **told, origin=provenance(where, facts, LOCAL))


def _asked(where: str, facts: Mapping) -> tuple[str, ...]:
    """What a rule of this kind cannot do without."""
    kind = one_of(f"{where} kind", facts.get("kind"), KINDS)
    needed = {
        "below": ("threshold", "instruments"),
        "fall": ("threshold", "instruments") if "threshold" in facts else ("sd", "times"),
        "control_limit": ("width", "least_earlier"),
        "sudden_loss": ("sd", "times", "share_of_previous"),
        "report": ("instruments", "resolved_from"),
    }
    return needed[kind]
