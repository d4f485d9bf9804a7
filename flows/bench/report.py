"""The bench's figures as a table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from rapport.flows.bench.inputs import Inputs
from rapport.flows.bench.rounds import NIGHTS, Figures, median, ratio, step_medians


def show(console: Console, size: str, inputs: Inputs, rounds: list[Figures]) -> None:
    """Print the input files, the cost of each piece as a ratio to the floor, and the cost of each step."""
    for turn, name in enumerate(NIGHTS):
        read = ", ".join(f"{file.name} {file.stat().st_size / 1e6:.1f} MB" for file in inputs.files(turn))
        console.print(f"{name}: {read}", highlight=False)
    console.print(_pieces(size, rounds))
    console.print(_steps(rounds))
    for name in ("floor", *NIGHTS):
        rows = ", ".join(f"{table} {count:,}" for table, count in rounds[0][name]["rows"].items())
        console.print(f"rows after the {name}: {rows}", highlight=False, soft_wrap=True)


def _pieces(size: str, rounds: list[Figures]) -> Table:
    made = Table(title=f"Size {size}, median of {len(rounds)}; start-up (imports) apart", title_justify="left")
    for heading in ("", "CPU / floor", "CPU s", "clock s", "peak MiB", "start-up CPU s"):
        made.add_column(heading, justify="right" if heading else "left")
    for name in ("floor", *NIGHTS):
        seconds = [f"{median(rounds, name, figure):.2f}" for figure in ("cpu", "wall")]
        peak, startup = median(rounds, name, "peak") / 2**20, median(rounds, name, "startup")
        made.add_row(name, f"{ratio(rounds, name):.2f}", *seconds, f"{peak:,.0f}", f"{startup:.2f}")
    return made


def _steps(rounds: list[Figures]) -> Table:
    made = Table(title="Steps, CPU s and clock s", title_justify="left")
    made.add_column("step")
    for name in NIGHTS:
        made.add_column(f"{name}, CPU", justify="right")
        made.add_column("clock", justify="right")
    nights = [step_medians(rounds, name) for name in NIGHTS]
    for step in nights[0]:
        made.add_row(step, *(f"{seconds:.2f}" for night in nights for seconds in night[step]))
    return made
