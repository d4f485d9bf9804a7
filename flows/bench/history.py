"""What history costs: the same day's files after one year, and after ten.

Nine years more are another practice's worth of clients, in an archive of their own ids: so the files of the night that
is measured are the same, byte for byte, and what it touches must be too.
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

from flows.bench.inputs import AGAIN, FIRST, INCREMENT, LONG_AGO, Inputs, without_episodes, write_inputs
from flows.bench.rounds import start
from flows.demo import LAST_NIGHT, write

CLIENTS_A_YEAR = {"history": 3_000, "history-M": 30_000, "history-XS": 60}
YEARS = (1, 10)
NIGHTS = {"increment": INCREMENT, "full re-export": AGAIN}
OF_THE_FILE = ("begin", "compute clinic tables", "publish")  # steps whose work is proportional to the file
SEED_OF_ARCHIVE = 8


def write_history(folder: Path, clients: int) -> Inputs:
    """The practice's exports, and beside them in `archive` the first night's of nine times as many other clients."""
    inputs = write_inputs(folder, clients)
    archive = folder / "archive"
    asked = {"clients": clients * (YEARS[-1] - YEARS[0]), "nights": 2, "seed": SEED_OF_ARCHIVE, "clean": True}
    write(archive, **asked, until=LAST_NIGHT - timedelta(days=365), surveys="increment")
    for file in sorted((archive / "exports").iterdir()):
        if file.name.startswith("episodes"):
            file.unlink()
            continue
        os.utime(file, (LONG_AGO, LONG_AGO))
        file.rename(file.with_name(f"archive_{file.name}"))
    return inputs


def _with_archive(inputs: Inputs, made: Path) -> Inputs:
    """The clinic file with the archive's sources beside the practice's: the same forms under other ids."""
    clinic = without_episodes(inputs.clinic.read_text(encoding="utf-8"))
    sources = clinic[clinic.index("[sources.") :]
    archived = re.sub(r"\[sources\.(\w+)", r"[sources.archive_\1", sources).replace('"practice"', '"archive"')
    named = re.sub(r'^files = "', 'files = "archive_', archived, flags=re.MULTILINE)
    made.write_text(f"{clinic}\n{named}", encoding="utf-8")
    return Inputs(inputs.folder, made)


def compare_years(console: Console, folder: Path, size: str) -> None:
    """Run the nights after one year and after ten, and print them side by side."""
    start("history", folder, size)
    figures = {}
    for years in YEARS:
        with tempfile.TemporaryDirectory(dir=folder) as made:
            figures[years] = nights_after(folder, years, Path(made))
            shown = ", ".join(f"{table} {count:,}" for table, count in figures[years]["first night"]["rows"].items())
            console.print(f"rows, years {years}: {shown}", highlight=False, soft_wrap=True)
    for name in NIGHTS:
        console.print(_table(name, figures))
    for years in YEARS:
        console.print(_of_the_file(years, figures[years]), highlight=False, soft_wrap=True)


def nights_after(folder: Path, years: int, here: Path, names: Sequence[str] = tuple(NIGHTS)) -> dict[str, dict]:
    """What the first night, each night after it and a bare copy of the file cost, with so many years behind them."""
    inputs = _with_archive(Inputs(folder), here / "clinic.toml")
    exports = here / "exports"
    inputs.deliver(FIRST, exports)
    if years > 1:
        for file in (folder / "archive" / "exports").iterdir():
            (exports / file.name).hardlink_to(file)
    warehouse = here / "warehouse"
    made = {"first night": start("night", exports, inputs.clinic, warehouse, inputs.as_of(FIRST))}
    for name in names:
        copied = here / name
        shutil.copytree(warehouse, copied, symlinks=True)
        delivered = here / f"exports of {name}"
        shutil.copytree(exports, delivered, copy_function=os.link)
        inputs.deliver(NIGHTS[name], delivered)
        made[name] = start("night", delivered, inputs.clinic, copied, inputs.as_of(NIGHTS[name]))
        shutil.rmtree(copied)
    made["copy"] = start("copy", warehouse / "analysts" / "rapport.duckdb", here / "copied.duckdb")
    return made


def _table(name: str, figures: dict[int, dict]) -> Table:
    made = Table(title=f"{name}: the same files after {YEARS[0]} year and after {YEARS[1]}", title_justify="left")
    made.add_column("step")
    for years in YEARS:
        made.add_column(f"rows touched, {years}", justify="right")
        made.add_column(f"CPU s, {years}", justify="right")
    steps = {years: {step: (cpu, rows) for step, cpu, _, rows in figures[years][name]["steps"]} for years in YEARS}
    for step in steps[YEARS[0]]:
        cells = [(f"{rows:,}", f"{cpu:.2f}") for cpu, rows in (steps[years][step] for years in YEARS)]
        made.add_row(step, *(text for cell in cells for text in cell))
    return made


def _of_the_file(years: int, figures: dict[str, dict]) -> str:
    copy = figures["copy"]["cpu"]
    spent = sum(cpu for step, cpu, *_ in figures["increment"]["steps"] if step in OF_THE_FILE)
    return (
        f"years {years}: {', '.join(OF_THE_FILE)} cost {spent:.2f} CPU s of the increment's night, "
        f"{spent / copy:.1f} times the bare copy of the file ({copy:.2f})"
    )
