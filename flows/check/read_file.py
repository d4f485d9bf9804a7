"""One file, read by the night's own reader past each refusal, so that all of them can be told together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from rapport.flows.failures import sayable
from rapport.transforms.sources import open_delivery, read
from rapport.transforms.sources.canonical.casts import UNKNOWN
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.opening.export import Export, with_blank_columns
from rapport.transforms.sources.opening.shape import NUMBER, cell
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.clinic_file.sources import Source
from rapport.warehouse.errors import MissingColumn, OrderOfDates, OtherRange, Refused, Stopped

MOST = 200  # refusals of one file that are read past


@dataclass(frozen=True)
class FileRead:
    """What a file holds, as a night would read it, and the refusals that would stop it."""

    path: Path
    source: Source  # as it was read in the end
    exported_at: datetime
    refusals: Sequence[Refused] = ()
    frames: Sequence[tuple[str, pl.DataFrame]] = ()  # kind, canonical rows
    header: Sequence[str] = ()
    blank: Sequence[str] = ()  # columns that it has not
    record_count: int = 0  # records with something in them
    told: Sequence[str] = ()

    def cells(self, columns: Sequence[str]) -> pl.DataFrame | None:
        """The texts of columns beside their record's number, as they are in the file; None where it has no such."""
        export = self._open()
        if not all(map(export.has, columns)):
            return None
        export.need(columns)
        texts = [cell(each).str.strip_chars().replace("", None).alias(each) for each in columns]
        found = [chunk.select(pl.col(NUMBER).alias("record"), *texts) for chunk in export.chunks]
        return pl.concat(found) if found else None

    def _open(self) -> Export:
        return with_blank_columns(open_delivery(self.path, self.source), self.blank)


@dataclass
class _Attempt:
    source: Source
    blank: list[str] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)


def read_file(path: Path, source: Source, clinic: Clinic, as_of: datetime, exported_at: datetime | None) -> FileRead:
    """Read a file past each refusal that says what it is about. Whatever else is wrong with it ends the reading, and
    not that of other files."""
    attempt = _Attempt(source)
    for _ in range(MOST):
        try:
            return _read(path, attempt, clinic, as_of, exported_at)
        except Refused as refused:
            attempt.refusals.append(refused)
            if not _passed(attempt, refused):
                break
        except Exception as error:
            failure = sayable(error)
            if isinstance(failure, Stopped):
                raise
            attempt.refusals.append(Refused(str(failure)))
            break
    return FileRead(path, attempt.source, exported_at or as_of, attempt.refusals)


def _read(path: Path, attempt: _Attempt, clinic: Clinic, as_of: datetime, exported_at: datetime | None) -> FileRead:
    """Read a file as a night does, but for what an attempt has learnt. Raises Refused."""
    tallies = Tallies(
        as_of,
        clinic.lists,
        clinic.instruments,
        made_at=exported_at,
        years_back=clinic.record_years_back,
        years_ahead=clinic.record_years_ahead,
    )
    opened = open_delivery(path, attempt.source)
    frames = _by_kind(read(with_blank_columns(opened, attempt.blank), attempt.source, tallies))
    return FileRead(
        path,
        attempt.source,
        min(exported_at or tallies.exported_at or as_of, as_of),
        attempt.refusals,
        frames,
        opened.header,
        attempt.blank,
        opened.record_count - opened.blank_count,
        (*opened.told, *tallies.told),
    )


def _by_kind(read: Iterable[tuple[str, pl.DataFrame]]) -> list[tuple[str, pl.DataFrame]]:
    """One frame for each kind of record."""
    frames: dict[str, list[pl.DataFrame]] = {}
    for kind, frame in read:
        if frame.height:
            frames.setdefault(kind, []).append(frame)
    return [(kind, pl.concat(each, how="diagonal_relaxed")) for kind, each in frames.items()]


def _passed(attempt: _Attempt, refused: Refused) -> bool:
    """Change how the file is read so that its next reading comes past this refusal; False where nothing helps."""
    source = attempt.source
    if isinstance(refused, MissingColumn) and refused.column not in attempt.blank:
        attempt.blank.append(refused.column)
    elif isinstance(refused, OrderOfDates) and source.dates == "decide":
        attempt.source = replace(source, dates="month_first")
    elif isinstance(refused, OtherRange) and any(form.name == refused.form for form in source.forms):
        attempt.source = replace(source, forms=tuple(form for form in source.forms if form.name != refused.form))
    else:
        return False
    return True


def unreadable(frame: pl.DataFrame) -> Iterator[tuple[str, pl.Series]]:
    """The names in `unreadable`, each with the numbers of its records."""
    if frame["unreadable"].null_count() < frame.height:
        told = frame.select("record_number", "unreadable").explode("unreadable").drop_nulls()
        for (name,), rows in told.group_by("unreadable", maintain_order=True):
            yield str(name), rows["record_number"]


def is_unknown(frame: pl.DataFrame, column: str) -> pl.Series:
    return (frame[column] == UNKNOWN).fill_null(False)
