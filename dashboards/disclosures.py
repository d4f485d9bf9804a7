"""What a shared question says of its numbers, so that they can be hidden: every column is named in one place.

clients    the column that counts the distinct clients behind a row: with too few, the row shows no number
keys       what tells rows apart: never a date, an id or free text
along      the key that runs on (a session, a month): rows are made for all of its values: no row is no news
counts     numbers of something, shown rounded; over the values of a filter they add up to that of 'All'
parts      { part = { of = "count", clients = "column", other_clients = "column" } }: how many of a count. A part is
           hidden with its complement; the two columns count the clients behind either, where a client may count twice
means      { mean = { of = "count", range = [0, 100] } }: shown to a hundredth of the range, for enough clients
estimates  { estimate = { of = "count", step = 0.01 } }: correlations and their like, shown to that step, for enough;
           with end = "low" or "high" the end of an interval, to the next step outwards, so that it keeps a width
curve      { share, at_risk, events }: the share left after each step of `along`; steps that imply few are joined
behind     columns that are there for this alone, and are not shown
shared_out a key over whose values the parts share out their count: together they are all of it
exhaustive true where the parts of a count are all there is of it
therapists true where each row is a therapist: made only where the clinic file turns it on
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

_PLANS = {  # per section: the keys that an entry needs, and those it may have
    "parts": ({"of"}, {"clients", "other_clients"}),
    "means": ({"of", "range"}, set()),
    "estimates": ({"of", "step"}, {"end"}),
}
_ENDS = (None, "low", "high")
_CURVE = {"share", "at_risk", "events"}
_KEYS = {"clients", "keys", "counts", "curve", "behind", "exhaustive", "along", "shared_out", "therapists", *_PLANS}


@dataclass(frozen=True)
class Disclosure:
    """How the numbers of a shared question are hidden."""

    clients: str
    keys: tuple[str, ...]
    counts: tuple[str, ...] = ()
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    means: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    estimates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    curve: Mapping[str, str] = field(default_factory=dict)
    along: str | None = None
    shared_out: str | None = None
    behind: tuple[str, ...] = ()
    exhaustive: bool = False
    therapists: bool = False

    @property
    def numbers(self) -> list[str]:
        """The columns that are shown and may be hidden."""
        curve = [self.curve[key] for key in ("share", "at_risk") if self.curve]
        return [*self.counts, *self.parts, *self.means, *self.estimates, *(c for c in curve if c not in self.counts)]

    def check(self, columns: set[str], filters: Collection[str]) -> None:
        """Raise ValueError unless every column is named once and filters are keys."""
        named = [*self.keys, *self.numbers, *self.behind]
        if twice := {name for name in named if named.count(name) > 1}:
            raise ValueError(f"[disclosure] names {', '.join(sorted(twice))} twice")
        if strange := set(named) - columns:
            raise ValueError(f"[disclosure] names {', '.join(sorted(strange))}, which the query lacks")
        if silent := columns - set(named):
            raise ValueError(f"[disclosure] does not say what {', '.join(sorted(silent))} is")
        used = {self.clients, *chain.from_iterable(self._used_by(each) for each in self._entries())}
        if strange := (used | set(self.curve.values())) - columns:
            raise ValueError(f"[disclosure] uses {', '.join(sorted(strange))}, which the query lacks")
        if strange := {*filters, *filter(None, [self.along, self.shared_out])} - set(self.keys):
            raise ValueError(
                f"filters, along or shared_out names {', '.join(sorted(strange))}, which is no key of [disclosure]"
            )

    def _entries(self) -> list[Mapping[str, Any]]:
        return [*self.parts.values(), *self.means.values(), *self.estimates.values()]

    @staticmethod
    def _used_by(entry: Mapping[str, Any]) -> set[str]:
        return {entry[key] for key in ("of", "clients", "other_clients") if key in entry}


def read_disclosure(facts: Mapping[str, Any]) -> Disclosure:
    """The section. Raises ValueError that names the key."""
    if wrong := facts.keys() - _KEYS:
        raise ValueError(f"[disclosure] has the unknown key {', '.join(sorted(wrong))}")
    if missing := {"clients", "keys"} - facts.keys():
        raise ValueError(f"[disclosure] has no key {', '.join(sorted(missing))}")
    for section, (needed, optional) in _PLANS.items():
        for name, entry in facts.get(section, {}).items():
            if wrong := (needed - entry.keys()) | (entry.keys() - needed - optional):
                raise ValueError(f"[disclosure.{section}] {name}: see {', '.join(sorted(wrong))}")
    if strange := [name for name, entry in facts.get("estimates", {}).items() if entry.get("end") not in _ENDS]:
        raise ValueError(f"[disclosure.estimates] {', '.join(strange)}: end is low or high")
    if "curve" in facts and facts["curve"].keys() != _CURVE:
        raise ValueError(f"[disclosure] curve must have exactly {', '.join(sorted(_CURVE))}")
    if "curve" in facts and "along" not in facts:
        raise ValueError("[disclosure] has a curve and no key along: the steps that it is drawn by")
    lists = {key: tuple(facts[key]) for key in ("keys", "counts", "behind") if key in facts}
    return Disclosure(**{**facts, **lists})
