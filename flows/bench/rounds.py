"""The rounds of a bench: the floor and each kind of night in turn, so that a busy machine is busy for all."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rapport.flows.bench.inputs import AGAIN, FIRST, INCREMENT, Inputs
from rapport.flows.bench.measured import Measured

NIGHTS = ("first night", "increment", "full re-export")
Figures = dict[str, Measured]  # by piece


def start(*arguments: object, module: str = "rapport.flows.bench.work") -> Measured:
    """Run a piece of work in a fresh process."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parents[2])
    measured: Measured = json.loads(done.stdout)
    return measured


def one_round(inputs: Inputs, folder: Path, tables: str) -> Iterator[tuple[str, Measured]]:
    """The floor, the first night and either night after it, on warehouses of their own that are removed afterwards,
    with all tables or those of the records.

    The full re-export is of sources that say so (`covers = "all"`), so it follows a first night of its own.
    """
    with tempfile.TemporaryDirectory(dir=folder) as made:
        here = Path(made)
        yield "floor", start("floor", here / "floor.duckdb", inputs.folder)
        (here / "floor.duckdb").unlink()
        yield NIGHTS[FIRST], _night(inputs, FIRST, here / "one", tables)
        yield NIGHTS[INCREMENT], _night(inputs, INCREMENT, here / "one", tables)
        shutil.rmtree(here / "one")
        _night(inputs.whole, FIRST, here / "other", tables)
        yield NIGHTS[AGAIN], _night(inputs.whole, AGAIN, here / "other", tables)


def _night(inputs: Inputs, night: int, here: Path, tables: str) -> Measured:
    here.mkdir(exist_ok=True)
    inputs.deliver(night, here / "exports")
    return start("night", here / "exports", inputs.clinic, here / "warehouse", inputs.as_of(night), tables)


def median(rounds: list[Figures], piece: str, figure: str) -> float:
    """A figure of a piece, the median of the rounds."""
    return float(statistics.median(each[piece][figure] for each in rounds))


def ratio(rounds: list[Figures], piece: str) -> float:
    """A piece's processor time over the floor's of the same round, the median of the rounds."""
    return float(statistics.median(each[piece]["cpu"] / each["floor"]["cpu"] for each in rounds))


def step_medians(rounds: list[Figures], piece: str) -> dict[str, tuple[float, float]]:
    """Processor time and time on the clock of each step, the median of the rounds."""
    steps = zip(*(each[piece]["steps"] for each in rounds), strict=True)
    return {
        same[0][0]: (statistics.median(cpu for _, cpu, *_ in same), statistics.median(wall for _, _, wall, *_ in same))
        for same in steps
    }
