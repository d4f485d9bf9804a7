"""A Prefect server on the loopback address of this machine, with a password, kept alive while something is served."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from rapport.flows.failures import sayable
from rapport.flows.messages.children import OURS, environment
from rapport.flows.prefect_tasks.settings import ROOT, make_home, prefect_home
from rapport.flows.scheduled.listeners import LOOPBACK, is_listening, is_taken, started
from rapport.warehouse.errors import RapportError, Unusable
from rapport.warehouse.places.folders import prepare

COMMAND = (sys.executable, "-m", "prefect", "server", "start", "--host", LOOPBACK, "--port")
STARTS_WITHIN = 120  # seconds
LOOKED_AT_EVERY = 1.0  # seconds


@dataclass
class Server:
    """A server that is started again when it ends. One that outlived a killed runner is taken over as it is.

    The password is sent to no process but that server: who it is, a file beside the password says.
    """

    port: int
    process: subprocess.Popen[bytes] | None = None
    is_over: threading.Event = field(default_factory=threading.Event)
    refused: Unusable | None = None  # why it could not be started again

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/api"

    @property
    def record(self) -> Path:
        """Which process is the server of this port, and when it started."""
        return prefect_home() / f"server-{self.port}.json"

    def start(self) -> None:
        """Start it, or take it over, and wait until it answers. Raises Unusable when somebody else has the port."""
        with self.record.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two that are served begin one server
            if not is_taken(self.port):
                self._begin()
            elif self.is_running():
                self.process = None
            else:
                raise Unusable(
                    f"port {self.port} is taken, and not by the Prefect server of this PREFECT_HOME; stop what listens "
                    "there, or choose another port with --port"
                )
            self._wait()

    def _begin(self) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, str(self.port)], cwd=ROOT, env=environment(OURS), stdout=subprocess.DEVNULL, umask=0o077
        )
        facts = {"pid": self.process.pid, "started": started(self.process.pid)}
        prepare(self.record.with_suffix(".new"), json.dumps(facts)).replace(self.record)

    def _wait(self) -> None:
        for _ in range(STARTS_WITHIN * 2):
            if self.process and self.process.poll() is not None:
                raise RapportError("the Prefect server ended at once; see what it said above")
            if self.is_running() and self._answers():
                return
            time.sleep(0.5)
        raise RapportError(f"the Prefect server did not answer within {STARTS_WITHIN} seconds")

    def is_running(self) -> bool:
        """Whether what listens is the process that the record names. Of a process of our own that a system cannot say
        anything about, that it runs is enough."""
        if self.process and is_listening(self.process.pid, self.port) is None:
            return self.process.poll() is None
        try:
            facts = json.loads(self.record.read_text(encoding="ascii"))
            pid, since = int(facts["pid"]), int(facts["started"])
        except (OSError, ValueError, TypeError, KeyError):
            return False
        return started(pid) == since and bool(is_listening(pid, self.port))

    def keep(self) -> None:
        """Start it again whenever it has ended, until it is over; where somebody else has its port, end what is served:
        that goes on asking there, with the password."""
        while not self.is_over.wait(LOOKED_AT_EVERY):
            if self.process.poll() is not None if self.process else not self.is_running():
                print("the Prefect server has ended; it is started again", flush=True)
                try:
                    self.start()
                except Unusable as error:
                    self.refused = error
                    os.kill(os.getpid(), signal.SIGINT)
                    return
                except (RapportError, OSError) as error:
                    print(sayable(error), file=sys.stderr)

    def stop(self) -> None:
        """End it, where it was started here."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        """Whether it answers and takes our password."""
        password = base64.b64encode(os.environ["PREFECT_API_AUTH_STRING"].encode()).decode()
        request = urllib.request.Request(
            f"{self.address}/admin/version", headers={"Authorization": f"Basic {password}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=5):
                return True
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.UNAUTHORIZED:
                raise Unusable(
                    f"the Prefect server on port {self.port} takes another password than {_secret()} has; stop it"
                ) from None
            return False
        except OSError:
            return False


@contextmanager
def server_at(port: int) -> Iterator[None]:
    """A Prefect server on the loopback address, kept alive, unless PREFECT_API_URL names one. Raises RapportError."""
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    make_home()
    server = Server(port)
    os.environ["PREFECT_API_URL"] = server.address
    os.environ["PREFECT_API_AUTH_STRING"] = os.environ["PREFECT_SERVER_API_AUTH_STRING"] = _password()
    keeper = threading.Thread(target=server.keep)
    try:
        server.start()
        print(f"the Prefect server is at http://{LOOPBACK}:{port}; its password is in {_secret()}", flush=True)
        keeper.start()
        yield
    except KeyboardInterrupt:
        if not server.refused:
            raise
    finally:
        server.is_over.set()
        if keeper.ident:
            keeper.join()
        server.stop()
        del os.environ["PREFECT_API_URL"]
    if server.refused:
        raise server.refused


def _password() -> str:
    """The server's password, made once. An environment that sets one of its own wins."""
    if given := os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        return given
    path = _secret()
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"rapport:{secrets.token_urlsafe(24)}\n")
    return path.read_text(encoding="ascii").strip()


def _secret() -> Path:
    return prefect_home() / "auth"
