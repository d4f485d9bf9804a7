"""The measured pieces of work, each in a process of its own: `python -m rapport.flows.bench.work <piece> ...`.

Imports count as start-up, and are not in the piece's own figures.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from rapport.flows.bench.history import CLIENTS_ONCE, write_history
from rapport.flows.bench.inputs import CLIENTS, Inputs, write_inputs
from rapport.flows.bench.measured import Measured, measured
from rapport.flows.bench.without_metrics import without_metrics


def inputs(folder: str, size: str) -> Measured:
    """Write the exports, in a process of its own: the peak memory of a child process starts at that of its parent."""
    write_inputs(Path(folder), CLIENTS[size])
    return {}


def history(folder: str, size: str) -> Measured:
    """Write the exports of a practice and of its archive."""
    write_history(Path(folder), CLIENTS_ONCE[size])
    return {}


def copy(file: str, to: str) -> Measured:
    """Copy a published file."""
    return measured(lambda: {"bytes": Path(shutil.copyfile(file, to)).stat().st_size})


def floor(database: str, folder: str) -> Measured:
    """Read both files as text into a DuckDB file with two threads, and write a checkpoint."""
    import duckdb  # noqa: PLC0415

    from rapport.warehouse.store.one_row import one_row  # noqa: PLC0415

    def run() -> dict[str, int]:
        con = duckdb.connect(database, config={"threads": 2})
        names = [file.name.partition("_")[0] for file in Inputs(Path(folder)).files(0)]
        for name, file in zip(names, Inputs(Path(folder)).files(0), strict=True):
            con.execute(f"CREATE TABLE {name} AS FROM read_csv('{file}', all_varchar = true)")
        con.execute("CHECKPOINT")
        return {name: one_row(con, f"SELECT count(*) FROM {name}")[0] for name in names}

    return measured(run)


def night(exports: str, clinic: str, warehouse: str, as_of: str, tables: str = "all") -> Measured:
    """Run a night as plain functions: the same work as a scheduled night, without Prefect."""
    from rapport import transforms  # noqa: PLC0415
    from rapport.flows.night import night as run_night  # noqa: PLC0415
    from rapport.flows.order import place_order  # noqa: PLC0415
    from rapport.flows.private.key import make_key  # noqa: PLC0415

    transforms.import_statistics()
    order = place_order(Path(exports), Path(clinic), Path(warehouse), as_of)
    make_key(order.folders)
    steps: list[list[Any]] = []

    def run() -> dict[str, int]:
        tonight = run_night(order)
        steps.extend([step.name, step.cpu_seconds, step.seconds, step.row_count] for step in tonight.steps)
        return tonight.publication.published.tables if tonight.publication else {}

    with WHICH[tables]():
        return {**measured(run), "steps": steps}


WHICH: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "all": nullcontext,
    "records": without_metrics,
}  # the tables of a night
PIECES: dict[str, Callable[..., Measured]] = {
    "inputs": inputs,
    "history": history,
    "floor": floor,
    "night": night,
    "copy": copy,
}

if __name__ == "__main__":
    json.dump(PIECES[sys.argv[1]](*sys.argv[2:]), sys.stdout)
