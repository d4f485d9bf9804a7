"""Where a fact comes from: published (seen in print or in public code), recalled (not checked), or local."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapport.warehouse.toml_keys.keys import keys_of


@dataclass(frozen=True)
class Provenance:
    """A fact's status, and who says so."""

    status: str = "local"
    source: str = "the clinic"


LOCAL = Provenance()


def provenance(told: Mapping[str, Any], default: Provenance) -> Provenance:
    """A fact's own status and source, of a section that was read, or those of the file."""
    return Provenance(told["status"] or default.status, told["source"] or default.source)


def but_for_origin(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a section says beside that."""
    return {key: value for key, value in told.items() if key not in keys_of("origin")}
