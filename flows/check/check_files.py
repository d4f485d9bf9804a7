"""Every file of every source, read as a night would read it, and the files that no source takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rapport.flows.check.checked_file import CheckedFile, checked, with_source_limits
from rapport.flows.check.people import People, SourcePeople
from rapport.flows.check.problem import counted
from rapport.flows.check.read_file import read_file
from rapport.flows.intake.not_read import NotRead, unclaimed
from rapport.flows.steps.discover import matching
from rapport.transforms.sources.drafting.recognition import recognise
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import Refused, escaped


@dataclass(frozen=True)
class FilesChecked:
    """What is wrong with the files of an exports folder, and whether they speak of the same people."""

    files: list[CheckedFile]
    people: list[SourcePeople]
    not_read: list[str]  # sources, each with why no file, or not every file, was read
    unclaimed: list[str]  # files that no source takes, each with what it looks like

    @property
    def stops(self) -> bool:
        """Whether a night would stop."""
        return any(each.stops for each in self.files)


def check_files(exports: Path, clinic: Clinic, as_of: datetime, progress: Callable[[str], None]) -> FilesChecked:
    """Read every file of every source past its problems. Nothing is written."""
    people, files, not_read, claimed = People(clinic), list[CheckedFile](), list[str](), set[Path]()
    for source in clinic.sources:
        matched, why = _matched(exports, source)
        claimed.update(path for path, _ in matched)
        later = [path for path, at in matched if at and at > as_of]
        due = [(path, at) for path, at in matched if path not in later]
        for path, exported_at in due:
            progress(f"reading {escaped(path.name)}")
            read = read_file(path, source, clinic, as_of, exported_at)
            files.append(checked(read, clinic))
            people.add(read, files[-1].held)
        if later:
            not_read.append(f"{source.name}: {counted(len(later), 'file')} dated after tonight, not read")
        elif not due:
            not_read.append(f"{source.name}: {why or f'no file matches   files = {source.files!r}'}")
    return FilesChecked(
        with_source_limits(files, clinic), list(people.rows()), not_read, list(_unclaimed(exports, claimed, clinic))
    )


def _matched(exports: Path, source: Source) -> tuple[list[tuple[Path, datetime | None]], str]:
    """The files of a source with the times of their exports; or why its pattern does not read a name."""
    try:
        return list(matching(exports, source)), ""
    except Refused as refused:
        return [], refused.told


def _unclaimed(exports: Path, claimed: set[Path], clinic: Clinic) -> Iterator[str]:
    """The files of the folder that no source takes, and what they look like; and how many are unfinished uploads."""
    strays, upload_count = unclaimed(exports, clinic.sources, claimed)
    for name in strays:
        try:
            looks = ", ".join(found.told for found in recognise(exports / name, clinic.instruments))
            yield f"{escaped(name)}: {looks}; no pattern of   files   takes it"
        except Refused as refused:
            yield f"{escaped(name)}: {refused.what.partition(';')[0]}"
    yield from NotRead(upload_count=upload_count).sentences
