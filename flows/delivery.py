"""A delivery: one file of a source, as it was found in the exports folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rapport.warehouse.clinic_file.sources import Source


@dataclass(frozen=True)
class Delivery:
    """A file of a source, its content and the time of its export."""

    source: Source
    path: Path
    number: int
    name_id: str
    file_id: str
    content: str
    byte_count: int
    modified: int
    exported_at: datetime | None
    reading: str
    rules: str
    same_as: str | None = None  # the file_id of the source's latest delivery, when these are its bytes again
    was_read_otherwise: bool = False  # these bytes: by other code, or under another clinic file

    @property
    def label(self) -> str:
        """How logs and messages name it: its name may hold a person's."""
        return f"file {self.file_id[:8]} ({self.source.files})"

    @property
    def is_unmoved(self) -> bool:
        """Whether the file is still as it was when it was found."""
        now = self.path.stat()
        return (now.st_size, now.st_mtime_ns) == (self.byte_count, self.modified)
