"""python -m rapport.flows.bench --scores: ten million answers scored by Rapport, pandas and SQL, to the same digits."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal
from rich.console import Console
from rich.table import Table

from rapport.flows.bench.measured import Measured
from rapport.flows.bench.rounds import start

PANDAS_AT_LEAST, SQL_AT_MOST = 5, 3  # pandas' CPU over ours; ours over SQL's


def compare(console: Console, folder: Path, share: float = 1.0) -> dict[str, Measured]:
    """Run each way once, in a process of its own. Raises AssertionError where two ways give different digits."""
    module = "rapport.flows.bench.contenders"
    start("answers", folder, share, module=module)
    figures = {name: start(*way, module=module) for name, way in _ways(folder).items()}
    ours = pl.read_parquet(folder / "rapport.parquet")
    for way in ("pandas_by_key", "pandas_by_hand", "sql"):
        assert_frame_equal(ours, pl.read_parquet(folder / f"{way}.parquet"), check_exact=True)
    _show(console, figures, pl.scan_parquet(folder / "items.parquet").select(pl.len()).collect().item())
    return figures


def _ways(folder: Path) -> dict[str, tuple[object, ...]]:
    return {
        "rapport": ("rapport", folder),
        "pandas": ("pandas", folder),
        "pandas by hand": ("pandas", folder, "by_hand"),
        "sql": ("sql", folder),
    }


def _show(console: Console, figures: dict[str, Measured], answer_count: int) -> None:
    made = Table(title=f"{answer_count:,} answers scored, the same digits; one run", title_justify="left")
    for heading in ("", "CPU / Rapport's", "CPU s", "clock s", "peak MiB"):
        made.add_column(heading, justify="right" if heading else "left")
    ours = figures["rapport"]["cpu"]
    for way, found in figures.items():
        made.add_row(
            way,
            f"{found['cpu'] / ours:.2f}",
            f"{found['cpu']:.2f}",
            f"{found['wall']:.2f}",
            f"{found['peak'] / 2**20:,.0f}",
        )
    console.print(made)
    pandas, sql = figures["pandas"]["cpu"] / ours, ours / figures["sql"]["cpu"]
    console.print(
        f"pandas takes {pandas:.1f} times as long (target: at least {PANDAS_AT_LEAST}); "
        f"Rapport takes {sql:.2f} times what SQL does (target: at most {SQL_AT_MOST})",
        highlight=False,
    )
