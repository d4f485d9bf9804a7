"""A warehouse's registrations on a Prefect server. Those of other clinics on the same server are not changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import rapport.flows.prefect_tasks.settings  # noqa: F401  before Prefect

# isort: split
from prefect.client.orchestration import SyncPrefectClient, get_client

from rapport.warehouse.errors import Unusable

if TYPE_CHECKING:
    from prefect.client.schemas.responses import DeploymentResponse

AT_ONCE = 200  # the most that a server returns
OURS = ("rapport.flows.", "flows.")  # how the entry points of Rapport's flows begin; the second before version 0.2


@dataclass(frozen=True)
class Registration:
    """A deployment: its name (flow/deployment) and its warehouse; None where the deployment is not Rapport's."""

    id: UUID
    name: str
    warehouse: Path | None


def refuse_others(names: Collection[str], warehouse: Path) -> None:
    """Refuse names (flow/deployment) that another warehouse has. Raises Unusable, which says what to do."""
    with get_client(sync_client=True) as client:
        for each in _registered(client):
            if each.name in names and each.warehouse != warehouse.resolve():
                whose = f"the warehouse {each.warehouse}" if each.warehouse else "another pipeline"
                raise Unusable(
                    f"{each.name} is registered with this Prefect server for {whose}; give this clinic a name of its "
                    "own: name in its clinic file"
                )


def remove_old(names: Collection[str], warehouse: Path) -> list[str]:
    """Remove every registration of this warehouse except these names. Return the names that were removed."""
    removed = []
    with get_client(sync_client=True) as client:
        for each in _registered(client):
            if each.warehouse == warehouse.resolve() and each.name not in names:
                client.delete_deployment(each.id)
                removed.append(each.name)
    return removed


def _registered(client: SyncPrefectClient) -> list[Registration]:
    flows = {}
    found = []
    for each in _deployments(client):
        if each.flow_id not in flows:
            flows[each.flow_id] = client.read_flow(each.flow_id).name
        found.append(Registration(each.id, f"{flows[each.flow_id]}/{each.name}", _warehouse(each)))
    return found


def _deployments(client: SyncPrefectClient) -> Iterator[DeploymentResponse]:
    offset = 0
    while page := client.read_deployments(limit=AT_ONCE, offset=offset):
        yield from page
        offset += len(page)


def _warehouse(deployment: DeploymentResponse) -> Path | None:
    path = (deployment.parameters or {}).get("warehouse")
    is_ours = (deployment.entrypoint or "").startswith(OURS)
    return Path(path).resolve() if is_ours and isinstance(path, str) else None
