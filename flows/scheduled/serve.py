"""Run the night and the weekly flows on their schedules, with a Prefect server on this machine.

    rapport serve --exports DIR --clinic FILE --warehouse DIR [--port 4200]

The server listens only on the loopback address and needs a password. The password is in PREFECT_HOME/auth, which only
the user of this command can read. With PREFECT_API_URL set, that server is used and none is started.
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


def main(argv: list[str] | None = None) -> int:
    """Serve until stopped. Exit status 2 when the arguments, the clinic file or the port cannot be used. Operators get
    a message then: systemd would start the unit again and again, and nobody would notice."""
    options = _arguments(argv)
    # After SIGTERM, Prefect's own handler ends with a traceback (a coroutine is never awaited). After SIGINT it ends
    # cleanly.
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background commands ignore it at first
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with telling_failure(options.clinic, options.warehouse, what=SERVING):
            order = place_order(options.exports, options.clinic, options.warehouse)
            with server_at(options.port):
                _serve(options, order.clinic)
    except KeyboardInterrupt:
        return 0
    except RapportError as error:
        print(error.told, file=sys.stderr)
        return error.status
    return 0


def _interrupt(*_: object) -> None:
    signal.raise_signal(signal.SIGINT)


def _serve(options: argparse.Namespace, clinic: Clinic) -> None:
    """Register the deployments, and run them on their schedules, one at a time. A run that is due meanwhile waits."""
    from prefect import serve  # noqa: PLC0415
    from prefect.runner import Runner  # noqa: PLC0415

    from rapport.flows.scheduled.deployments import free_dead_slots, names_of, served  # noqa: PLC0415
    from rapport.flows.scheduled.registrations import refuse_others, remove_old  # noqa: PLC0415

    Runner.handle_sigterm = _interrupt  # type: ignore[method-assign, assignment]  # Prefect has no setting for it
    deployments = served(options.exports, options.clinic, options.warehouse, clinic)
    refuse_others(names_of(deployments), options.warehouse)
    for name in remove_old(names_of(deployments), options.warehouse):
        print(f"{name} is no longer registered: it was this warehouse's", flush=True)
    free_dead_slots()
    operators(options.clinic, options.warehouse).report_success(SERVING)
    print(f"serving the nightly deployment: {clinic.schedule.cron} in {clinic.time_zone}", flush=True)
    serve(*deployments, limit=1, pause_on_shutdown=False, print_starting_message=False)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rapport serve", description="Serve the nightly deployment.")
    parser.add_argument("--exports", type=Path, required=True, metavar="DIR")
    parser.add_argument("--clinic", type=Path, required=True, metavar="FILE")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR")
    parser.add_argument("--port", type=int, default=4200, help="where the Prefect server listens")
    return parser.parse_args(argv)
