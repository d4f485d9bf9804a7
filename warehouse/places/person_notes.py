"""Notes of reports about one person, in the private tree and without the person, until a load enters them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.private_files import add_line, lines_of


def note_report(folders: Folders) -> None:
    """Note that a report was made now."""
    add_line(folders.person_reports, json.dumps({"made_at": datetime.now(UTC).isoformat()}))


def noted_reports(folders: Folders) -> list[datetime]:
    """Return the times of the reports that no load has entered yet. A damaged line is skipped."""
    return [made for line in lines_of(folders.person_reports) if (made := _made_at(line))]


def _made_at(line: str) -> datetime | None:
    try:
        return datetime.fromisoformat(json.loads(line)["made_at"])
    except (ValueError, TypeError, KeyError):
        return None
