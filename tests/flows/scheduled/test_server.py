"""The server that is kept alive while something is served: it trusts nobody else with its port, password or files."""

import base64
import http.server
import json
import os
import signal
import socket
import stat
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from rapport.flows import nightly
from rapport.flows.prefect_tasks.settings import make_home
from rapport.flows.scheduled import listeners, serve, server
from rapport.flows.scheduled.listeners import is_listening, is_taken, started
from rapport.flows.scheduled.server import Server
from rapport.flows.stopping import SIGNALS
from rapport.warehouse.errors import Unusable
from tests.clinics.nights import CLINIC, open_place
from tests.flows.steps.test_nightly_command import tell_to_file, told

PASSWORD = "rapport:of-this-test"
WITHIN = 60  # seconds
LISTENS = """
import http.server, sys
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200), self.end_headers()
    log_message = lambda *_: None
http.server.HTTPServer(("127.0.0.1", int(sys.argv[-1])), Answers).serve_forever()
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A PREFECT_HOME of this test, and no server that the environment names; signals as they were afterwards."""
    for name in ("PREFECT_API_URL", "PREFECT_SERVER_API_AUTH_STRING"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PREFECT_API_AUTH_STRING", PASSWORD)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield make_home()
    for number, handler in before.items():
        signal.signal(number, handler)


@contextmanager
def listener(status: int = 200):
    """A server in this process: its port, and the passwords it was sent."""
    heard = []

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode())
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as found:
        threading.Thread(target=found.serve_forever, args=[0.01], daemon=True).start()
        yield found.server_port, heard
        found.shutdown()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def ours() -> dict:
    return {"pid": os.getpid(), "started": started(os.getpid())}


def test_of_a_process_it_is_known_when_it_started_and_where_it_listens():
    with listener() as (port, _):
        assert is_taken(port)
        assert (is_listening(os.getpid(), port), is_listening(os.getppid(), port)) == (True, False)
    assert (is_taken(port), is_listening(os.getpid(), port)) == (False, False)
    assert started(os.getppid()) <= started(os.getpid())
    assert started(2**22 + 1) is None


def test_a_server_that_outlived_its_runner_is_taken_over(home):
    with listener() as (port, heard):
        Server(port).record.write_text(json.dumps(ours()))
        Server(port).start()
    assert heard == [PASSWORD]


# Made when the test runs: the numbers of processes are other ones in each worker.
RECORDS = {
    "no record": lambda: None,
    "a torn one": lambda: "{",
    "a number": lambda: "3",
    "that of a later process of this number": lambda: json.dumps(ours() | {"started": started(os.getpid()) + 1}),
    "one without a start": lambda: json.dumps(ours() | {"started": None}),
    "that of another process": lambda: json.dumps({"pid": os.getppid(), "started": started(os.getppid())}),
}


@pytest.mark.parametrize("record", RECORDS)
def test_a_port_that_somebody_else_has_is_refused_and_nobody_hears_the_password(home, record):
    with listener() as (port, heard):
        if written := RECORDS[record]():
            Server(port).record.write_text(written)
        with pytest.raises(
            Unusable, match=f"port {port} is used by another program than the Prefect server of this PREFECT_HOME"
        ):
            Server(port).start()
    assert heard == []


def test_where_the_system_cannot_say_who_listens_a_taken_port_is_refused(home, tmp_path, monkeypatch):
    with listener() as (port, heard):
        Server(port).record.write_text(json.dumps(ours()))
        monkeypatch.setattr(listeners, "PROC", tmp_path)
        with pytest.raises(Unusable, match="is used by another program"):
            Server(port).start()
    assert heard == []


def test_a_port_that_there_is_not_is_refused(home):
    with pytest.raises(Unusable, match=r"port 70000 cannot be used .*; choose one from 1024 to 65535 with --port"):
        Server(70000).start()


def test_a_server_that_takes_another_password_is_named(home):
    with listener(status=401) as (port, _):
        Server(port).record.write_text(json.dumps(ours()))
        with pytest.raises(Unusable, match=f"on port {port} has another password than .*auth"):
            Server(port).start()


