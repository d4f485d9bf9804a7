"""The rules that find possible ruptures of the alliance: data from rupture_rules.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rapport.warehouse.errors import Unusable
from rapport.warehouse.instruments.provenance import LOCAL, Provenance, but_for_origin, provenance
from rapport.warehouse.toml_keys.keys import keys_of, read
from rapport.warehouse.toml_keys.kinds import one_of

FILE = Path(__file__).with_name("rupture_rules.toml")
KINDS = ("below", "fall", "control_limit", "sudden_loss", "report")
REPAIRS = ("out", "level", "rise", "centre", "resolution")


@dataclass(frozen=True)
class RuptureRule:
    """One rule. Without instruments it applies to every alliance questionnaire with a total."""

    name: str
    code: str
    description: str
    kind: str
    repair: str
    within: int
    instruments: tuple[str, ...]
    threshold: str | None
    sd: float | None
    times: float
    least_earlier: int
    share: float
    width: float | None
    share_of_previous: float | None
    resolved_from: float | None
    origin: Provenance


def read_rupture_rules(path: Path = FILE) -> tuple[RuptureRule, ...]:
    """Return all rules, in the file's order. Raises Unusable with the section, the key and the reason."""
    try:
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
        return tuple(_rule(name, facts) for name, facts in sections.items())
    except (OSError, ValueError) as error:
        raise Unusable(f"rule file {path.name}: {error}") from None


def _rule(name: str, facts: Mapping[str, object]) -> RuptureRule:
    where = f"[{name}]"
    told = read(where, facts, keys_of("rupture_rule", "origin"), needed=_asked(where, facts))
    one_of(f"{where} repair", told["repair"], REPAIRS)
    return RuptureRule(name=name, origin=provenance(told, LOCAL), **but_for_origin(told))


def _asked(where: str, facts: Mapping[str, object]) -> tuple[str, ...]:
    """Return the keys that a rule of this kind needs."""
    kind = one_of(f"{where} kind", facts.get("kind"), KINDS)
    needed = {
        "below": ("threshold", "instruments"),
        "fall": ("threshold", "instruments") if "threshold" in facts else ("sd", "times"),
        "control_limit": ("width", "least_earlier"),
        "sudden_loss": ("sd", "times", "share_of_previous"),
        "report": ("instruments", "resolved_from"),
    }
    return needed[kind]
