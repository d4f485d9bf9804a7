"""Nights that did not publish: written down in the private tree until the next that does takes them into load.loads."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from warehouse.folders import Folders, current_load


def note_attempt(
    folders: Folders, load_id: int, purpose: str, as_of: datetime, started_at: datetime, reason: str
) -> None:
    """Write down a night that failed; the next published load takes it into load.loads."""
    facts = {"load_id": load_id, "purpose": purpose, "as_of": as_of, "started_at": started_at}
    facts["finished_at"] = datetime.now(UTC)
    with folders.attempts.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**facts, "reason": reason}, default=datetime.isoformat) + "\n")


def failed_attempts(folders: Folders) -> list[dict]:
    """The nights that failed since the last one that published."""
    if not folders.attempts.exists():
        return []
    lines = folders.attempts.read_text(encoding="utf-8").splitlines()
    attempts = [json.loads(line) for line in lines if line.endswith("}")]
    return [attempt for attempt in attempts if attempt["load_id"] > current_load(folders.published)]


def next_load_id(folders: Folders) -> int:
    """One more than any load that published or failed."""
    return 1 + max([current_load(folders.published), *(a["load_id"] for a in failed_attempts(folders))])
