"""Id spaces: whose record numbers a source has. clinic.toml says what became of one that has another name or use now.

[spaces] praxis = { was = "clinic" }       another name; the first stays inside the pseudonyms, so everything holds
[spaces] phq = { same_as = "practice" }    its numbers turned out to be practice's: equal numbers are one person
retired_spaces = ["phq"]                   nothing comes from it any more; its people stay as they are
[spaces] new = { new_numbers = true }      its numbers are other people's than those its sources had before
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True)
class Spaces:
    """The id spaces of a clinic file, by name. A space is known by its first name, which is inside its pseudonyms."""

    used: tuple[str, ...] = ()  # by a section of [sources]
    retired: tuple[str, ...] = ()
    was: Mapping[str, str] = field(default_factory=dict)  # name -> the name before
    same_as: Mapping[str, str] = field(default_factory=dict)  # name -> the space whose numbers it has
    with_new_numbers: frozenset[str] = frozenset()

    def first_name(self, name: str) -> str:
        """The first name of the space that has this name."""
        while name in self.was:
            name = self.was[name]
        return name

    @cached_property
    def joined(self) -> dict[str, str]:
        """Each space that is the same as another, and that other: first names."""
        beside = {self.first_name(name): self.first_name(other) for name, other in self.same_as.items()}
        return {name: _end(beside, name) for name in beside}

    def counts_as(self, name: str) -> str:
        """The first name of the space whose numbers those of this one are."""
        first = self.first_name(name)
        return self.joined.get(first, first)

    def same_as_this(self, first: str) -> list[str]:
        """The spaces whose numbers are those of this one: first names."""
        return sorted(name for name, other in self.joined.items() if other == first)

    def numbers_of(self, name: str) -> tuple[bool, list[str]]:
        """Whether a space's numbers are new, and the spaces with the same numbers: a change of these reads its files
        again."""
        return name in self.with_new_numbers, self.same_as_this(self.counts_as(name))

    def name_of(self, first: str) -> str:
        """The name that a space has now."""
        names = (*self.used, *self.retired, *(name for name in self.was if name not in self.was.values()))
        return next((name for name in names if self.first_name(name) == first), first)

    @property
    def names(self) -> dict[str, str]:
        """Every name in the clinic file, the old ones too, and the space that it counts as."""
        said = (*self.used, *self.retired, *self.was, *self.was.values(), *self.same_as)
        return {name: self.counts_as(name) for name in sorted(said)}

    @property
    def settled(self) -> set[str]:
        """The spaces of which the clinic file says what became of them: first names."""
        return {self.first_name(name) for name in (*self.used, *self.retired, *self.same_as)}


NO_SPACES = Spaces()


def _end(beside: Mapping[str, str], name: str) -> str:
    while name in beside:
        name = beside[name]
    return name
