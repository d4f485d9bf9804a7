"""Read a tiny export as a night would: a clinic file's text and a file's text in, canonical rows out."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from rapport.transforms.sources import open_delivery, read
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.warehouse.clinic_file.clinic import read_clinic

AS_OF = datetime(2026, 3, 15, 9, tzinfo=UTC)


class Reading:
    """What came of one file: rows by kind, what was counted, and the task's tallies."""

    def __init__(
        self, folder: Path, clinic: str, data: str | bytes, source: str, made_at: datetime | None = None
    ) -> None:
        (folder / "clinic.toml").write_text(f'time_zone = "America/Chicago"\n{clinic}', encoding="utf-8")
        (folder / "export.csv").write_bytes(data if isinstance(data, bytes) else _csv(data).encode())
        declared = read_clinic(folder / "clinic.toml")
        section = next(each for each in declared.sources if each.name == source)
        self.task = Tallies(AS_OF, declared.lists, declared.instruments, made_at=made_at)
        self.opened = open_delivery(folder / "export.csv", section)
        self._frames = [(kind, frame) for kind, frame in read(self.opened, section, self.task) if frame.height]

    def rows(self, kind: str) -> pl.DataFrame:
        """All rows of one kind; response ids made of several parts are shown with slashes."""
        frames = [frame for found, frame in self._frames if found == kind]
        frame = pl.concat(frames) if frames else pl.DataFrame()
        made = pl.col("response_id").str.replace_all("\x1f", "/", literal=True)
        return frame.with_columns(made) if "response_id" in frame.columns else frame

    @property
    def ignored_count(self) -> int:
        """Records of which no row was made."""
        told = [frame.select("record_number", "record_count") for _, frame in self._frames]
        once = pl.concat(told).group_by("record_number").max() if told else None  # as the books count
        used = once["record_count"].sum() if told else 0
        return self.opened.record_count - self.opened.blank_count - used


def _csv(drawn: str) -> str:
    """A drawing with | between columns as CSV; a line that is drawn empty stays empty."""
    lines = [line.split("|") for line in drawn.strip("\n").splitlines()]
    return "".join(
        ",".join(cell.strip(" ") if cell[:2] != " '" else cell[2:].rstrip(" ") for cell in line) + "\n"
        for line in lines
    )
