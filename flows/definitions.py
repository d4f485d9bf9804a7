"""Fingerprints of what tables are computed by: when one changes, what depends on it is computed again for everybody."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from pathlib import Path

import transforms
import warehouse.instruments
from flows.order import Order
from warehouse.definitions import Fingerprints

# What clinic.toml says of the running of nights; everything else may decide what a table holds.
RUNNING = {"schedule", "on_failure", "quarantine_limit", "vanished_limit", "keep_versions", "keep_hours"}
RUNNING |= {"minimum_caseload", "protocol"}  # read by clinic tables alone, which are made anew every night
RUNNING |= {"lists", "sources", "instruments", "client_links"}  # what is read; and the instruments stand apart


def fingerprints(order: Order) -> Fingerprints:
    """Of every instrument, of what the clinic declares, and of every table with all that it depends on."""
    clinic = order.clinic
    instruments = {name: _digest(repr(instrument)) for name, instrument in clinic.instruments.items()}
    declared = {each.name: getattr(clinic, each.name) for each in fields(clinic) if each.name not in RUNNING}
    facts = _digest(repr((_facts_code(), sorted(instruments.items()), sorted(declared.items()))))
    found = {("instrument", name): fingerprint for name, fingerprint in instruments.items()}
    found |= {("clinic", "clinic.toml"): facts}
    found |= {("table", name): fingerprint for name, fingerprint in transforms.fingerprints(facts).items()}
    return found


def _facts_code() -> bytes:
    """The code that turns declared facts into answers (which key is used, which threshold counts)."""
    folder = Path(warehouse.instruments.__file__).parent
    files = sorted([*folder.glob("*.py"), folder.parent / "clinic.py"])
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).digest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
