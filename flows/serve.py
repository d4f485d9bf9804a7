"""Serve the night and the weekly chores on their schedules, with a Prefect server beside them on this machine.

    python -m flows.serve --exports DIR --clinic FILE --warehouse DIR [--port 4200]

The server listens on the loopback address alone and asks for a password, which is in PREFECT_HOME/auth: of this
machine's users only the one who serves reads it. With PREFECT_API_URL set, that server is used and none is started.
"""

from __future__ import annotations

import argparse
import os
import secrets
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
from warehouse.clinic import Clinic
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
        _serve(given, order.clinic)
    return 0


def _serve(given: argparse.Namespace, clinic: Clinic) -> None:
    """Register the deployments and run what their schedules bring, one at a time, none lost while one runs."""
    from prefect import serve  # noqa: PLC0415
    from prefect.runner import Runner  # noqa: PLC0415

    from flows.deployments import free_dead_slots, served  # noqa: PLC0415

    # Prefect's own handler of SIGTERM ends in a coroutine never awaited and a traceback; its SIGINT ends cleanly.
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
    Runner.handle_sigterm = lambda *_: signal.raise_signal(signal.SIGINT)
    deployments = served(given.exports, given.clinic, given.warehouse, clinic)
    free_dead_slots()
    print(f"serving the nightly deployment: {clinic.schedule.cron} in {clinic.time_zone}", flush=True)
    serve(*deployments, limit=1, pause_on_shutdown=False, print_starting_message=False)


@contextmanager
def _server(port: int) -> Iterator[None]:
    """A Prefect server on the loopback address, unless PREFECT_API_URL names one."""
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    address = f"http://127.0.0.1:{port}/api"
    os.environ["PREFECT_API_URL"] = address
    os.environ["PREFECT_API_AUTH_STRING"] = os.environ["PREFECT_SERVER_API_AUTH_STRING"] = _password()
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, cwd=flows.settings.ROOT, stdout=subprocess.DEVNULL)
    try:
        _wait_for(f"{address}/health", server)
        print(f"the Prefect server is at http://127.0.0.1:{port}; its password is in {_secret()}", flush=True)
        yield
    finally:
        server.terminate()
        server.wait(timeout=30)


def _password() -> str:
    """The server's password, made once. An environment that sets one of its own wins."""
    if given := os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        return given
    path = _secret()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"rapport:{secrets.token_urlsafe(24)}\n")
    return path.read_text(encoding="ascii").strip()


def _secret() -> Path:
    return Path(os.environ["PREFECT_HOME"]) / "auth"


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
