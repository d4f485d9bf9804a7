"""The published load, read cheaply: a monitor has one second, and its user may only read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from rapport.warehouse.errors import RapportError
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.load_facts import facts_of
from rapport.warehouse.places.publication import loads_given, refuse_lost_link
from rapport.warehouse.places.versions import current_version, damaged
from rapport.warehouse.store.one_row import number, one_row
from rapport.warehouse.store.opening import open_briefly


@dataclass(frozen=True)
class PublishedLoad:
    """The published load, and the clock of its night."""

    load_id: int
    as_of: datetime


def published_load(folders: Folders) -> PublishedLoad | None:
    """Return the published load, from load.json or else from the file; None before the first night. Raises Damaged, and
    Unusable where the analysts' link is lost."""
    refuse_lost_link(folders)
    version = current_version(folders.published)
    if version is None:
        return None
    if facts := facts_of(version):
        return PublishedLoad(facts["load"], datetime.fromisoformat(facts["as_of"]))
    try:
        with open_briefly(version) as con:
            load_id, as_of = one_row(con, "SELECT load_id, epoch(as_of) FROM load.current")
    except (duckdb.Error, ValueError):
        raise damaged(version) from None
    return PublishedLoad(load_id, datetime.fromtimestamp(as_of, UTC))


def next_load_id(folders: Folders) -> int:
    """Return an unused load_id: one above all in the versions, the books and the attempts."""
    return 1 + max({0} | loads_given(folders) | _in_books(folders))


def _in_books(folders: Folders) -> set[int]:
    version = current_version(folders.published)
    if version is None:
        return set()
    try:
        with open_briefly(version) as con:
            return {number(con, "SELECT coalesce(max(load_id), 0) FROM load.loads")}
    except (duckdb.Error, RapportError):
        return set()  # commands that need the file report the damage; a restoration does not need it
