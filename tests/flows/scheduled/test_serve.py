"""`make serve`: scheduled runs appear in the clinic's zone, one of them really publishes, and stopping is clean."""

import json
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest

from tests.clinics.nights import ALARMING, APPOINTMENTS, ROOT, held, open_place

CLINIC = """\
name = "lord-howe"
time_zone = "Australia/Lord_Howe"
schedule = "* * * * *"

[sources.appointments]
files = "appointments.csv"
"""
OURS = {"deployments": {"name": {"any_": ["lord-howe"]}}}
NIGHTLY = OURS | {"flows": {"name": {"any_": ["nightly"]}}}
WITHIN = 400  # seconds until a run that is due every minute has published


@pytest.fixture
def ask(surroundings):
    """A question to the Prefect server's API."""

    def post(path: str, **question: object) -> list[dict]:
        address, body = f"{surroundings['PREFECT_API_URL']}/{path}", json.dumps(question).encode()
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    return post


@contextmanager
def serving(place, environment):
    folders = ("--exports", place.exports, "--clinic", place.clinic, "--warehouse", place.warehouse)
    command = [sys.executable, "-m", "rapport", "serve", *map(str, folders)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def eventually(found, process):
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        assert process.poll() is None, process.stdout.read()
        if answer := found():
            return answer
        time.sleep(0.5)
    raise AssertionError("it did not happen")


def test_a_scheduled_run_appears_publishes_and_serving_ends_cleanly(surroundings, tmp_path, ask):
    place = open_place(tmp_path / "clinic", CLINIC)
    place.deliver("appointments.csv", APPOINTMENTS, [held(1, 17)])
    with serving(place, surroundings) as process:
        (deployment,) = eventually(lambda: ask("deployments/filter", **NIGHTLY), process)
        ours = {"flow_runs": {"deployment_id": {"any_": [deployment["id"]]}}}
        runs = eventually(lambda: ask("flow_runs/filter", **ours), process)
        assert all(run["auto_scheduled"] for run in runs)
        done = ours | {
            "flow_runs": ours["flow_runs"] | {"state": {"type": {"any_": ["COMPLETED", "FAILED", "CRASHED"]}}}
        }
        first = eventually(lambda: ask("flow_runs/filter", **done), process)[0]
        assert first["state"]["type"] == "COMPLETED", first["state"]["message"]
        assert first["auto_scheduled"]
        process.terminate()
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert place.ask("SELECT time_zone, file_count FROM load.current, load.sources") == [("Australia/Lord_Howe", 1)]
    assert "serving the nightly deployment: * * * * * in Australia/Lord_Howe" in said
    assert not [word for word in ALARMING if word in said]
    named = {each["id"]: each["name"] for each in ask("flows/filter")}
    deployed = {
        named[each["flow_id"]]: [at["schedule"]["cron"] for at in each["schedules"]]
        for each in ask("deployments/filter", **OURS)
    }
    weekly = {"compact": ["0 13 * * 0"], "verify": ["0 14 * * 0"]}
    assert deployed == {"nightly": ["* * * * *"], **weekly, "forget": ["0 19 * * *"], "backfill": [], "restore": []}
    assert [each["name"] for each in ask("automations/filter")] == ["a run without a heartbeat has crashed"]
    (deployment,) = ask("deployments/filter", **NIGHTLY)
    assert deployment["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    (schedule,) = deployment["schedules"]
    assert (schedule["active"], deployment["paused"]) == (True, False)
    assert schedule["schedule"] == {"cron": "* * * * *", "timezone": "Australia/Lord_Howe", "day_or": True}


def test_serving_an_unusable_clinic_file_is_refused(surroundings, tmp_path):
    place = open_place(tmp_path / "clinic", CLINIC.replace("schedule", "shedule"))
    with serving(place, surroundings) as process:
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said == "clinic file clinic.toml: the file has the unknown key 'shedule'; did you mean 'schedule'?\n"
