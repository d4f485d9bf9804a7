"""The origin of a fact: published (seen in print or in public code), recalled (not checked), or local."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapport.warehouse.toml_keys.keys import keys_of


@dataclass(frozen=True)
class Provenance:
    """A fact's status and source."""

    status: str = "local"
    source: str = "the clinic"


LOCAL = Provenance()


def provenance(told: Mapping[str, Any], default: Provenance) -> Provenance:
    """Return the status and source in a section that was read, else those of the file."""
    return Provenance(told["status"] or default.status, told["source"] or default.source)


def but_for_origin(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the other facts of a section, without status and source."""
    return {key: value for key, value in told.items() if key not in keys_of("origin")}
