"""Reports of what is held of one person: noted in the private tree, without whom, until a load enters them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from warehouse.folders import Folders
from warehouse.private_files import add_line


def note_report(folders: Folders) -> None:
    """Write down that a report was made now."""
    add_line(folders.person_reports, json.dumps({"made_at": datetime.now(UTC).isoformat()}))


def noted_reports(folders: Folders) -> list[datetime]:
    """Return when the reports were made that no load has entered yet. A torn line is passed over."""
    if not folders.person_reports.is_file():
        return []
    lines = folders.person_reports.read_text(encoding="utf-8", errors="replace").splitlines()
    return [made for line in lines if (made := _made_at(line))]


def _made_at(line: str) -> datetime | None:
    try:
        return datetime.fromisoformat(json.loads(line)["made_at"])
    except (ValueError, TypeError, KeyError):
        return None
