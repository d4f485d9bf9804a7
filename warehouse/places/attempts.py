"""Nights that did not publish: kept in the private tree until the next published load enters them into load.loads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.private_files import add_line, lines_of
from rapport.warehouse.places.versions import current_load, set_folder_aside

_KEYS = {"load_id", "purpose", "as_of", "started_at", "finished_at", "reason"}


def note_attempt(
    folders: Folders, load_id: int, purpose: str, as_of: datetime, started_at: datetime, reason: str
) -> None:
    """Note a night that failed. The next published load enters it into load.loads."""
    facts = {"load_id": load_id, "purpose": purpose, "as_of": as_of, "started_at": started_at}
    facts["finished_at"] = datetime.now(UTC)
    set_folder_aside(folders.attempts)
    add_line(folders.attempts, json.dumps({**facts, "reason": reason}, default=datetime.isoformat))


def failed_attempts(folders: Folders) -> list[dict[str, Any]]:
    """Return the nights that failed since the last one that published."""
    return [attempt for attempt in _attempts(folders) if attempt["load_id"] > current_load(folders.published)]


def attempted_loads(folders: Folders) -> set[int]:
    """Return the numbers of all noted loads."""
    return {attempt["load_id"] for attempt in _attempts(folders)}


def unreadable_attempts(folders: Folders) -> int:
    """Return how many lines of attempts.jsonl cannot be read. A full disk damages one line, a bad copy perhaps more. A
    folder in the place of the file counts as one."""
    if folders.attempts.is_dir():
        return 1
    return sum(_attempt(line) is None for line in lines_of(folders.attempts))


def _attempts(folders: Folders) -> list[dict[str, Any]]:
    return [attempt for line in lines_of(folders.attempts) if (attempt := _attempt(line)) is not None]


def _attempt(line: str) -> dict[str, Any] | None:
    """Return the attempt in a line; None for a damaged line."""
    try:
        attempt = json.loads(line)
        for key in ("as_of", "started_at", "finished_at"):
            datetime.fromisoformat(attempt[key])
        return attempt if attempt.keys() == _KEYS and isinstance(attempt["load_id"], int) else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
