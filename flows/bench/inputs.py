"""The bench's exports: the demo clinic's appointments and surveys, of a first night and of the next day.

The next day's exports exist in two forms: only the changes, and everything again.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rapport.flows.demo import LAST_NIGHT, write

CLIENTS = {"XS": 60, "S": 2_750, "M": 27_500, "L": 275_000}  # S: about 60,000 appointments and 112,000 survey rows
YEARS = 4  # the years in which the clients came; size M then has about 600 appointments a working day
FIRST, INCREMENT, AGAIN = range(3)  # the nights
LEFT_OUT = ("episodes", "responses")  # sources of the demo clinic
LONG_AGO = 1_700_000_000  # the files' time on disk: the night waits a second for files that were just written


@dataclass(frozen=True)
class Inputs:
    """The folder with the files of each night, and the clinic file for them."""

    folder: Path
    other_clinic: Path | None = None

    @property
    def clinic(self) -> Path:
        return self.other_clinic or self.folder / "clinic.toml"

    @property
    def whole(self) -> Inputs:
        """The same files, with a clinic file that declares them as complete (covers = "all")."""
        return Inputs(self.folder, self.folder / "whole.toml")

    def files(self, night: int) -> list[Path]:
        """One file per source: of the first night (0), or of the next day (1: only changes; 2: everything)."""
        folder = self.folder / "again" if night == AGAIN else self.folder
        kinds = ("appointments_*.csv", "AllianceSurveys_*.csv")
        return [sorted((folder / "exports").glob(kind))[min(night, 1)] for kind in kinds]

    def deliver(self, night: int, exports: Path) -> None:
        """Put a night's files into an exports folder, without copying them."""
        exports.mkdir(exist_ok=True)
        for file in self.files(night):
            (exports / file.name).hardlink_to(file)

    def as_of(self, night: int) -> str:
        """The night's clock: three in the morning, on the day of its exports."""
        (day,) = re.findall(r"\d{4}-\d{2}-\d{2}", self.files(night)[0].name)
        return f"{day}T03:00"


def write_inputs(folder: Path, clients: int) -> Inputs:
    """Write the exports: everything so far, then one day's changes, and everything again one day later."""
    write_nights = partial(write, clients=clients, nights=2, until=LAST_NIGHT, clean=True, years=YEARS)
    write_nights(folder, surveys="increment")
    write_nights(folder / "again", surveys="full", appointments="full")
    for file in folder.glob("**/exports/*"):
        if is_left_out(file):
            file.unlink()
    clinic = folder / "clinic.toml"
    written = without_left_out(clinic.read_text(encoding="utf-8"))
    clinic.write_text(written, encoding="utf-8")
    covering = re.sub(r"^(files = .*)$", r'\1\ncovers = "all"', written, flags=re.MULTILINE)
    Inputs(folder).whole.clinic.write_text(covering, encoding="utf-8")
    for file in folder.glob("**/exports/*"):
        os.utime(file, (LONG_AGO, LONG_AGO))
    return Inputs(folder)


def is_left_out(file: Path) -> bool:
    """Whether it is an export that the benchmark does not read."""
    return file.name.startswith(LEFT_OUT)


def without_left_out(clinic: str) -> str:
    """The clinic file without the sections of the sources that are left out."""
    return re.sub(rf"\[sources\.(?:{'|'.join(LEFT_OUT)})\]\n(?:.+\n)*", "", clinic)
