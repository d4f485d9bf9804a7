"""The cost of history: one night with the same files after a history, and after a history ten times as large.

The other nine tenths are clients of an archive with ids of its own. So the files of the measured night are the same,
byte for byte, and the night must touch the same rows.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rapport.flows.bench.inputs import (
    AGAIN,
    FIRST,
    INCREMENT,
    LONG_AGO,
    Inputs,
    is_left_out,
    without_left_out,
    write_inputs,
)
from rapport.flows.bench.measured import Measured
from rapport.flows.bench.rounds import start
from rapport.flows.demo import LAST_NIGHT, write

CLIENTS_ONCE = {"history": 2_750, "history-M": 27_500, "history-XS": 60}  # M: some 600,000 appointments
TIMES = (1, 10)
NIGHTS = {"increment": INCREMENT, "full re-export": AGAIN}
OF_THE_FILE = ("begin", "compute clinic tables", "publish")  # steps whose work grows with the size of the file
SEED_OF_ARCHIVE = 8


def write_history(folder: Path, clients: int) -> Inputs:
    """Write the practice's exports, and in `archive` the first night's exports of nine times as many other clients."""
    inputs = write_inputs(folder, clients)
    archive = folder / "archive"
    others = clients * (TIMES[-1] - TIMES[0])
    until = LAST_NIGHT - timedelta(days=365)
    write(
        archive, clients=others, nights=2, seed=SEED_OF_ARCHIVE, until=until, clean=True, surveys="increment", years=9
    )
    for file in sorted((archive / "exports").iterdir()):
        if is_left_out(file):
            file.unlink()
            continue
        os.utime(file, (LONG_AGO, LONG_AGO))
        file.rename(file.with_name(f"archive_{file.name}"))
    return inputs


def _with_archive(inputs: Inputs, made: Path) -> Inputs:
    """The inputs with a clinic file that also has the archive's sources: the same forms with other ids."""
    clinic = without_left_out(inputs.clinic.read_text(encoding="utf-8"))
    sources = clinic[clinic.index("[sources.") :]
    archived = re.sub(r"\[sources\.(\w+)", r"[sources.archive_\1", sources).replace('"practice"', '"archive"')
    named = re.sub(r'^files = "', 'files = "archive_', archived, flags=re.MULTILINE)
    made.write_text(f"{clinic}\n{named}", encoding="utf-8")
    return Inputs(inputs.folder, made)


def compare_histories(console: Console, folder: Path, size: str, tables: str) -> None:
    """Run the nights after each history, and print them side by side."""
    start("history", folder, size)
    figures = {}
    for times in TIMES:
        with tempfile.TemporaryDirectory(dir=folder) as made:
            figures[times] = nights_after(folder, times, Path(made), tables)
            shown = ", ".join(f"{table} {count:,}" for table, count in figures[times]["first night"]["rows"].items())
            console.print(f"rows, history x {times}: {shown}", highlight=False, soft_wrap=True)
    for name in NIGHTS:
        console.print(_table(name, figures))
    for times in TIMES:
        console.print(_of_the_file(times, figures[times]), highlight=False, soft_wrap=True)


def nights_after(
    folder: Path, times: int, here: Path, tables: str, names: Sequence[str] = tuple(NIGHTS)
) -> dict[str, Measured]:
    """The cost of the first night, of each night after it, and of a plain copy of the file, for one history."""
    inputs = _with_archive(Inputs(folder), here / "clinic.toml")
    exports = here / "exports"
    inputs.deliver(FIRST, exports)
    if times > 1:
        for file in (folder / "archive" / "exports").iterdir():
            (exports / file.name).hardlink_to(file)
    warehouse = here / "warehouse"
    made = {"first night": start("night", exports, inputs.clinic, warehouse, inputs.as_of(FIRST), tables)}
    for name in names:
        copied = here / name
        shutil.copytree(warehouse, copied, symlinks=True)
        delivered = here / f"exports of {name}"
        shutil.copytree(exports, delivered, copy_function=os.link)
        inputs.deliver(NIGHTS[name], delivered)
        made[name] = start("night", delivered, inputs.clinic, copied, inputs.as_of(NIGHTS[name]), tables)
        shutil.rmtree(copied)
    made["copy"] = start("copy", warehouse / "analysts" / "rapport.duckdb", here / "copied.duckdb")
    return made


def _table(name: str, figures: dict[int, dict[str, Measured]]) -> Table:
    made = Table(
        title=f"{name}: the same files after a history and after {TIMES[1]} times as much", title_justify="left"
    )
    made.add_column("step")
    for times in TIMES:
        made.add_column(f"rows touched, x {times}", justify="right")
        made.add_column(f"CPU s, x {times}", justify="right")
    steps = {times: {step: (cpu, rows) for step, cpu, _, rows in figures[times][name]["steps"]} for times in TIMES}
    for step in steps[TIMES[0]]:
        cells = [(f"{rows:,}", f"{cpu:.2f}") for cpu, rows in (steps[times][step] for times in TIMES)]
        made.add_row(step, *(text for cell in cells for text in cell))
    return made


def _of_the_file(times: int, figures: dict[str, Measured]) -> str:
    copy = figures["copy"]["cpu"]
    spent = {step: cpu for step, cpu, *_ in figures["increment"]["steps"] if step in OF_THE_FILE}
    each = ", ".join(f"{step} {cpu:.2f}" for step, cpu in spent.items())
    return (
        f"history x {times}: of the increment's night, CPU s: {each}; together {sum(spent.values()) / copy:.1f} times "
        f"the bare copy of the file ({copy:.2f})"
    )
