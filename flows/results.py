"""The result of a night, made of the results of its steps."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.flows.order import Order
from rapport.flows.pages.draw import Drawn
from rapport.flows.steps.check import Checked, RecordsChecked
from rapport.flows.steps.compute import Computed, Kept
from rapport.flows.steps.discover import Found
from rapport.flows.steps.match_sources import Matched
from rapport.flows.steps.publish import Published
from rapport.flows.steps.read import Read
from rapport.flows.troubles import INTAKE, Troubles
from rapport.flows.workbench import StepTime
from rapport.warehouse.published.night_in_numbers import FileSums


@dataclass(frozen=True)
class Intake:
    """A night's exports: the files found, and the results of their checks."""

    found: Found
    checked: RecordsChecked
    matched: Matched  # of a check; a night counts the matches of its finished tables
    waiting: tuple[str, ...]  # names of files that are still being written
    troubles: Troubles  # up to this step


def intake_of(found: Found, read: Read, checked: RecordsChecked, kept: Kept | None, matched: Matched) -> Intake:
    """The intake of a night or of a check, with its problems."""
    warnings = (*read.troubles, *checked.warnings, *(kept.warnings if kept else ()))
    troubles = Troubles(damaged=read.bench.damaged, warnings=warnings).looking_at(INTAKE, checked.held_most)
    return Intake(found, checked, matched, (*found.waiting, *read.waiting), matched.added_to(troubles))


@dataclass(frozen=True)
class Publication:
    """A night's tables: the results of computing, checking, publishing and drawing."""

    files: list[FileSums]
    read_otherwise: dict[str, int]
    computed: Computed
    checked: Checked
    matched: Matched
    published: Published
    drawn: Drawn
    troubles: Troubles


@dataclass(frozen=True)
class Night:
    """The result of a night."""

    order: Order
    load_id: int
    steps: list[StepTime]
    intake: Intake
    publication: Publication | None  # None for a check

    @property
    def files(self) -> list[FileSums]:
        """The number of files of each source, and of their records by outcome (loaded, unchanged, quarantined ...)."""
        return self.publication.files if self.publication else self.intake.checked.files

    @property
    def matched(self) -> Matched:
        """The match report: do the sources speak of the same people."""
        return self.publication.matched if self.publication else self.intake.matched

    @property
    def troubles(self) -> Troubles:
        """The problems of a night that did not fail."""
        return self.publication.troubles if self.publication else self.intake.troubles
