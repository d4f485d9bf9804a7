"""The bench's exports: the demo clinic's appointments and surveys, of a first night and of the day after it.

The day after comes in two ways: as what changed since, and as everything again.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rapport.flows.demo import LAST_NIGHT, write

CLIENTS = {"XS": 60, "S": 2_750, "M": 27_500, "L": 275_000}  # S: about 60,000 appointments and 112,000 survey rows
YEARS = 4  # in which the clients came: size M then has some 600 appointments a working day
FIRST, INCREMENT, AGAIN = range(3)  # the nights
LEFT_OUT = ("episodes", "responses")  # sources of the demo clinic
LONG_AGO = 1_700_000_000  # the files' time on disk: a file written just now is looked at twice, a second apart


@dataclass(frozen=True)
class Inputs:
    """Where the files of each night lie, with the clinic file that reads them."""

    folder: Path
    other_clinic: Path | None = None

    @property
    def clinic(self) -> Path:
        return self.other_clinic or self.folder / "clinic.toml"

    @property
    def whole(self) -> Inputs:
        """The same files, declared to hold everything."""
        return Inputs(self.folder, self.folder / "whole.toml")

    def files(self, night: int) -> list[Path]:
        """The files of the first night (0) and of the day after it (1: what changed; 2: everything): one a source."""
        folder = self.folder / "again" if night == AGAIN else self.folder
        kinds = ("appointments_*.csv", "AllianceSurveys_*.csv")
        return [sorted((folder / "exports").glob(kind))[min(night, 1)] for kind in kinds]

    def deliver(self, night: int, exports: Path) -> None:
        """Put a night's files into an exports folder, without copying them."""
        exports.mkdir(exist_ok=True)
        for file in self.files(night):
            (exports / file.name).hardlink_to(file)

    def as_of(self, night: int) -> str:
        """Three in the morning after the night's exports and before the next ones."""
        (day,) = re.findall(r"\d{4}-\d{2}-\d{2}", self.files(night)[0].name)
        return f"{day}T03:00"


def write_inputs(folder: Path, clients: int) -> Inputs:
    """Write the exports of the nights: everything so far, then a day's increment; and everything again a day later."""
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
    """The clinic file without the sections of their sources."""
    return re.sub(rf"\[sources\.(?:{'|'.join(LEFT_OUT)})\]\n(?:.+\n)*", "", clinic)