def test_serving_on_a_taken_port_ends_and_is_told(home, tmp_path, capsys):
    place = open_place(tmp_path / "clinic", CLINIC)
    place.clinic.write_text(tell_to_file(place) + CLINIC)
    with listener() as (port, heard):
        assert serving(place, port) == serving(place, port) == 2
    assert capsys.readouterr().err.count(f"port {port} is used by another program") == 2
    assert heard == []
    ((message,),) = told(place)
    assert message.startswith(f"Rapport: the serving of nights failed: Port {port} is used by another program")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (home, home / "auth")]
    assert modes == [0o700, 0o600]


def test_serving_a_clinic_file_that_cannot_be_used_is_told(home, tmp_path, capsys):
    place = open_place(tmp_path / "clinic", CLINIC)
    place.clinic.write_text(tell_to_file(place) + CLINIC + "quarantine_limt = 0.2")
    assert serving(place, free_port()) == 2
    assert "unknown key 'quarantine_limt'" in capsys.readouterr().err
    assert "unknown key 'quarantine_limt'" in told(place)[0][0]


def serving(place, port: int) -> int:
    folders = {"--exports": place.exports, "--clinic": place.clinic, "--warehouse": place.warehouse, "--port": port}
    return serve.main([str(part) for pair in folders.items() for part in pair])


@pytest.mark.parametrize("command", ["serve", "nightly"])
def test_a_prefect_home_that_cannot_be_written_is_said_at_once(home, tmp_path, monkeypatch, capsys, command):
    (tmp_path / "file").touch()
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "file/prefect"))
    place = open_place(tmp_path / "clinic", CLINIC)
    place.clinic.write_text(tell_to_file(place) + CLINIC)
    run = {"serve": lambda: serving(place, free_port()), "nightly": lambda: nightly.main(place.arguments("2026-11-19"))}
    assert run[command]() == 2
    assert "prefect) cannot be written (Not a directory); give it to this user" in capsys.readouterr().err
    assert "cannot be written" in told(place)[0][0]


def test_a_home_that_others_could_read_is_closed(home):
    (home / "prefect.db").touch(mode=0o644)
    home.chmod(0o755)
    make_home()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (home, home / "prefect.db")] == [0o700, 0o600]


@pytest.fixture
def kept(home, monkeypatch):
    """A server, a small program in place of Prefect's, that is kept alive; what it was started with."""
    monkeypatch.setattr(server, "COMMAND", (sys.executable, "-c", LISTENS))
    monkeypatch.setattr(server, "LOOKED_AT_EVERY", 0.05)
    monkeypatch.setenv("RAPPORT_KEY", "5a" * 32)
    found = Server(free_port())
    found.start()
    keeper = threading.Thread(target=found.keep)
    keeper.start()
    yield found
    found.is_over.set()
    keeper.join()
    found.stop()


def test_a_server_inherits_no_key_and_is_known_by_a_file_of_its_own(kept):
    assert b"RAPPORT" not in Path(f"/proc/{kept.process.pid}/environ").read_bytes()
    assert json.loads(kept.record.read_text()) == {"pid": kept.process.pid, "started": started(kept.process.pid)}
    assert stat.S_IMODE(kept.record.stat().st_mode) == 0o600


def test_a_server_that_ends_is_started_again_and_where_a_stranger_has_its_port_serving_ends(kept, monkeypatch):
    first, sent, kill = kept.process, [], os.kill
    first.kill()
    eventually(lambda: kept.process is not first and kept.is_running())
    monkeypatch.setattr(os, "kill", lambda *what: sent.append(what))
    monkeypatch.setattr(server, "LOOKED_AT_EVERY", 2)  # seconds: the stranger is faster
    time.sleep(0.2)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kill(kept.process.pid, signal.SIGKILL)
        kept.process.wait()
        eventually(lambda: not is_taken(kept.port))
        stranger.bind(("127.0.0.1", kept.port))
        stranger.listen()
        eventually(lambda: sent)
    assert sent == [(os.getpid(), signal.SIGINT)]
    assert "is used by another program" in str(kept.refused)


def eventually(found) -> None:
    until = time.monotonic() + WITHIN
    while not found():
        assert time.monotonic() < until
        time.sleep(0.01)
