"""Warnings about answers at a young age: such answers are scored, and flagged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rapport.warehouse.instruments.provenance import Provenance, provenance


@dataclass(frozen=True)
class Caution:
    """Below this age of the client the answers of these raters have weak validity."""

    below_age: int
    respondents: tuple[str, ...]
    origin: Provenance


def caution_of(told: Mapping[str, Any], default: Provenance) -> Caution:
    """Return the warning in a section that was read."""
    return Caution(told["below_age"], told["respondents"], provenance(told, default))
