"""The texts by which people's numbers were known: a cast that changes an id's text changes nobody's pseudonym.

Of a number that was known by several texts the first counts: its pseudonym is the person's, whatever is written now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

Of = tuple[str, str]  # id space (its first name), kind: client or therapist


@dataclass(frozen=True)
class Aliases:
    """Only numbers that were known by another text than they are read as now have a place here."""

    numbers: Mapping[Of, Mapping[str, str]] = field(default_factory=dict, repr=False)  # known text -> the number
    first_texts: Mapping[Of, Mapping[str, str]] = field(default_factory=dict, repr=False)  # number -> its first text

    def number(self, space: str, kind: str, text: str) -> str:
        """The number that a text is read as."""
        return self.numbers.get((space, kind), {}).get(text, text)

    def first_text(self, space: str, kind: str, number: str) -> str:
        """The text under which a number was first known."""
        return self.first_texts.get((space, kind), {}).get(number, number)

    @cached_property
    def texts(self) -> dict[Of, dict[str, list[str]]]:
        """The texts of each number."""
        found: dict[Of, dict[str, list[str]]] = {}
        for of, numbers in self.numbers.items():
            for text, number in numbers.items():
                found.setdefault(of, {}).setdefault(number, []).append(text)
        return found

    def texts_of(self, space: str, kind: str, number: str) -> list[str]:
        """Every text by which a number was known, and the number."""
        return list(dict.fromkeys((number, *self.texts.get((space, kind), {}).get(number, ()))))

    @cached_property
    def mark(self) -> str:
        """A fingerprint: another where a number's pseudonym is another."""
        told = sorted((of, *pair) for of, texts in self.first_texts.items() for pair in texts.items())
        return hashlib.sha256(repr(told).encode(errors="surrogateescape")).hexdigest()[:32]


NO_ALIASES = Aliases()
