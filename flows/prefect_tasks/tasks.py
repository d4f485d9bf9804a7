"""The night in Prefect: each step and each bucket is a task with its name, and each table is an asset.

No task is tried again alone, because the steps share the building file. The whole night is tried again
(`flows.load.run_with_retries`), and only after an error that may pass by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from prefect import Task
from prefect.assets import Asset, AssetProperties, add_asset_metadata
from prefect.cache_policies import NO_CACHE
from prefect.tasks import MaterializingTask

from rapport import transforms
from rapport.flows.failures import sayable
from rapport.flows.steps.publish import Published
from rapport.flows.workbench import Runner
from rapport.warehouse.errors import RapportError
from rapport.warehouse.places.versions import load_of

ENDS_WITHIN = timedelta(hours=6)  # a longer step hangs: ten years of exports load in a small part of this time
PUBLISHES = "publish"
Result = TypeVar("Result")


def as_tasks(clinic: str) -> Runner:
    """A runner that runs steps as Prefect tasks, and parts of steps as tasks inside them. `clinic` is the clinic's
    name. The errors of its tasks are safe to log."""

    def run(name: str, work: Callable[[], Result]) -> Result:
        # Prefect may keep a task and its result until the flow ends. Both would keep frames in memory, so it gets none.
        held: list[Callable[[], Result]] = [work]
        made: list[Result] = []

        def task() -> None:
            try:
                made.append(held.pop()())
                if isinstance(made[0], Published):
                    _note_rows(clinic, made[0])
            except Exception as error:
                raise sayable(error) from None

        is_step = hasattr(work, "__wrapped__")  # a part of a step has no description of its own
        _run(name, task, work.__doc__ if is_step else None, _assets(clinic) if name == PUBLISHES else [])
        return made.pop()

    return run


def _run(name: str, work: Callable[[], None], text: str | None, made: Sequence[Asset]) -> None:
    options: dict[str, Any] = {
        "name": name,
        "task_run_name": name,
        "description": (text or "").partition("\n")[0] or None,
        "cache_policy": NO_CACHE,
        "persist_result": False,
        "timeout_seconds": ENDS_WITHIN.total_seconds(),
    }
    try:
        (MaterializingTask(work, assets=made, **options) if made else Task(work, **options))()
    except TimeoutError:
        hours = ENDS_WITHIN / timedelta(hours=1)
        raise RapportError(
            f"'{name}' had not ended after {hours:.0f} hours and was stopped; look at the machine's disk and memory, "
            "then run the night again"
        ) from None


def _note_rows(clinic: str, published: Published) -> None:
    for table, rows in published.tables.items():
        add_asset_metadata(_key(clinic, table), {"rows": rows, "load_id": load_of(published.version)})


def _assets(clinic: str) -> list[Asset]:
    """Each table of main as an asset, with the table's description."""
    return [
        Asset(key=_key(clinic, table.name), properties=AssetProperties(name=table.name, description=table.description))
        for table in transforms.tables()
    ]


def _key(clinic: str, table: str) -> str:
    """The key of a table's asset. Each clinic on a server has assets of its own."""
    return f"rapport://{clinic}/main/{table}"
