"""A Prefect server on the loopback address of this machine, with a password. It is started again when it ends."""

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
    """A server that is started again when it ends. A server that outlived its killed runner is used as it is.

    The password is sent only to this server's process. A file beside the password identifies the process.
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
        """The file with the process number of this port's server, and with the start time of the process."""
        return prefect_home() / f"server-{self.port}.json"

    def start(self) -> None:
        """Start the server, or use the running one, and wait until it answers. Raises Unusable when another program has
        the port."""
        with self.record.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two `rapport serve` commands start only one server
            if not is_taken(self.port):
                self._begin()
            elif self.is_running():
                self.process = None
            else:
                raise Unusable(
                    f"port {self.port} is used by another program than the Prefect server of this PREFECT_HOME; stop "
                    "that program, or choose another port with --port"
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
                raise RapportError("the Prefect server ended at once; its message above says why")
            if self.is_running() and self._answers():
                return
            time.sleep(0.5)
        raise RapportError(
            f"the Prefect server did not answer within {STARTS_WITHIN} seconds; run rapport serve again when the "
            "machine is less busy"
        )

    def is_running(self) -> bool:
        """Whether the listening process is the one in the record. Where the system does not say who listens, a running
        child process is enough."""
        if self.process and is_listening(self.process.pid, self.port) is None:
            return self.process.poll() is None
        try:
            facts = json.loads(self.record.read_text(encoding="ascii"))
            pid, since = int(facts["pid"]), int(facts["started"])
        except (OSError, ValueError, TypeError, KeyError):
            return False
        return started(pid) == since and bool(is_listening(pid, self.port))

    def keep(self) -> None:
        """Start the server again whenever it has ended, until `is_over`. When another program has taken the port, stop
        serving: its requests would send the password to that program."""
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
        """Stop the server, where this process started it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        """Whether the server answers. Raises Unusable when it refuses the password."""
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
                    f"the Prefect server on port {self.port} has another password than {_secret()}; stop that server, "
                    "then serve again"
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
    """The server's password, from the environment, or else from a file that is made once."""
    if given := os.environ.get("PREFECT_SERVER_API_AUTH_STRING"):
        return given
    path = _secret()
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"rapport:{secrets.token_urlsafe(24)}\n")
    return path.read_text(encoding="ascii").strip()


def _secret() -> Path:
    return prefect_home() / "auth"
