"""The pages of an interface's answer: the page that a file holds, and the next one.

Cliniko names both in `links`, a FHIR Bundle in its list `link`. Without its next page a file is not the whole export.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Pages:
    """The pages of a file, or of several."""

    here: set[str] = field(default_factory=set)  # their addresses
    following: set[str] = field(default_factory=set)  # those of the next ones
    total: int = 0  # records of all pages, where a page says it
    beside: int = 0  # records that a FHIR server added to those it counts

    def note(self, value: object) -> None:
        """Note the pages that a value of a JSON file names."""
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and ("total_entries" in each or each.get("resourceType") == "Bundle"):
                links = _links(each)
                self.here |= {address for relation, address in links if relation == "self"}
                self.following |= {address for relation, address in links if relation == "next"}
                self.total = max(self.total, _count(each.get("total_entries", each.get("total"))))
                self.beside += _added(each)

    def is_short(self, record_count: int) -> bool:
        """Whether a page is missing: one that follows, or records that a page counts."""
        return bool(self.following - self.here) or record_count - self.beside < self.total


def together(pages: Iterable[Pages]) -> Pages:
    """The pages of several files."""
    whole = Pages()
    for each in pages:
        addresses = whole.here | each.here, whole.following | each.following
        whole = Pages(*addresses, max(whole.total, each.total), whole.beside + each.beside)
    return whole


def _links(value: dict[str, Any]) -> list[tuple[str, str]]:
    named = value.get("links")
    pairs = list(named.items()) if isinstance(named, dict) else []
    listed = value.get("link")
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict):
            pairs.append((each.get("relation"), each.get("url")))
    return [(relation, address) for relation, address in pairs if isinstance(address, str) and address]


def _added(value: dict[str, Any]) -> int:
    """Entries of a Bundle that its total does not count (https://hl7.org/fhir/R5/search.html#total)."""
    entries = value.get("entry")
    searches = [each.get("search") for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    return sum(isinstance(each, dict) and each.get("mode") in ("include", "outcome") for each in searches)


def _count(told: object) -> int:
    return int(told) if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 12 else 0
