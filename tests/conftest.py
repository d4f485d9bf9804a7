"""What several test modules need: a Prefect server, a published yesterday, a demo clinic, a night as a real process."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings

from tests.clinics.few_tables import few_tables, published_place
from tests.clinics.nights import ROOT, Place, but_for_finished_tables, demo_place

settings.register_profile("untimed", deadline=None, max_examples=50)  # no test asserts a time
settings.load_profile("untimed")

LONGEST = (
    "test_readme",
    "test_killed",
    "test_readers_while_publishing",
    "test_runbook",
    "test_bad_input",
    "test_same_night",
    "test_bench",
    "test_nightly_command",
    "test_attack",
    "test_serve",
    "test_windows",
    "test_canary",
    "test_encryption",
    "test_forget",
    "test_knowledge",
    "test_inbox",
    "test_full_disk",
)

SERVER = "prefect-server.json"  # its process and how to find it
STARTS_WITHIN = 180  # seconds
ENDS_WITHIN = 240  # seconds; a night that takes longer hangs


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory):
    """The environment of a real night: a Prefect server whose home is empty at first, one for all workers."""
    shared = _shared(tmp_path_factory.getbasetemp())
    with (shared / "prefect.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / SERVER).exists():
            (shared / SERVER).write_text(json.dumps(_start_server(shared)))
    _, private = json.loads((shared / SERVER).read_text())
    return _ordinary_environment() | private


def _shared(folder: Path) -> Path:
    """Where all workers look: a worker's own folder lies in it."""
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


def _ordinary_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "RAPPORT_"))}


def _start_server(shared: Path) -> tuple[int, dict[str, str]]:
    """Its process, and what a night's environment needs to find it."""
    home = shared / "prefect"
    home.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    private = {"PREFECT_HOME": str(home), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    private |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_ordinary_environment() | private,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _wait_for(f"{private['PREFECT_API_URL']}/health", server)
    server.returncode = 0  # it outlives this worker, which is not to wait for it
    return server.pid, private


def pytest_sessionfinish(session):
    """Whoever ends last stops the server that any worker has started."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        started = session.config._tmp_path_factory.getbasetemp() / SERVER
        if started.exists():
            os.killpg(json.loads(started.read_text())[0], signal.SIGTERM)


def pytest_collection_modifyitems(items):
    """The longest modules first: the workers, two a core because nights wait for the disk, then end together."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


def _wait_for(health: str, server: subprocess.Popen) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while server.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(health, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError("the tests' Prefect server did not start")


@pytest.fixture(scope="session")
def run_night(surroundings):
    """Run `rapport night` as a real process from the root, its output captured unfiltered."""

    def run(place: Place, as_of: str, *more: str, before: tuple[str, ...] = (), **environment: str):
        command = [*before, *place.command(as_of, *more)]
        env = surroundings | environment
        return subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=ENDS_WITHIN, check=False
        )

    return run


@pytest.fixture
def run_night_here(monkeypatch, capsys):
    """Run what `rapport night` runs in this process, its steps as plain functions and not as Prefect's tasks:
    for what it says and exits with."""
    from rapport.flows import nightly  # noqa: PLC0415  importing Prefect is not free
    from rapport.flows.workbench import run_directly  # noqa: PLC0415

    monkeypatch.setattr(nightly, "nightly", nightly.nightly.fn)
    monkeypatch.setattr(nightly, "as_tasks", lambda clinic: run_directly)
    monkeypatch.setattr(nightly, "start_night_server", lambda: None)
    monkeypatch.setattr(nightly, "leave_artifacts", lambda *_: None)

    def run(place: Place, as_of: str, *more: str) -> subprocess.CompletedProcess:
        capsys.readouterr()
        try:
            status = nightly.main(place.arguments(as_of, *more))
        except SystemExit as refused:  # by argparse
            status = refused.code
        return subprocess.CompletedProcess(place.command(as_of, *more), status, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Place:
    """Three nights of a small demo clinic, with a key; nothing published. Copy it before a night writes to it."""
    return demo_place(tmp_path_factory.mktemp("demo") / "clinic", clients=40, nights=3, seed=7)


@pytest.fixture(scope="session")
def drawn(demo, tmp_path_factory) -> tuple[Place, object]:
    """That demo clinic with its night published and its pages drawn, and the night."""
    from rapport.flows.workbench import run_directly  # noqa: PLC0415

    place = demo.copied_to(tmp_path_factory.mktemp("drawn") / "clinic")
    night = place.night("2026-11-21T03:00", run=run_directly)
    assert night.publication.drawn.pages_failed is None
    assert (place.warehouse / "shared/pages/clinic/index.html").exists(), "a patch of drawing outlived its test"
    return place, night


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> Place:
    """A small clinic whose night of 2026-11-18 is published. Copy it before a night writes to it."""
    return published_place(tmp_path_factory.mktemp("published") / "clinic")


@pytest.fixture(scope="session")
def shortly_published(tmp_path_factory) -> Place:
    """The same clinic, of few tables."""
    with few_tables():
        return published_place(tmp_path_factory.mktemp("published") / "clinic")


@pytest.fixture(scope="session")
def spoilable(tmp_path_factory) -> Place:
    """A clinic with three loads and something in every private file. Copy it before a command writes to it."""
    from tests.breaking.spoiling import begin, short_commands  # noqa: PLC0415  it imports every command

    with short_commands():
        return begin(tmp_path_factory.mktemp("spoilable") / "clinic")


@pytest.fixture
def short_nights():
    """Nights of few tables, which are not checked once more when they are finished."""
    with patch("tests.clinics.nights.but_for_pages", but_for_finished_tables), few_tables():
        yield


@pytest.fixture
def yesterday(published, tmp_path) -> Place:
    """A copy of it for one test, with the files of the next night delivered and not yet read."""
    return with_tomorrow(published.copied_to(tmp_path / "clinic"))


@pytest.fixture
def short_yesterday(shortly_published, short_nights, tmp_path) -> Place:
    """The same, of few tables."""
    return with_tomorrow(shortly_published.copied_to(tmp_path / "clinic"))


def with_tomorrow(place: Place) -> Place:
    place.deliver_day(18)
    return place
