"""The door alone: a file's bytes to a table of text with its count of records, against polars' own text read of it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rapport.flows.bench.rounds import start

PIECES = ("door", "text")
Round = dict[tuple[str, str], dict]  # file and piece -> what flows.bench.work measured


def one_round(files: list[Path]) -> Iterator[tuple[tuple[str, str], dict]]:
    """Each file through the door and through polars alone, each in a process of its own."""
    for file in files:
        for piece in PIECES:
            yield (file.name, piece), start(piece, file)


def show(console: Console, files: list[Path], rounds: list[Round]) -> None:
    """Print both times of each file, and the door's speed as a share of polars'."""
    made = Table(title="The door alone, and polars' own text read; medians", title_justify="left")
    for heading in (
        "file",
        "MB",
        "records",
        "door, CPU s",
        "clock s",
        "polars, CPU s",
        "clock s",
        "speed, CPU",
        "clock",
    ):
        made.add_column(heading, justify="left" if heading == "file" else "right")
    for file in files:
        door, text = ([each[file.name, piece] for each in rounds] for piece in PIECES)
        if door[0]["rows"] != text[0]["rows"]:
            raise ValueError(f"the door and polars do not count the same records of {file.name}")
        times = [statistics.median(one[clock] for one in each) for each in (door, text) for clock in ("cpu", "wall")]
        speeds = [
            statistics.median(a[clock] / b[clock] for a, b in zip(text, door, strict=True)) for clock in ("cpu", "wall")
        ]
        size, records = file.stat().st_size / 1e6, door[0]["rows"]["records"]
        made.add_row(file.name, f"{size:.1f}", f"{records:,}", *(f"{value:.2f}" for value in (*times, *speeds)))
    console.print(made)
