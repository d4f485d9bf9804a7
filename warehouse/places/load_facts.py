"""load.json: the facts of a load beside each published file, readable without DuckDB and without a key.

In shared/ and private/ it names the load of the file, and nothing about the clinic's data. With encryption the
load.json of the analysts' file names no source and no reason: these are null, which means withheld.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rapport.warehouse.places.digests import is_as_written

FACTS = "load.json"
FORM = 1  # changes only when a key is removed or changes its meaning
SHARED = ("form", "rapport", "load", "as_of", "data_to", "bytes")
SECRET = ("late_sources", "failed_since")  # they name sources and reasons


def with_bytes(facts: Mapping[str, object], count: int) -> str:
    """Return the text of load.json for a file of `count` bytes."""
    return json.dumps({**facts, "bytes": count}, default=_instant) + "\n"


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def for_everybody(facts: Mapping[str, object]) -> dict[str, object]:
    """Return the facts that may stand outside the analysts' tree."""
    return {name: value for name, value in facts.items() if name in SHARED}


def for_encryption(facts: Mapping[str, object], *, is_encrypted: bool) -> dict[str, object]:
    """Return the facts. With encryption those that must not be readable without the key are null."""
    hidden = dict.fromkeys(SECRET) if is_encrypted else {}
    return {**facts, **hidden, "encrypted": is_encrypted}


def facts_of(version: Path) -> dict[str, Any] | None:
    """Return the facts in a version's load.json; None where it is missing or describes other bytes."""
    facts = _read(version)
    return None if facts is None or is_cut_off(version) else facts


def is_cut_off(version: Path) -> bool:
    """Return whether a file's length differs from the length in its load.json."""
    facts = _read(version)
    return facts is not None and facts["bytes"] != version.stat().st_size


def _read(version: Path) -> dict[str, Any] | None:
    told = version.parent / FACTS
    try:
        facts = json.loads(told.read_text(encoding="utf-8"))
        is_form = facts["form"] == FORM and isinstance(facts["bytes"], int)
        return facts if is_form and is_as_written(told) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
