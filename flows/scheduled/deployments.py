"""The deployments: flows with their schedules, one run at a time, and the automation that frees a dead run's slot.

A run that dies with its runner stays RUNNING in Prefect for ever and keeps the only slot. Runs send a heartbeat every
30 seconds. When none came for 90 seconds, the automation sets the run to CRASHED, and the next run begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import rapport.flows.prefect_tasks.settings  # noqa: F401  before Prefect

# isort: split
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, StateType
from prefect.deployments.runner import RunnerDeployment
from prefect.events import AutomationCore, EventTrigger, Posture
from prefect.events.actions import ChangeFlowRunState
from prefect.flows import Flow
from prefect.schedules import Cron
from prefect.types.entrypoint import EntrypointType

from rapport.flows.nightly import nightly
from rapport.flows.scheduled import weekly
from rapport.warehouse.clinic_file.clinic import Clinic

COMPACT, VERIFY = "0 13 * * 0", "0 14 * * 0"  # Sundays, far from the night
FORGET = "0 19 * * *"  # in the evening, so that the next night's backup no longer has the erased people
ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE)
DEAD_AFTER = timedelta(seconds=90)  # without a heartbeat
FREES_SLOT = "a run without a heartbeat has crashed"


def served(exports: Path, clinic_file: Path, warehouse: Path, clinic: Clinic) -> list[RunnerDeployment]:
    """The deployments of a clinic, which have its name: the night, the weekly flows, and flows that a person starts."""
    where = {"clinic": str(clinic_file.resolve()), "warehouse": str(warehouse.resolve())}
    reading = {"exports": str(exports.resolve()), **where}
    return [
        _deployed(nightly, clinic, reading, clinic.schedule.cron),
        _deployed(weekly.compact, clinic, where, COMPACT),
        _deployed(weekly.verify, clinic, where, VERIFY),
        _deployed(weekly.forget, clinic, reading, FORGET),
        _deployed(weekly.backfill, clinic, reading),
        _deployed(weekly.restore, clinic, where),
    ]


def names_of(deployments: Iterable[RunnerDeployment]) -> set[str]:
    """The deployments' names on a Prefect server, as flow/deployment."""
    return {f"{each.flow_name}/{each.name}" for each in deployments}


def _deployed(
    flow: Flow[..., Any], clinic: Clinic, parameters: dict[str, str], cron: str | None = None
) -> RunnerDeployment:
    # In Prefect's types the result may be a coroutine. It is one only inside a running event loop.
    return flow.to_deployment(  # type: ignore[return-value]
        name=clinic.monitoring.name,
        schedule=Cron(cron, timezone=clinic.time_zone) if cron else None,
        parameters=parameters,
        concurrency_limit=ONE_AT_A_TIME,
        entrypoint_type=EntrypointType.MODULE_PATH,
        enforce_parameter_schema=False,
    )


def free_dead_slots() -> None:
    """Make the automation, unless the same one exists: a new one would forget the runs for which it waits."""
    automation = AutomationCore(
        name=FREES_SLOT,
        description=f"A run that sent no heartbeat for {DEAD_AFTER.total_seconds():.0f} seconds gives its slot back.",
        trigger=EventTrigger(
            posture=Posture.Proactive,
            after={"prefect.flow-run.heartbeat"},
            expect={
                "prefect.flow-run.heartbeat",
                *(f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")),
            },
            match={"prefect.resource.id": ["prefect.flow-run.*"]},
            for_each={"prefect.resource.id"},
            threshold=1,
            within=DEAD_AFTER,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED, name=None, message="No heartbeat: its process is gone.", force=False
            )
        ],
    )
    with get_client(sync_client=True) as client:
        old = client.read_automations_by_name(FREES_SLOT)
        if any(each.enabled and each.description == automation.description for each in old):
            return
        for each in old:
            client.delete_automation(each.id)
        client.create_automation(automation)
