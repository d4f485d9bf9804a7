"""What a night was asked to do, and what it holds while it runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from rapport.flows.terminal import read_time
from rapport.transforms.pseudonyms import Pseudonyms
from rapport.warehouse.clinic_file.clinic import Clinic, read_clinic
from rapport.warehouse.errors import Unusable
from rapport.warehouse.intake.staged_rows import Staging
from rapport.warehouse.places.folders import Folders, resolved
from rapport.warehouse.places.page_files import group_number
from rapport.warehouse.places.publication import published_version, refuse_lost_link
from rapport.warehouse.store.seal import as_of_published

if TYPE_CHECKING:
    import duckdb

    from rapport.expectations.suite_outcomes import Outcome
    from rapport.flows.private.erasure import Cleaned
    from rapport.flows.private.tombstones import Tombstones
    from rapport.flows.steps.discover import Delivery
    from rapport.flows.steps.done_again import Again
    from rapport.flows.steps.remembered_lines import ReadByLine
    from rapport.warehouse.history.erased_days import ErasedDays
    from rapport.warehouse.intake.space_book import Used
    from rapport.warehouse.published.night_in_numbers import FileSums


@dataclass(frozen=True)
class Order:
    """A night's arguments, checked."""

    exports: Path
    clinic: Clinic
    folders: Folders
    as_of: datetime
    is_check: bool = False
    bucket_count: int | None = None


def place_order(exports: Path, clinic: Path, warehouse: Path, as_of: str | None = None, **more: object) -> Order:
    """Check a night's arguments. Raises Unusable with what to do."""
    _check_names(exports, clinic, warehouse)
    facts = read_clinic(clinic)
    _need_groups(facts)
    need_exports(exports)
    folders = Folders(warehouse)
    folders.make()
    refuse_lost_link(folders)
    clock = datetime.now(UTC) if as_of is None else read_time("--as-of", as_of, facts.zone)
    return Order(exports, facts, folders, clock, **more)


def place_change(clinic: Path, warehouse: Path, version: Path | None = None) -> Order:
    """The order of a load that reads no export: its clock is that of what is published, or of another version. Raises
    Unusable."""
    _check_names(clinic, warehouse)
    facts, folders = read_clinic(clinic), Folders(warehouse)
    folders.refuse_other_user()
    version = version or published_version(folders)
    folders.make()
    return Order(warehouse, facts, folders, as_of_published(version))


def _need_groups(facts: Clinic) -> None:
    """Raise Unusable where clinic.toml names a group that this machine does not have."""
    for page, group in facts.internal.items():
        group_number(page, group)


def need_exports(exports: Path) -> None:
    """Raise Unusable unless the exports folder is there and can be listed."""
    if not exports.is_dir():
        raise Unusable(f"the exports folder {exports} does not exist; check --exports")
    if not os.access(exports, os.R_OK | os.X_OK):
        raise Unusable(
            f"the exports folder {exports} may not be read by this user; give its user or group the right to"
        )


def _check_names(*given: Path) -> None:
    """Refuse a path that cannot be used. The names of exports may be any bytes."""
    for path in given:
        resolved(path)


@dataclass
class StepTime:
    """How long one step took, and how many rows went through its hands."""

    name: str
    seconds: float
    cpu_seconds: float
    row_count: int


@dataclass
class Tonight:
    """The night at work: the building file, what was read, what was found."""

    order: Order
    started_at: datetime
    scratch: Path  # where the load works: its own, gone at its end
    load_id: int = 0
    purpose: str = "night"
    reason: str | None = None  # why, for a load that is not a night
    erased_rows: int = 0  # of people who have a tombstone, taken out of the file that the load began from
    expired_counts: tuple[int, int] = (0, 0)  # clients, and episodes, of these rows that went because of their age
    cleaned: Cleaned | None = None  # what an erasure did to the kept versions
    leaves_space_behind: bool = False  # compacted: what an erasure took must not stay in the file's empty space
    con: duckdb.DuckDBPyConnection | None = None
    base: Path | None = None  # the version that the building file is a copy of
    building: Path | None = None
    pseudonyms: Pseudonyms | None = None
    tombstones: Tombstones | None = None
    staging: Staging | None = None
    crosswalk: pl.DataFrame | None = None
    born_before: pl.DataFrame | None = None  # the birth dates that the tables of the base were computed with
    spaces_used: list[Used] = field(default_factory=list)  # the book of id spaces, as the load found it
    kept_out: dict[str, set[str]] = field(default_factory=dict)  # by source, numbers taken out under a former space
    # Pseudonyms whose number was taken out of another space up to a day.
    old_elsewhere: dict[str, ErasedDays] = field(default_factory=dict)
    failed_attempts: list[dict] = field(default_factory=list)
    key_check: str = ""
    readings: dict[str, str] = field(default_factory=dict)  # by source, the mark of how it is read tonight
    rules: str = ""  # the mark of the records' rules
    deliveries: list[Delivery] = field(default_factory=list)
    again: Again | None = None  # what is read and computed again, although nothing new came
    read_otherwise: dict[str, int] | None = None  # by source, records that cannot be read again; None: not asked
    waiting: list[str] = field(default_factory=list)
    present: set[str] = field(default_factory=set)
    vanished: list[tuple[str, int]] = field(default_factory=list)
    retracted: list[tuple[str, str, pl.DataFrame, datetime]] = field(default_factory=list)  # kind, source, ids, export
    births: list[pl.DataFrame] = field(default_factory=list)
    by_line: list[ReadByLine] = field(default_factory=list)  # whole exports that were read line by line
    remembered: list[Path] = field(default_factory=list)  # what is known of their lines, until it is kept
    is_full_build: bool = False
    client_count: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    tables: dict[str, int] = field(default_factory=dict)
    late_sources: list[str] = field(default_factory=list)
    failed_questions: list[str] = field(default_factory=list)
    pages_failed: str | None = None  # why the pages could not be drawn
    troubles: list[str] = field(default_factory=list)  # what else went wrong with a load that is published
    damaged: list[str] = field(default_factory=list)  # what is said of damaged files that the load went around
    files: list[FileSums] = field(default_factory=list)
    quarantine: list[tuple] = field(default_factory=list)
    unlisted: list[tuple] = field(default_factory=list)
    steps: list[StepTime] = field(default_factory=list)
    row_count: int = 0  # of what the load brought and of the clients it touched, in the step at work
    told: Callable[[str], None] = lambda line: None
    part: Callable[[str, Callable[[], None]], None] = lambda name, work: work()  # how a step's parts are run
    published: Path | None = None
    source: object = None
    cursors: list[duckdb.DuckDBPyConnection] = field(default_factory=list)

    def timed(self, name: str, step: Callable[[Tonight], None]) -> None:
        """Run a step and note its time on the clock and on the processor."""
        wall, cpu, self.row_count = time.perf_counter(), time.process_time(), 0
        try:
            step(self)
        finally:
            self.steps.append(StepTime(name, time.perf_counter() - wall, time.process_time() - cpu, self.row_count))
