"""A delivery: one file of a source, as it was found in the exports folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rapport.warehouse.clinic_file.sources import Source


def label(file_id: str, pattern: str) -> str:
    """A file's name in logs and messages: the beginning of its id, and the pattern of its source."""
    return f"file {file_id[:8]} ({pattern})"


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
    first_modified: int  # its file-system time at its first loading: a later reading or a copy does not change it
    first_load_id: int
    exported_at: datetime | None
    reading: str
    rules: str
    same_as: str | None = None  # the file_id of the source's latest delivery, where its content is the same
    was_read_otherwise: bool = False  # whether this content was read before by other code or with another clinic file

    @property
    def label(self) -> str:
        """The file's name in logs and messages. Its real name may contain a person's name."""
        return label(self.file_id, self.source.files)

    @property
    def is_unmoved(self) -> bool:
        """Whether the file has not changed since it was found."""
        now = self.path.stat()
        return (now.st_size, now.st_mtime_ns) == (self.byte_count, self.modified)
