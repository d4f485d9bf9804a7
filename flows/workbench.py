"""A load at work, and its workbench: what each of its steps works with, complete from the beginning."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

import polars as pl

from rapport.flows.order import Order
from rapport.flows.private.tombstones import Tombstones
from rapport.flows.stopping import check_stopped
from rapport.transforms.pseudonyms import Pseudonyms
from rapport.warehouse.intake.space_book import Used
from rapport.warehouse.intake.staged_rows import Staging
from rapport.warehouse.store import building_file

if TYPE_CHECKING:
    import duckdb

Given = ParamSpec("Given")
Made = TypeVar("Made")


class Runner(Protocol):
    """Runs a step of a load, or a part of a step, under its name; returns what that returns."""

    def __call__(self, name: str, work: Callable[[], Made]) -> Made: ...


def plainly(name: str, work: Callable[[], Made]) -> Made:
    """Run a step as a plain function."""
    return work()


def silently(line: str) -> None:
    """Tell nobody what a load is doing."""


@dataclass(frozen=True)
class StepTime:
    """How long one step took, and how many rows went through its hands."""

    name: str
    seconds: float
    cpu_seconds: float
    row_count: int  # of what the load brought and of the clients it touched


@dataclass(frozen=True)
class Load:
    """A load that holds the lock: its number, the folder that it works in, how its steps are run and told."""

    order: Order
    purpose: str
    load_id: int
    started_at: datetime
    scratch: Path  # its own folder, gone at its end
    base: Path | None  # the version that it begins from; None for a first load
    told: Callable[[str], None] = silently
    run: Runner = plainly
    steps: list[StepTime] = field(default_factory=list)
    # The building file's, then its cursors: closed at the load's end, whatever ends it.
    connections: list[duckdb.DuckDBPyConnection] = field(default_factory=list)

    @property
    def building(self) -> Path:
        """The file that the load changes: a copy of its base, published at its end."""
        return self.scratch / self.order.folders.published.name

    def step(self, name: str, work: Callable[Given, Made], *given: Given.args, **more: Given.kwargs) -> Made:
        """Run a step and note its time on the clock and on the processor. Raises Stop after a signal."""

        @wraps(work)
        def timed() -> Made:
            wall, cpu = time.perf_counter(), time.process_time()
            made = work(*given, **more)
            rows = getattr(made, "row_count", 0)
            self.steps.append(StepTime(name, time.perf_counter() - wall, time.process_time() - cpu, rows))
            return made

        self.told(name)
        made = self.run(name, timed)
        check_stopped()
        return made


@dataclass(frozen=True)
class FileAtWork:
    """A copy of a version, opened to be changed; the clock and the clinic file; whose number is whose."""

    load_id: int  # of the load that changes it; one above the version's where nothing is published
    order: Order
    con: duckdb.DuckDBPyConnection
    crosswalk: pl.DataFrame
    told: Callable[[str], None]
    run: Runner


@dataclass(frozen=True)
class TakenOut:
    """Rows of people who have a tombstone, taken out of the file that a load began from."""

    row_count: int = 0
    expired_clients: int = 0  # of them: clients and episodes that went because of their age
    expired_episodes: int = 0
    reason: str | None = None  # why; None where nobody was taken out

    def and_also(self, other: TakenOut) -> TakenOut:
        """Both together; the first that took somebody out says why."""
        return TakenOut(
            self.row_count + other.row_count,
            self.expired_clients + other.expired_clients,
            self.expired_episodes + other.expired_episodes,
            self.reason or other.reason,
        )


@dataclass(frozen=True)
class Workbench(FileAtWork):
    """What a load works with. A step that changes whom the load knows returns another workbench."""

    load: Load
    staging: Staging
    pseudonyms: Pseudonyms
    tombstones: Tombstones
    born_before: pl.DataFrame  # the birth dates that the tables of the base were computed with
    spaces_used: tuple[Used, ...]  # the book of id spaces, as the load found it
    key_check: str  # the mark of the pseudonym key
    failed_attempts: tuple[dict[str, object], ...]
    taken_out: TakenOut
    damaged: tuple[str, ...]  # sentences about damaged files that the load goes around

    def staged_cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor to the staged rows, closed with the load."""
        cursor = building_file.staged_cursor(self.con)
        self.load.connections.append(cursor)
        return cursor
