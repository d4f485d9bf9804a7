"""Id spaces: the system that assigns a source's record numbers. clinic.toml declares every change of a space.

[spaces] praxis = { was = "clinic" }       a new name; the pseudonyms keep the first name, so they stay the same
[spaces] phq = { same_as = "practice" }    its numbers are practice's numbers: equal numbers are one person
retired_spaces = ["phq"]                   no source uses it any more; its people stay as they are
[spaces] new = { new_numbers = true }      its sources have new numbers: a number from before was another person
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Spaces:
    """The id spaces of a clinic file, by name. The first name of a space identifies it and is part of its
    pseudonyms."""

    used: tuple[str, ...] = ()  # spaces of the sections of [sources]
    retired: tuple[str, ...] = ()
    was: Mapping[str, str] = field(default_factory=dict)  # name -> the name before
    same_as: Mapping[str, str] = field(default_factory=dict)  # name -> the space whose numbers it has
    with_new_numbers: frozenset[str] = frozenset()

    def first_name(self, name: str) -> str:
        """Return the first name of the space with this name."""
        while name in self.was:
            name = self.was[name]
        return name

    @cached_property
    def joined(self) -> dict[str, str]:
        """Return the spaces that are the same as another, each with that other: first names."""
        beside = {self.first_name(name): self.first_name(other) for name, other in self.same_as.items()}
        return {name: _end(beside, name) for name in beside}

    def counts_as(self, name: str) -> str:
        """Return the first name of the space to which this space's numbers belong."""
        first = self.first_name(name)
        return self.joined.get(first, first)

    def same_as_this(self, first: str) -> list[str]:
        """Return the spaces with the same numbers as this one: first names."""
        return sorted(name for name, other in self.joined.items() if other == first)

    def numbers_of(self, name: str) -> tuple[bool, list[str]]:
        """Return whether a space's numbers are new, and the spaces with the same numbers. When these change, its files
        are read again."""
        return name in self.with_new_numbers, self.same_as_this(self.counts_as(name))

    def name_of(self, first: str) -> str:
        """Return the present name of a space."""
        names = (*self.used, *self.retired, *(name for name in self.was if name not in self.was.values()))
        return next((name for name in names if self.first_name(name) == first), first)

    @property
    def names(self) -> dict[str, str]:
        """Return every name in the clinic file, old ones too, with the space to which its numbers belong."""
        said = (*self.used, *self.retired, *self.was, *self.was.values(), *self.same_as)
        return {name: self.counts_as(name) for name in sorted(said)}

    @property
    def settled(self) -> set[str]:
        """Return the spaces whose change the clinic file declares: first names."""
        return {self.first_name(name) for name in (*self.used, *self.retired, *self.same_as)}


NO_SPACES = Spaces()


def _end(beside: Mapping[str, str], name: str) -> str:
    while name in beside:
        name = beside[name]
    return name
