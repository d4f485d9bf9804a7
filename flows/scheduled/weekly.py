"""The Prefect flows beside the night: compact and verify every week, erasure requests every day, and backfill and
restore when a person starts them."""

from __future__ import annotations

from pathlib import Path

import rapport.flows.prefect_tasks.settings  # noqa: F401  before Prefect

# isort: split
from prefect import flow
from prefect.logging import get_run_logger

from rapport.flows.messages.tell import telling_failure
from rapport.flows.ops.backfill import backfill as months_of
from rapport.flows.ops.compact import compact as compact_published
from rapport.flows.ops.compact import place_compaction
from rapport.flows.ops.erasure_requests import fulfil
from rapport.flows.ops.restore import place_restoration
from rapport.flows.ops.restore import restore as restore_load
from rapport.flows.ops.verify import verify as verify_published
from rapport.flows.order import place_change, place_order
from rapport.flows.prefect_tasks.tasks import as_tasks
from rapport.flows.private.open_erasures import refuse_open
from rapport.flows.troubles import Troubles
from rapport.warehouse.errors import RapportError


@flow(
    name="compact",
    description="Check every table whole, leave empty space behind, take out what is kept no longer.",
    validate_parameters=False,
)
def compact(clinic: str, warehouse: str) -> None:
    """Compact the published file, weekly."""
    with telling_failure(Path(clinic), Path(warehouse), what="compaction"):
        done = compact_published(place_compaction(Path(clinic), Path(warehouse)))
        for sentence in done.sentences:
            get_run_logger().info(sentence)
        _warn(done.done.troubles)
        refuse_open(done.order.folders, done.done.cleaned.uncleaned)


@flow(name="verify", description="Derive every table again and compare.", validate_parameters=False)
def verify(clinic: str, warehouse: str) -> None:
    """Verify the published file, weekly. A difference is a failure, which is reported to the operators."""
    with telling_failure(Path(clinic), Path(warehouse), what="verification"):
        verdict = verify_published(place_change(Path(clinic), Path(warehouse)))
        if not verdict.is_equal:
            wrong = ", ".join([*verdict.wrong_tables, *verdict.wrong_books])
            raise RapportError(f"the published file does not follow from its records ({wrong}): {verdict.advice}")
    get_run_logger().info("every table follows from the records")


@flow(name="backfill", description="Load a folder of years, month by month.", validate_parameters=False)
def backfill(exports: str, clinic: str, warehouse: str) -> None:
    """Load a folder of years. A stopped backfill goes on with the next month."""
    with telling_failure(Path(clinic), Path(warehouse), what="backfill"):
        order = place_order(Path(exports), Path(clinic), Path(warehouse))
        run = as_tasks(order.clinic.monitoring.slug)
        for done in months_of(order, get_run_logger().info, run):
            get_run_logger().info("published as load %s", done.load_id)
            _warn(done.troubles)


@flow(name="forget", description="Take out the people for whom a request waits.", validate_parameters=False)
def forget(exports: str, clinic: str, warehouse: str) -> None:
    """Take out the people of all waiting requests. Who they are stays in the private tree: the parameters are only
    paths."""
    with telling_failure(Path(clinic), Path(warehouse), what="erasure"):
        done = fulfil(Path(exports), Path(clinic), Path(warehouse), get_run_logger().info)
    get_run_logger().info("%s requests waited; none waits now", done)


@flow(name="restore", description="Publish an older version again.", validate_parameters=False)
def restore(clinic: str, warehouse: str, load_id: int) -> None:
    """Publish the kept version of a load as a new load."""
    with telling_failure(Path(clinic), Path(warehouse), what="restoration"):
        made = restore_load(place_restoration(Path(clinic), Path(warehouse), load_id), load_id)
    get_run_logger().info("load %s is published again, as load %s", load_id, made.load_id)
    _warn(made.troubles)


def _warn(troubles: Troubles) -> None:
    """Log the problems beside a published load. Its pages show them too."""
    for trouble in troubles.sentences:
        get_run_logger().warning(trouble)
