"""A Prefect server on the loopback address of this machine, with a password, kept alive while something is served."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import flows.settings

STARTS_WITHIN = 120  # seconds
LOOKED_AT_EVERY = 1.0  # seconds


@dataclass
class Server:
    """A server that is started again when it ends. One that outlived a killed runner is taken over as it is."""

    port: int
    process: subprocess.Popen | None = None
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    def start(self) -> None:
        """Start it and wait until it answers."""
        if self._answers():
            return
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(command, cwd=flows.settings.ROOT, stdout=subprocess.DEVNULL)
        for _ in range(STARTS_WITHIN * 2):
            if self.process.poll() is not None:
                raise SystemExit("the Prefect server ended at once; is the port taken? Choose another with --port")
            if self._answers():
                return
            time.sleep(0.5)
        raise SystemExit(f"the Prefect server did not answer within {STARTS_WITHIN} seconds")

    def keep(self) -> None:
        """Start it again whenever it has ended, until it is over."""
        while not self.is_over.wait(LOOKED_AT_EVERY):
            if self.process.poll() is not None if self.process else not self._answers():
                print("the Prefect server has ended; it is started again", flush=True)
                try:
                    self.start()
                except SystemExit as error:
                    print(error, file=sys.stderr)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=30)

    def _answers(self) -> bool:
        """Whether a server answers there and takes our password."""
        password = base64.b64encode(os.environ["PREFECT_API_AUTH_STRING"].encode()).decode()
        request = urllib.request.Request(
            f"{self.address}/admin/version", headers={"Authorization": f"Basic {password}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=5):
                return True
        except OSError:
            return False


@contextmanager
def server_at(port: int) -> Iterator[None]:
    """A Prefect server on the loopback address, kept alive, unless PREFECT_API_URL names one."""
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    server = Server(port)
    os.environ["PREFECT_API_URL"] = server.address
    os.environ["PREFECT_API_AUTH_STRING"] = os.environ["PREFECT_SERVER_API_AUTH_STRING"] = _password()
    keeper = threading.Thread(target=server.keep)
    try:
        server.start()
        print(f"the Prefect server is at http://127.0.0.1:{port}; its password is in {_secret()}", flush=True)
        keeper.start()
        yield
    finally:
        server.is_over.set()
        if keeper.ident:
            keeper.join()
        server.stop()


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
