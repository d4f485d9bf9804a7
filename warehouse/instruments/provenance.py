"""Where a fact comes from: published (seen in print or in public code), recalled (not checked), or local."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rapport.warehouse.schema.columns import FACT_STATUSES
from rapport.warehouse.toml_keys import one_of

ORIGIN_KEYS = {"status": "text", "source": "text"}


@dataclass(frozen=True)
class Provenance:
    """A fact's status, and who says so."""

    status: str = "local"
    source: str = "the clinic"


LOCAL = Provenance()


def provenance(where: str, facts: Mapping[str, object], default: Provenance) -> Provenance:
    """A fact's own status and source, or those of the file."""
    status = one_of(f"{where} status", facts.get("status", default.status), FACT_STATUSES)
    return Provenance(status, facts.get("source", default.source))
