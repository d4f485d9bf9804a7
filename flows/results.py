"""What came of a night, made of the results of its steps."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.flows.order import Order
from rapport.flows.pages.draw import Drawn
from rapport.flows.steps.check import Checked, RecordsChecked
from rapport.flows.steps.compute import Computed
from rapport.flows.steps.discover import Found
from rapport.flows.steps.publish import Published
from rapport.flows.troubles import Troubles
from rapport.flows.workbench import StepTime
from rapport.warehouse.published.night_in_numbers import FileSums


@dataclass(frozen=True)
class Intake:
    """A night's exports: what was found, and what came of checking it."""

    found: Found
    checked: RecordsChecked
    waiting: tuple[str, ...]  # names of files that are still being written
    troubles: Troubles  # up to here


@dataclass(frozen=True)
class Publication:
    """A night's tables: what was computed, checked, published and drawn."""

    files: list[FileSums]
    read_otherwise: dict[str, int]
    computed: Computed
    checked: Checked
    published: Published
    drawn: Drawn
    troubles: Troubles


@dataclass(frozen=True)
class Night:
    """What came of a night."""

    order: Order
    load_id: int
    steps: list[StepTime]
    intake: Intake
    publication: Publication | None  # None for a check

    @property
    def files(self) -> list[FileSums]:
        """The files of each source, and where their records went."""
        return self.publication.files if self.publication else self.intake.checked.files

    @property
    def troubles(self) -> Troubles:
        """What went wrong, though the night ended well."""
        return self.publication.troubles if self.publication else self.intake.troubles
