"""A temporary Prefect server for one night by hand, where Prefect's settings name no other server."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from rapport.flows.prefect_tasks.settings import make_home

# isort: split
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE

from rapport.flows.messages.children import keys_hidden
from rapport.warehouse.errors import RapportError


class _Server(SubprocessASGIServer):
    """A server without Rapport's keys, whose files no other user can read. Ctrl-C does not stop it: the night must
    still report its end to it."""

    def _run_uvicorn_command(self) -> subprocess.Popen[bytes]:
        with keys_hidden(), _blocked(signal.SIGINT, signal.SIGHUP):
            return super()._run_uvicorn_command()


def start_night_server() -> None:
    """Start the server. Prefect finds it, and stops it with this process. Raises RapportError."""
    if PREFECT_API_URL.value() or not PREFECT_SERVER_ALLOW_EPHEMERAL_MODE.value():
        return
    home = make_home()
    try:
        _Server().start()
    except Exception:
        raise RapportError(
            f"Prefect's server for this night did not start; make room in {home}, then run the night again"
        ) from None


@contextmanager
def _blocked(*signals: signal.Signals) -> Iterator[None]:
    """Block these signals for processes that are started inside."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
