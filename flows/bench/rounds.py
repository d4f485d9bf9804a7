"""The rounds of a bench: the floor and each kind of night in turn, so that other load on the machine slows all."""

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
Figures = dict[str, Measured]  # by the name of the piece


def start(*arguments: object, module: str = "rapport.flows.bench.work") -> Measured:
    """Run a piece of work in a fresh process."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parents[2])
    measured: Measured = json.loads(done.stdout)
    return measured


def one_round(inputs: Inputs, folder: Path, tables: str) -> Iterator[tuple[str, Measured]]:
    """Measure the floor, the first night and both kinds of next night, each with its name. The warehouses are removed.

    The full re-export needs sources with `covers = "all"`, so it follows a first night of its own.
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
    """The median of a figure of a piece over the rounds."""
    return float(statistics.median(each[piece][figure] for each in rounds))


def ratio(rounds: list[Figures], piece: str) -> float:
    """The median over the rounds of a piece's processor time, divided by the floor's in the same round."""
    return float(statistics.median(each[piece]["cpu"] / each["floor"]["cpu"] for each in rounds))


def step_medians(rounds: list[Figures], piece: str) -> dict[str, tuple[float, float]]:
    """Processor seconds and clock seconds of each step, the median over the rounds."""
    steps = zip(*(each[piece]["steps"] for each in rounds), strict=True)
    return {
        same[0][0]: (statistics.median(cpu for _, cpu, *_ in same), statistics.median(wall for _, _, wall, *_ in same))
        for same in steps
    }
