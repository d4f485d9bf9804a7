"""The night in Prefect: its tasks read as the night, its tables are assets, its books and checks are left beside it."""

import base64
import errno
import gc
import json
import subprocess
import sys
import time
import urllib.request
from datetime import date
from functools import partial
from weakref import ref
from xml.etree import ElementTree

import pytest

from rapport import transforms
from rapport.flows.failures import sayable
from rapport.flows.load import PAUSES, run_with_retries
from rapport.flows.prefect_tasks import tasks
from rapport.flows.prefect_tasks.artifacts import FATES, drawn
from rapport.warehouse.errors import Passing, RapportError
from rapport.warehouse.published.night_in_numbers import NightVolume, volumes
from tests.clinics.nights import ROOT, STEPS, but_for_finished_tables

WITHIN = 60  # seconds until events have reached the server's database


def ask(environment: dict, path: str, **question: object):
    address = f"{environment['PREFECT_API_URL']}/{path}"
    request = urllib.request.Request(address, json.dumps(question).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_a_night_is_tasks_assets_and_artifacts(surroundings, run_night, yesterday):
    run = run_night(yesterday, "2026-11-19T12:34")
    assert run.returncode == 0, run.stderr
    runs = ask(surroundings, "flow_runs/filter", sort="START_TIME_DESC")
    (ours,) = (each["id"] for each in runs if each["parameters"].get("warehouse") == str(yesterday.warehouse))
    artifacts = ask(surroundings, "artifacts/filter", artifacts={"flow_run_id": {"any_": [ours]}})
    night = {each["key"].removeprefix("clinic-"): each for each in artifacts}  # its folder's name
    assert night.keys() == {"books", "checks", "volumes"}
    books = json.loads(night["books"]["data"])
    assert [(row["source"], row["record_count"], row["loaded_count"]) for row in books] == [
        ("appointments", 7, 6),
        ("responses", 25, 24),
    ]
    checks = {row["suite"]: (row["failed"], row["did_not_run"]) for row in json.loads(night["checks"]["data"])}
    assert (checks["staged.appointments"], checks["load.files"]) == ((0, 0), (0, 0))
    picture = night["volumes"]["data"].partition(",")[2]
    assert all(fate.encode() in base64.b64decode(picture) for fate in FATES)
    ran = ask(surroundings, "task_runs/filter", flow_runs={"id": {"any_": [ours]}})
    ran.sort(key=lambda task: task["start_time"])
    names = [task["name"] for task in ran]
    assert [name for name in names if name in STEPS] == list(STEPS)
    assert [name for name in names if name not in STEPS] == ["bucket 1 of 1"]
    assert {task["state"]["type"] for task in ran} == {"COMPLETED"}
    tables = {table.name for table in transforms.tables()}
    assert eventually(lambda: _assets(surroundings, ours) == len(tables))


def _assets(environment: dict, flow_run: str) -> int:
    """How many assets a flow run has materialised."""
    asked = {"event": {"prefix": ["prefect.asset.materialization.succeeded"]}}
    asked["occurred"] = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    asked["related"] = {"id": [f"prefect.flow-run.{flow_run}"]}
    return ask(environment, "events/filter", filter=asked, limit=1)["total"]


def eventually(look) -> bool:
    until = time.monotonic() + WITHIN
    while not (found := look()) and time.monotonic() < until:
        time.sleep(0.5)
    return found


def test_volumes_are_those_of_published_nights_and_are_drawn(yesterday):
    yesterday.night("2026-11-19T12:00")
    nights = volumes(yesterday.published, 30)
    assert [night.day for night in nights] == [date(2026, 11, 18), date(2026, 11, 19)]
    assert nights[1].counts == (30, 0, 0)
    assert volumes(yesterday.published, 1) == nights[1:]
    picture = drawn([NightVolume(date(2026, 11, 18), (50, 30, 20)), NightVolume(date(2026, 11, 19), (25, 0, 0))])
    texts = {"".join(text.itertext()) for text in ElementTree.fromstring(picture).iterfind(".//{*}text")}
    assert {"2026-11-18", "2026-11-19", "loaded 25", "unchanged 0", "quarantined 0"} <= texts
    assert drawn([]).startswith("<svg")


@pytest.mark.parametrize(("failures", "outcome"), [(0, "published"), (2, "published"), (3, "given up")])
def test_what_may_pass_is_tried_again_and_then_given_up(failures, outcome):
    left, pauses, told = [failures], [], []

    def run():
        left[0] -= 1
        if left[0] >= 0:
            raise Passing("a share did not answer")
        return "published"

    try:
        ended = run_with_retries(run, told.append, pauses.append)
    except Passing:
        ended = "given up"
    assert (ended, pauses) == (outcome, list(PAUSES[:failures]))
    assert len(told) == len(pauses)


def test_what_cannot_pass_by_itself_is_not_tried_again():
    def run():
        raise RapportError("the file is empty")

    with pytest.raises(RapportError, match="empty"):
        run_with_retries(run, print, lambda seconds: pytest.fail("it paused"))


@pytest.mark.parametrize(
    ("number", "may_pass"), [(errno.ESTALE, True), (errno.EIO, True), (errno.ENOSPC, False), (errno.EACCES, False)]
)
def test_a_share_that_does_not_answer_may_pass_and_a_full_disk_does_not(number, may_pass):
    assert isinstance(sayable(OSError(number, "said", "file of a person")), Passing) == may_pass
    assert "person" not in str(sayable(OSError(number, "said", "file of a person")))


def test_what_was_read_is_freed_before_the_tables_are_computed(short_yesterday):
    """What was read holds frames, and the tables are a night's peak of memory."""
    made, freed = {}, []

    def run(name, work):
        gc.collect()  # Great Expectations' own errors hold the frames of the calls that led to them
        freed.append(name == "compute tables" and made["read"]() is None)
        result = but_for_finished_tables(name, work)
        made[name] = ref(result) if name == "read" else None
        return result

    assert short_yesterday.night("2026-11-19T12:00", run).publication.computed.client_count
    assert any(freed)


def test_prefect_keeps_neither_a_step_nor_what_it_made(monkeypatch):
    kept = []
    monkeypatch.setattr(tasks, "_run", lambda name, task, *_: (kept.append(task), task()))
    given = Kept()
    made = ref(tasks.as_tasks("clinic")("read", partial(Kept, given)))
    given = ref(given)
    assert len(kept) == 1
    assert (made(), given()) == (None, None)


class Kept:
    """What Prefect would keep."""

    def __init__(self, given: object = None) -> None:
        self.given = given


def test_a_plain_night_imports_no_prefect_and_nothing_that_tells():
    code = "import sys, rapport.flows.night; print([name for name in ('prefect', 'apprise') if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"
