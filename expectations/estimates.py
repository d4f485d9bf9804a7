"""The rules of every table with estimates: a missing estimate has a reason, and an interval has a width."""

from __future__ import annotations

from rapport.expectations.rules import Rule, never
from rapport.warehouse.schema.columns import NO_WIDTH

_ENDS = (("low", "high"), ("low_share", "high_share"))
_ESTIMATES = ("estimate", "shrunken_effect")


def estimate_rules(names: tuple[str, ...]) -> list[Rule]:
    """The rules of a table with these columns."""
    made = [
        never(f"the interval from {low} to {high} has a width", f"{high} - {low} < {NO_WIDTH / 2}")
        for low, high in _ENDS
        if {low, high} <= set(names)
    ]
    if "why_no_estimate" in names:
        estimate = next(name for name in _ESTIMATES if name in names)
        broken = f"({estimate} IS NULL) <> (why_no_estimate IS NOT NULL)"
        made.append(never("an estimate or the reason why there is none", broken))
    return made
