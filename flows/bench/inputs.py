"""The bench's exports: the demo clinic's appointments and surveys, of a first night and of the day after it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from flows.demo import LAST_NIGHT, write

CLIENTS = {"XS": 60, "S": 3_000, "M": 30_000}  # S: about 60,000 appointments and 110,000 survey rows
LONG_AGO = 1_700_000_000  # the files' time on disk: a file written just now is looked at twice, a second apart


@dataclass(frozen=True)
class Inputs:
    """Where the files of each of the two nights lie, with the clinic file that reads them."""

    folder: Path

    @property
    def clinic(self) -> Path:
        return self.folder / "clinic.toml"

    def files(self, night: int) -> list[Path]:
        """The files that arrived on the first (0) or the second (1) night: one of each source."""
        kinds = ("appointments_*.csv", "AllianceSurveys_*.csv")
        return [sorted((self.folder / "exports").glob(kind))[night] for kind in kinds]

    def deliver(self, night: int, exports: Path) -> None:
        """Put a night's files into an exports folder, without copying them."""
        exports.mkdir(exist_ok=True)
        for file in self.files(night):
            (exports / file.name).hardlink_to(file)

    def as_of(self, night: int) -> str:
        """Three in the morning after the night's exports and before the next ones."""
        day = re.search(r"\d{4}-\d{2}-\d{2}", self.files(night)[0].name)
        return f"{day[0]}T03:00"


def write_inputs(folder: Path, clients: int) -> Inputs:
    """Write the exports of two nights: everything so far, then a day's increment."""
    write(folder, clients=clients, nights=2, until=LAST_NIGHT, clean=True, surveys="increment")
    for episodes in (folder / "exports").glob("episodes_*"):
        episodes.unlink()
    clinic = folder / "clinic.toml"
    clinic.write_text(_without_episodes(clinic.read_text(encoding="utf-8")), encoding="utf-8")
    for file in (folder / "exports").iterdir():
        os.utime(file, (LONG_AGO, LONG_AGO))
    return Inputs(folder)


def _without_episodes(clinic: str) -> str:
    return re.sub(r"\[sources\.episodes\]\n(?:.+\n)*", "", clinic)
