"""The night in Prefect: each step and each bucket is a task whose name reads as the night; tables are assets.

No task is tried again by itself: steps share the building file, so it is the whole night that is tried again
(`flows.night.persistently`), and only after what may pass by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from prefect import Task
from prefect.assets import Asset, AssetProperties, add_asset_metadata
from prefect.cache_policies import NO_CACHE
from prefect.tasks import MaterializingTask

from rapport import transforms
from rapport.flows.failures import sayable
from rapport.flows.order import Tonight
from rapport.warehouse.errors import RapportError

ENDS_WITHIN = timedelta(hours=6)  # a step that takes longer hangs: ten years are loaded in a fraction of it
PUBLISHES = "publish"


def as_task(name: str, step: Callable[[Tonight], None], tonight: Tonight) -> None:
    """Run a step as a Prefect task, and its parts as tasks within; what it raises is safe to log."""
    tonight.part = _run
    described = (step.__doc__ or "").partition("\n")[0]
    if name == PUBLISHES:
        clinic = tonight.order.clinic.monitoring.slug
        _run(name, lambda: _materialised(tonight, step, name), described, made=_assets(clinic))
    else:
        _run(name, lambda: tonight.timed(name, step), described)


def _run(name: str, what: Callable[[], None], described: str | None = None, made: Sequence[Asset] = ()) -> None:
    def work() -> None:
        try:
            what()
        except Exception as error:
            raise sayable(error) from None

    options = {
        "name": name,
        "task_run_name": name,
        "description": described,
        "cache_policy": NO_CACHE,
        "persist_result": False,
    }
    options["timeout_seconds"] = ENDS_WITHIN.total_seconds()
    try:
        (MaterializingTask(work, assets=made, **options) if made else Task(work, **options))()
    except TimeoutError:
        hours = ENDS_WITHIN / timedelta(hours=1)
        raise RapportError(
            f"'{name}' had not ended after {hours:.0f} hours and was stopped; look at the machine's disk and memory, "
            "then run the night again"
        ) from None


def _materialised(tonight: Tonight, step: Callable[[Tonight], None], name: str) -> None:
    tonight.timed(name, step)
    for table, rows in tonight.tables.items():
        add_asset_metadata(
            _key(tonight.order.clinic.monitoring.slug, table), {"rows": rows, "load_id": tonight.load_id}
        )


def _assets(clinic: str) -> list[Asset]:
    """Each table of main, by what its own description says."""
    return [
        Asset(key=_key(clinic, table.name), properties=AssetProperties(name=table.name, description=table.description))
        for table in transforms.tables()
    ]


def _key(clinic: str, table: str) -> str:
    """Of several clinics on one server each has assets of its own."""
    return f"rapport://{clinic}/main/{table}"
