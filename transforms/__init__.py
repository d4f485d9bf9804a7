"""What Rapport computes: polars only, frames in, a frame out. Every module here that declares tables is found."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from pathlib import Path

from warehouse.tables import Table, in_order


def tables() -> list[Table]:
    """Every table declared in this folder, each after those it reads."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    found = {name: thing for module in modules for name, thing in vars(module).items() if isinstance(thing, Table)}
    return in_order(found.values())


def tables_version() -> str:
    """A fingerprint of the tables' definitions: when they change, every client is computed again."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
