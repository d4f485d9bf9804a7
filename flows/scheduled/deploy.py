"""Register prefect.yaml's deployments with the Prefect server of PREFECT_API_URL, for workers of the pool `rapport`.

    rapport deploy --exports DIR --clinic FILE --warehouse DIR

Run it again when the clinic file's schedule or name has changed, or after an upgrade. The deployments of other
warehouses stay.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import rapport.flows.prefect_tasks.settings
from rapport.flows.messages.children import OURS, environment
from rapport.flows.order import place_order
from rapport.flows.terminal import arguments, finish
from rapport.warehouse.errors import RapportError, Unusable

POOL = "rapport"


def deploy(exports: Path, clinic: Path, warehouse: Path) -> list[str]:
    """Make the pool, its deployments, and the automation that frees the slot of a dead run. Return the names of the
    warehouse's older registrations, which were removed. Raises RapportError."""
    from rapport.flows.scheduled.deployments import COMPACT, FORGET, VERIFY, free_dead_slots, names_of, served  # noqa: PLC0415
    from rapport.flows.scheduled.registrations import refuse_others, remove_old  # noqa: PLC0415

    order = place_order(exports, clinic, warehouse)
    names = names_of(served(exports, clinic, warehouse, order.clinic))
    refuse_others(names, warehouse)
    folders = {
        "EXPORTS": exports,
        "CLINIC": clinic,
        "WAREHOUSE": warehouse,
        "ROOT": rapport.flows.prefect_tasks.settings.ROOT,
    }
    facts = {f"RAPPORT_{name}": str(path.resolve()) for name, path in folders.items()}
    facts |= {"RAPPORT_SCHEDULE": order.clinic.schedule.cron, "RAPPORT_TIME_ZONE": order.clinic.time_zone}
    facts |= {"RAPPORT_COMPACT": COMPACT, "RAPPORT_VERIFY": VERIFY, "RAPPORT_FORGET": FORGET}
    facts |= {"RAPPORT_NAME": order.clinic.monitoring.name}
    _prefect(facts, "work-pool", "create", POOL, "--type", "process", "--overwrite")
    _prefect(facts, "work-pool", "set-concurrency-limit", POOL, "1")
    _prefect(facts, "deploy", "--all")
    free_dead_slots()
    return remove_old(names, warehouse)


def _prefect(facts: dict[str, str], *words: str) -> None:
    command = [sys.executable, "-m", "prefect", "--no-prompt", *words]
    env = environment(OURS) | facts
    done = subprocess.run(
        command,
        cwd=rapport.flows.prefect_tasks.settings.ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RapportError(f"prefect {' '.join(words[:2])} failed: {' '.join(done.stderr.split()[-30:])}")


def main(argv: list[str] | None = None) -> int:
    """Register the deployments of a clinic."""
    options = arguments("deploy", "Register the deployments with a Prefect server.", exports=True).parse_args(argv)

    def run() -> None:
        if not os.environ.get("PREFECT_API_URL"):
            raise Unusable("PREFECT_API_URL is not set; it names the Prefect server, such as http://127.0.0.1:4200/api")
        for name in deploy(options.exports, options.clinic, options.warehouse):
            print(f"{name} is no longer registered: it was this warehouse's.")
        print(f"The deployments are registered. Start a worker: prefect worker start --pool {POOL}")

    return finish(run, options.warehouse)
