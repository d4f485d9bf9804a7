"""Serve the nightly deployment on the clinic's schedule, with a Prefect server beside it on this machine.

    python -m flows.serve --exports DIR --clinic FILE --warehouse DIR [--port 4200]

With PREFECT_API_URL set, that server is used and none is started.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "INFO")
import flows.settings
from flows.order import place_order
from warehouse.errors import RapportError

STARTS_WITHIN = 120  # seconds


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped. Exit status 2 when the arguments or the clinic file cannot be used."""
    given = _arguments(arguments)
    try:
        order = place_order(given.exports, given.clinic, given.warehouse)
    except RapportError as error:
        print(error.told, file=sys.stderr)
        return 2
    with _server(given.port):
        _serve(order.clinic.schedule.cron, order.clinic.time_zone, given)
    return 0


def _serve(schedule: str, time_zone: str, given: argparse.Namespace) -> None:
    """Register the deployment and run what its schedule brings, one night at a time, none lost while one runs."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy  # noqa: PLC0415
    from prefect.flows import EntrypointType  # noqa: PLC0415
    from prefect.runner import Runner  # noqa: PLC0415
    from prefect.schedules import Cron  # noqa: PLC0415

    from flows.nightly import nightly  # noqa: PLC0415

    # Prefect's own handler of SIGTERM ends in a coroutine never awaited and a traceback; its SIGINT ends cleanly.
    Runner.handle_sigterm = lambda *_: signal.raise_signal(signal.SIGINT)
    folders = {name: str(getattr(given, name).resolve()) for name in ("exports", "clinic", "warehouse")}
    print(f"serving the nightly deployment: {schedule} in {time_zone}", flush=True)
    nightly.serve(
        name="nightly",
        schedule=Cron(schedule, timezone=time_zone),
        parameters=folders,
        limit=1,
        global_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE),
        pause_on_shutdown=False,
        entrypoint_type=EntrypointType.MODULE_PATH,
        print_starting_message=False,
    )


@contextmanager
def _server(port: int) -> Iterator[None]:
    """A Prefect server on the loopback address, unless PREFECT_API_URL names one."""
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    address = f"http://127.0.0.1:{port}/api"
    os.environ["PREFECT_API_URL"] = address
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, cwd=flows.settings.ROOT, stdout=subprocess.DEVNULL)
    try:
        _wait_for(f"{address}/health", server)
        print(f"the Prefect server is at http://127.0.0.1:{port}", flush=True)
        yield
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(health: str, server: subprocess.Popen) -> None:
    for _ in range(STARTS_WITHIN * 2):
        if server.poll() is not None:
            raise SystemExit("the Prefect server ended at once; is the port taken? Choose another with --port")
        try:
            with urllib.request.urlopen(health, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"the Prefect server did not answer within {STARTS_WITHIN} seconds")


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m flows.serve", description="Serve the nightly deployment.")
    parser.add_argument("--exports", type=Path, required=True, metavar="DIR")
    parser.add_argument("--clinic", type=Path, required=True, metavar="FILE")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR")
    parser.add_argument("--port", type=int, default=4200, help="where the Prefect server listens")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
