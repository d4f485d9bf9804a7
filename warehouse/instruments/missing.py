"""Missing-item rules by name: the scores that they give, and the scales for which they are published."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapport.warehouse.instruments.provenance import Provenance, provenance
from rapport.warehouse.schema.columns import SCORES
from rapport.warehouse.toml_keys.kinds import one_of

# Missing-item rules, each with the scores that it gives and its number of items (None: any number).
RULES: dict[str, tuple[tuple[str, ...], int | None]] = {
    "complete_only": (SCORES, None),
    "prorate_min": (SCORES, None),
    "phqa_dsm5": (("sum",), 9),
    "sdq": (("sum",), 5),
    "core10": (("sum",), 10),
    "oq45": (("sum",), None),
    "wsas_retired": (("sum",), 5),
    "rcads": (("sum",), None),
    "ptpb85": (("mean",), None),
    "mean80": (("mean",), None),
}
MISSING_RULES = tuple(RULES)


@dataclass(frozen=True)
class Missing:
    """A missing-item rule by name, with the rounding of its score and its source."""

    rule: str
    rounding: str
    origin: Provenance


def missing_of(where: str, told: Mapping[str, Any] | str, default: Provenance) -> Missing:
    """Return the rule, written as a name or as a section. Raises ValueError for an unknown rule."""
    rule = told if isinstance(told, str) else told["rule"]
    name, _ = rule_and_parameter(rule)
    one_of(where, name, MISSING_RULES)
    if (name == "prorate_min") == (name == rule):
        raise ValueError(f"{where} = '{rule}': prorate_min(k) needs its k, and no other rule has one")
    return (
        Missing(rule, "", default)
        if isinstance(told, str)
        else Missing(rule, told["rounding"], provenance(told, default))
    )


def rule_and_parameter(rule: str) -> tuple[str, int | None]:
    """Return a rule's name and parameter: `prorate_min(9)` gives prorate_min and 9. Other rules have no parameter."""
    found = re.fullmatch(r"(\w+)\(([0-9]{1,3})\)", rule)
    return (found[1], int(found[2])) if found else (rule, None)


def check_rule(where: str, rule: str, score: str, count: int) -> None:
    """Raise ValueError for a rule that is not published for such a scale."""
    name, least = rule_and_parameter(rule)
    scores, size = RULES[name]
    if score not in scores:
        raise ValueError(f"{where} missing = '{rule}' makes a {scores[0]}, not a {score}")
    if size and size != count:
        raise ValueError(f"{where} missing = '{rule}' is written for {size} items; the scale has {count}")
    if least is not None and not 1 <= least <= count:
        raise ValueError(f"{where} missing = '{rule}' must need from 1 to {count} answers")
