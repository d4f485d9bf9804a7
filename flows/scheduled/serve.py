"""Serve the night and the weekly chores on their schedules, with a Prefect server beside them on this machine.

    rapport serve --exports DIR --clinic FILE --warehouse DIR [--port 4200]

The server listens on the loopback address alone and asks for a password, which is in PREFECT_HOME/auth: of this
machine's users only the one who serves reads it. With PREFECT_API_URL set, that server is used and none is started.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "INFO")
import rapport.flows.prefect_tasks.settings  # noqa: F401  before Prefect
from rapport.flows.messages.tell import operators, telling_failure
from rapport.flows.order import place_order
from rapport.flows.scheduled.server import server_at
from rapport.warehouse.clinic_file.clinic import Clinic
from rapport.warehouse.errors import RapportError

SERVING = "serving of nights"


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped. Exit status 2 when the arguments, the clinic file or the port cannot be used; operators are
    told, since a unit that cannot start is started again and again and nobody looks."""
    given = _arguments(arguments)
    # Prefect's own handler of SIGTERM ends in a coroutine never awaited and a traceback; its SIGINT ends cleanly.
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with telling_failure(given.clinic, given.warehouse, what=SERVING):
            order = place_order(given.exports, given.clinic, given.warehouse)
            with server_at(given.port):
                _serve(given, order.clinic)
    except KeyboardInterrupt:
        return 0
    except RapportError as error:
        print(error.told, file=sys.stderr)
        return error.status
    return 0


def _interrupt(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)


def _serve(given: argparse.Namespace, clinic: Clinic) -> None:
    """Register the deployments and run what their schedules bring, one at a time, none lost while one runs."""
    from prefect import serve  # noqa: PLC0415
    from prefect.runner import Runner  # noqa: PLC0415

    from rapport.flows.scheduled.deployments import free_dead_slots, names_of, served  # noqa: PLC0415
    from rapport.flows.scheduled.registrations import refuse_others, remove_old  # noqa: PLC0415

    Runner.handle_sigterm = _interrupt  # type: ignore[method-assign, assignment]  # Prefect has no setting for it
    deployments = served(given.exports, given.clinic, given.warehouse, clinic)
    refuse_others(names_of(deployments), given.warehouse)
    for name in remove_old(names_of(deployments), given.warehouse):
        print(f"{name} is no longer registered: it was this warehouse's", flush=True)
    free_dead_slots()
    operators(given.clinic, given.warehouse).told_done(SERVING)
    print(f"serving the nightly deployment: {clinic.schedule.cron} in {clinic.time_zone}", flush=True)
    serve(*deployments, limit=1, pause_on_shutdown=False, print_starting_message=False)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rapport serve", description="Serve the nightly deployment.")
    parser.add_argument("--exports", type=Path, required=True, metavar="DIR")
    parser.add_argument("--clinic", type=Path, required=True, metavar="FILE")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR")
    parser.add_argument("--port", type=int, default=4200, help="where the Prefect server listens")
    return parser.parse_args(arguments)
