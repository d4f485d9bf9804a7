"""python -m rapport.flows.bench: the cost of a night, compared with reading and writing its files."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from rich.console import Console

from rapport.flows.bench.history import CLIENTS_ONCE, compare_histories
from rapport.flows.bench.inputs import CLIENTS, Inputs
from rapport.flows.bench.report import show
from rapport.flows.bench.rounds import one_round, start
from rapport.flows.bench.work import WHICH

SIZES = "XS is a trial, M ten times S; history: a night after a history and after ten times as much (default: S)"
TABLES = "all, or those of the records, sessions, scores and alliance, without metrics and pages (default: all)"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rapport.flows.bench", description="What a night costs.")
    parser.add_argument("--size", choices=(*CLIENTS, *CLIENTS_ONCE), default="S", help=SIZES)
    parser.add_argument("--tables", choices=tuple(WHICH), default="all", help=TABLES)
    parser.add_argument("--folder", type=Path, default=Path("bench"), help="where it works (default: bench)")
    parser.add_argument("--rounds", type=int, default=3, help="figures are the median of so many (default: 3)")
    return parser.parse_args()


def main() -> None:
    options, console = arguments(), Console()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.folder.resolve()) as made, console.status("writing exports") as status:
        if options.size in CLIENTS_ONCE:
            compare_histories(console, Path(made), options.size, options.tables)
            return
        inputs = Inputs(Path(made))
        start("inputs", inputs.folder, options.size)
        rounds = []
        for number in range(1, options.rounds + 1):
            status.update(f"round {number} of {options.rounds}")
            rounds.append(dict(one_round(inputs, inputs.folder, options.tables)))
        show(console, options.size, inputs, rounds)


if __name__ == "__main__":
    main()
