"""An order: the checked arguments of a load."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rapport.flows.terminal import read_time
from rapport.warehouse.clinic_file.clinic import Clinic, read_clinic
from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.folders import Folders, resolved
from rapport.warehouse.places.page_files import group_number
from rapport.warehouse.places.publication import published_version, refuse_lost_link
from rapport.warehouse.store.seal import as_of_published


@dataclass(frozen=True)
class Order:
    """A night's arguments, checked."""

    exports: Path
    clinic: Clinic
    folders: Folders
    as_of: datetime
    is_check: bool = False
    bucket_count: int | None = None


def place_order(
    exports: Path,
    clinic: Path,
    warehouse: Path,
    as_of: str | None = None,
    *,
    is_check: bool = False,
    bucket_count: int | None = None,
) -> Order:
    """Check a night's arguments, and return them as an order. Raises Unusable, which says what to do."""
    _check_names(exports, clinic, warehouse)
    facts = read_clinic(clinic)
    _need_groups(facts)
    need_exports(exports)
    folders = Folders(warehouse)
    folders.make()
    refuse_lost_link(folders)
    clock = datetime.now(UTC) if as_of is None else read_time("--as-of", as_of, facts.zone)
    return Order(exports, facts, folders, clock, is_check, bucket_count)


def place_change(clinic: Path, warehouse: Path, version: Path | None = None) -> Order:
    """The order of a load that reads no export. Its clock is that of `version`, by default the published version.
    Raises Unusable."""
    _check_names(clinic, warehouse)
    facts, folders = read_clinic(clinic), Folders(warehouse)
    folders.refuse_other_user()
    version = version or published_version(folders)
    folders.make()
    return Order(warehouse, facts, folders, as_of_published(version))


def _need_groups(facts: Clinic) -> None:
    """Raise Unusable when clinic.toml names a user group that this machine does not have."""
    for page, group in facts.internal.items():
        group_number(page, group)


def need_exports(exports: Path) -> None:
    """Raise Unusable unless the exports folder is there and can be listed."""
    if not exports.is_dir():
        raise Unusable(f"the exports folder {exports} does not exist; check --exports")
    if not os.access(exports, os.R_OK | os.X_OK):
        raise Unusable(
            f"the exports folder {exports} may not be read by this user; give this user the right to read it"
        )


def _check_names(*paths: Path) -> None:
    """Refuse a path that cannot be used. The files in the exports folder may have any name."""
    for path in paths:
        resolved(path)
