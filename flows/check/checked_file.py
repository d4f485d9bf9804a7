"""A file as `rapport check` judges it: how many records are readable, and whether a night would stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from rapport.flows.check.problem import Problem
from rapport.flows.check.problems import problems_of
from rapport.flows.check.read_file import FileRead
from rapport.flows.intake.held_too_much import refusal
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.errors import escaped
from rapport.warehouse.intake.held_shares import HeldShare, held_by_source

FINE, LOOK, STOP = "fine", "look", "A NIGHT WOULD STOP"


@dataclass(frozen=True)
class CheckedFile:
    """A file of a source with its problems. It holds no value of the file."""

    name: str
    source: str
    record_count: int
    held_count: int
    problems: Sequence[Problem]
    stops: bool = False
    held: frozenset[int] = field(default=frozenset(), repr=False)  # numbers of the records that are held back

    @property
    def verdict(self) -> str:
        if self.stops:
            return STOP
        return LOOK if self.problems else FINE

    @property
    def readable_count(self) -> int:
        return 0 if any(each.stops for each in self.problems) else self.record_count - self.held_count


def checked(file: FileRead, clinic: Clinic) -> CheckedFile:
    """A file that was read, with everything that is wrong with it."""
    problems = problems_of(file, clinic)
    held: frozenset[int] = frozenset().union(*(each.held for each in problems))
    count = min(_records(file, held), file.record_count)
    made = CheckedFile(escaped(file.path.name), file.source.name, file.record_count, count, problems, held=held)
    alone = refusal(_share(made), clinic, is_whole_source=False) if file.record_count > 1 else None
    return replace(made, stops=bool(alone) or any(each.stops for each in problems))


def with_source_limits(files: Sequence[CheckedFile], clinic: Clinic) -> list[CheckedFile]:
    """The files, of which the worst of a source stops a night where the source has too many held records."""
    made = list(files)
    for share in held_by_source(map(_share, files)):
        of_source = [each for each in made if each.source == share.source]
        if refusal(share, clinic, is_whole_source=True) and not any(each.stops for each in of_source):
            worst = max(of_source, key=lambda each: each.held_count)
            made[made.index(worst)] = replace(worst, stops=True)
    return made


def _share(file: CheckedFile) -> HeldShare:
    return HeldShare(file.source, (), file.held_count, file.record_count, ())


def _records(file: FileRead, held: frozenset[int]) -> int:
    """How many records of the file the rows with these numbers were made from; a record with several rows once."""
    numbers = pl.Series(list(held), dtype=pl.Int64)
    counted = [
        frame.select(pl.col("record_number").cast(pl.Int64), pl.col("record_count").cast(pl.Int64)).filter(
            pl.col("record_number").is_in(numbers.implode())
        )
        for _, frame in file.frames
    ]
    if not counted:
        return 0
    return int(pl.concat(counted).group_by("record_number").agg(pl.col("record_count").max())["record_count"].sum())
