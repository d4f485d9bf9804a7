"""A running load, and its workbench: the connection, keys and facts that its steps use."""

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

Params = ParamSpec("Params")
Result = TypeVar("Result")


class Runner(Protocol):
    """Runs a step of a load, or a part of a step, under its name; returns what that returns."""

    def __call__(self, name: str, work: Callable[[], Result]) -> Result: ...


def run_directly(name: str, work: Callable[[], Result]) -> Result:
    """Run a step as a plain function."""
    return work()


def show_no_progress(line: str) -> None:
    """Show no progress."""


@dataclass(frozen=True)
class StepTime:
    """How long one step took, and how many rows it processed."""

    name: str
    seconds: float
    cpu_seconds: float
    row_count: int  # rows that the load brought, and rows of the clients that it touched


@dataclass(frozen=True)
class Load:
    """A load that holds the lock: its number, its scratch folder, the runner of its steps, its progress messages."""

    order: Order
    purpose: str
    load_id: int
    started_at: datetime
    scratch: Path  # its own folder, removed at its end
    base: Path | None  # the version that it begins from; None for a first load
    progress: Callable[[str], None] = show_no_progress
    run: Runner = run_directly
    steps: list[StepTime] = field(default_factory=list)
    # The connection to the building file, then its cursors. They are closed when the load ends or fails.
    connections: list[duckdb.DuckDBPyConnection] = field(default_factory=list)

    @property
    def building(self) -> Path:
        """The file that the load changes: a copy of its base, published at its end."""
        return self.scratch / self.order.folders.published.name

    def step(self, name: str, work: Callable[Params, Result], *given: Params.args, **more: Params.kwargs) -> Result:
        """Run a step, and record its time in seconds of the clock and of the processor. Raises Stop after a signal."""

        @wraps(work)
        def timed() -> Result:
            wall, cpu = time.perf_counter(), time.process_time()
            made = work(*given, **more)
            rows = getattr(made, "row_count", 0)
            self.steps.append(StepTime(name, time.perf_counter() - wall, time.process_time() - cpu, rows))
            return made

        self.progress(name)
        made = self.run(name, timed)
        check_stopped()
        return made


@dataclass(frozen=True)
class FileAtWork:
    """A copy of a version that is open for changes, with its order (clock and clinic file) and its crosswalk."""

    load_id: int  # of the load that changes it; where nothing is published, one more than the version's load
    order: Order
    con: duckdb.DuckDBPyConnection
    crosswalk: pl.DataFrame
    progress: Callable[[str], None]
    run: Runner


@dataclass(frozen=True)
class TakenOut:
    """Counts of the rows of people with a tombstone, which a load took out of the file that it began from."""

    row_count: int = 0
    expired_clients: int = 0  # clients and episodes that were taken out because of their age
    expired_episodes: int = 0
    reason: str | None = None  # None where nobody was taken out

    def and_also(self, other: TakenOut) -> TakenOut:
        """The sums of both; the reason is the first one that is given."""
        return TakenOut(
            self.row_count + other.row_count,
            self.expired_clients + other.expired_clients,
            self.expired_episodes + other.expired_episodes,
            self.reason or other.reason,
        )


@dataclass(frozen=True)
class Workbench(FileAtWork):
    """Everything that the steps of a load use. A step that changes the known people returns a new workbench."""

    load: Load
    staging: Staging
    pseudonyms: Pseudonyms
    tombstones: Tombstones
    born_before: pl.DataFrame  # the birth dates with which the tables of the base were computed
    spaces_used: tuple[Used, ...]  # the book of id spaces, as the load found it
    key_check: str  # the mark of the pseudonym key
    failed_attempts: tuple[dict[str, object], ...]
    taken_out: TakenOut
    damaged: tuple[str, ...]  # sentences about files that the load goes around

    def staged_cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor to the staged rows, closed with the load."""
        cursor = building_file.staged_cursor(self.con)
        self.load.connections.append(cursor)
        return cursor
