"""Declarations that questions, the hiding of small numbers and the pages share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

ALL = "All"  # the value of a filter for all values together
PLACES = ("site", "program")  # each site and each program has a page and figures of its own


@dataclass(frozen=True)
class Disclosure:
    """How the small numbers of a shared question are hidden: dashboards/disclosures.py explains each field."""

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
        """Raise ValueError unless every column is named exactly once and every filter is a key."""
        named = [*self.keys, *self.numbers, *self.behind]
        if twice := {name for name in named if named.count(name) > 1}:
            raise ValueError(f"[disclosure] names {', '.join(sorted(twice))} twice; name each column once")
        if strange := set(named) - columns:
            raise ValueError(f"[disclosure] names {', '.join(sorted(strange))}, which the query lacks")
        if silent := columns - set(named):
            raise ValueError(f"[disclosure] does not name {', '.join(sorted(silent))}; name every column of the query")
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
