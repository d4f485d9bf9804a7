"""A day of trouble on real processes: python -m tests.breaking.trouble [SCENARIO ...]   (make trouble)

Each scenario must end with the right exit status or state, the right message, and a published next night. At the end
all messages, logs, databases and trees of the day are searched for what must not be there.
"""

import argparse
import base64
import http
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.attacks.canaries import search
from tests.clinics.nights import APPOINTMENTS, ROOT, Place, open_place
from tests.transforms.sources.test_canary import CLINIC, CROSSWALK_ONLY, FILE, NOWHERE, deliver

TONIGHT = "2026-11-18T12:00"
SLOT_FREE_WITHIN = 120  # seconds
ENDED = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
AUTH = "rapport:of-the-day-of-trouble"
POSTGRES_USER = "postgres"


@dataclass
class Day:
    """Where the day happens, and what it has started."""

    folder: Path
    processes: list[subprocess.Popen] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    deployed: str = ""  # the clinic whose deployments are run

    def place(self, name: str, clinic: str = CLINIC) -> Place:
        """A clinic of a scenario's own, whose exports hold canaries and whose messages go to a file."""
        folder = self.folder / "clinics" / name
        listens = self.folder / "clinics" / f"{name}.py"
        listens.parent.mkdir(exist_ok=True)
        listens.write_text(f"import sys; open({str(folder) + '.messages'!r}, 'a').write(sys.argv[-1] + '\\n')")
        place = open_place(folder, f"on_failure = \"{sys.executable} '{listens}'\"\n{clinic}")
        deliver(place)
        return place

    def messages(self, place: Place) -> list[str]:
        path = Path(f"{place.folder}.messages")
        return path.read_text().splitlines() if path.exists() else []

    def begin(self, name: str, *command: str, **more: str | None) -> subprocess.Popen:
        """A process of its own session, whose output goes to a log; a variable that is None it does not have."""
        log = (self.folder / f"{name}.log").open("a")
        env = {name: value for name, value in (self.environment | more).items() if value is not None}
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
        self.processes.append(process)
        return process

    def ask(self, path: str, **question: object) -> object:
        address = f"{self.environment['PREFECT_API_URL']}/{path}"
        headers = {"Authorization": f"Basic {base64.b64encode(AUTH.encode()).decode()}"}
        headers["Content-Type"] = "application/json"
        data = json.dumps(question).encode() if question or "filter" in path or "create" in path else None
        request = urllib.request.Request(address, data, headers)
        return eventually(lambda: _answer(request), 60, f"an answer to {path}")[0]

    def start_night(self, place: Place) -> str:
        """A run of the nightly deployment on a place's files; its id."""
        deployment = self.ask(f"deployments/name/nightly/{self.deployed}")["id"]
        given = {"exports": str(place.exports), "clinic": str(place.clinic), "warehouse": str(place.warehouse)}
        parameters = given | {"as_of": TONIGHT}
        return self.ask(f"deployments/{deployment}/create_flow_run", parameters=parameters)["id"]

    def state(self, run: str) -> str:
        with suppress(OSError):
            return self.ask(f"flow_runs/{run}")["state"]["type"]
        return "UNKNOWN"

    def ends(self, run: str, within: float = 240) -> str:
        """The state in which a run ended."""
        return eventually(lambda: (state := self.state(run)) in ENDED and state, within, f"the end of {run}")

    def publishes(self, place: Place) -> None:
        """The next night, through Prefect, publishes all that came, and is fresh."""
        run = self.start_night(place)
        state = self.ends(run)
        assert state == "COMPLETED", self.ask(f"flow_runs/{run}")["state"]["message"]
        is_published(place)

    def close(self) -> None:
        for process in reversed(self.processes):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answer(request: urllib.request.Request) -> list | None:
    """What a server answers, in a list; None where it is busy."""
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return [json.load(answer)]
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.SERVICE_UNAVAILABLE:
            return None
        raise


def is_published(place: Place) -> None:
    """Everything that came is in the file, the books say so, and nothing half-made is left."""
    assert place.ask("SELECT (SELECT count(*) FROM scores WHERE score IS NOT NULL) >= 8") == [(True,)]
    assert place.leftovers() == []
    command = [
        sys.executable,
        "-m",
        "rapport",
        "freshness",
        "--clinic",
        place.clinic,
        "--warehouse",
        place.warehouse,
    ]
    done = subprocess.run([*command, "--as-of", TONIGHT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.partition(":")[0]) == (0, "fresh"), done.stdout


def eventually(found: Callable[[], object], within: float, what: str) -> object:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if answer := found():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {within} seconds: {what}")


def processes_of(run: str) -> list[int]:
    """The processes that belong to a flow run, by their environment."""
    found = []
    for each in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if run.encode() in (each / "environ").read_bytes():
                found.append(int(each.name))
    return found


def mid_night(place: Place) -> None:
    """Wait until a night is at work in its building file."""
    eventually(lambda: any((place.warehouse / "private/building").rglob("*.duckdb")), 180, "a night at work")


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def command(place: Place, day: Day, *more: str, as_of: str = TONIGHT, limit: str = "") -> subprocess.CompletedProcess:
    """A night from the command line, against the day's server; `limit` is said to the shell before."""
    words = ["bash", "-c", f'{limit} exec "$@"', "night", *place.command(as_of, *more)]
    return subprocess.run(words, cwd=ROOT, env=day.environment, capture_output=True, text=True, check=False)


def begin_serving(day: Day, schedule_of: Place) -> subprocess.Popen:
    """`make serve` on the day's port."""
    folders = ("--exports", schedule_of.exports, "--clinic", schedule_of.clinic, "--warehouse", schedule_of.warehouse)
    port = day.environment["PREFECT_API_URL"].partition("//")[2].partition(":")[2].partition("/")[0]
    words = [sys.executable, "-m", "rapport", "serve", *map(str, folders), "--port", port]
    return day.begin("serve", *words, PREFECT_API_URL="")


def serve(day: Day, schedule_of: Place) -> subprocess.Popen:
    """The same, until it serves."""
    process, day.deployed = begin_serving(day, schedule_of), schedule_of.folder.name
    eventually(lambda: answers(day) and day.deployed in nights_of(day), 180, "serving")
    eventually(lambda: "serving the nightly" in (day.folder / "serve.log").read_text(), 180, "serving")
    return process


def nights_of(day: Day) -> set[str]:
    """The clinics whose nights are registered."""
    with suppress(OSError):
        return {each["name"] for each in day.ask("deployments/filter", flows={"name": {"any_": ["nightly"]}})}
    return set()


def answers(day: Day) -> bool:
    with suppress(OSError):
        return day.ask("admin/version") is not None
    return False


def server_process(day: Day) -> int:
    """The server that listens on the day's port, by its command line."""
    port = day.environment["PREFECT_API_URL"].partition("//")[2].partition(":")[2].partition("/")[0]
    for each in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            words = (each / "cmdline").read_bytes().decode().split("\0")
            if "server" in words and port in words:
                return int(each.name)
    raise AssertionError("there is no server")


# The scenarios of one machine: `make serve`, SQLite.


def flow_killed(day: Day) -> str:
    place = day.place("flow_killed")
    run = day.start_night(place)
    mid_night(place)
    began = time.monotonic()
    kill(*processes_of(run))
    assert day.ends(run) == "CRASHED"
    took = time.monotonic() - began
    eventually(lambda: day.messages(place), 60, "the message")
    day.publishes(place)
    first, last = day.messages(place)
    assert first.startswith("Rapport: the night failed: The night's process was killed; run the night again"), first
    assert last.startswith("Rapport: well again: The night publishes again (load 1)"), last
    return f"crashed after {took:.0f} s, told, published by the next"


def runner_killed(day: Day) -> str:
    place = day.place("runner_killed")
    run = day.start_night(place)
    mid_night(place)
    kill(day.serving.pid)
    day.serving = serve(day, day.scheduled)
    state = day.ends(run)
    day.publishes(place)
    assert all("killed" in message or "again" in message for message in day.messages(place))
    return f"the night itself ended {state}; serving again took over the server; the next night published"


def server_killed(day: Day) -> str:
    place = day.place("server_killed")
    run = day.start_night(place)
    mid_night(place)
    kill(server_process(day))
    eventually(lambda: not answers(day), 30, "the server's end")
    eventually(lambda: answers(day), 180, "the server again")
    state = day.ends(run, 300)
    day.publishes(place)
    return f"the server was started again, the night ended {state}, the next published"


def both_killed(day: Day) -> str:
    """Runner and flow: nobody is left who could tell the server."""
    place = day.place("both_killed")
    run = day.start_night(place)
    mid_night(place)
    eventually(lambda: any(_heartbeats(day, run)), 90, "a heartbeat")
    kill(day.serving.pid, *processes_of(run))
    began = time.monotonic()
    day.serving = serve(day, day.scheduled)
    assert day.ends(run, SLOT_FREE_WITHIN) == "CRASHED"
    took = time.monotonic() - began
    day.publishes(place)
    return f"the slot was free after {took:.0f} s, the next night published"


def _heartbeats(day: Day, run: str) -> list:
    asked = {"event": {"name": ["prefect.flow-run.heartbeat"]}, "resource": {"id": [f"prefect.flow-run.{run}"]}}
    asked["occurred"] = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    return day.ask("events/filter", filter=asked, limit=1)["events"]


def switch_off(day: Day) -> None:
    """The machine loses its power: server, runner and whatever runs."""
    os.killpg(day.serving.pid, signal.SIGKILL)
    with suppress(AssertionError):
        kill(server_process(day))
    eventually(lambda: not answers(day), 30, "the end of the server")


def days_off(day: Day) -> str:
    """Three nights are missed; when the machine is back they are one load, and nights that find nothing to do."""
    place = day.scheduled
    before = place.ask("SELECT max(load_id) FROM load.loads")[0][0] if place.published.exists() else 0
    switch_off(day)
    place.deliver("appointments_2026-11-19.csv", APPOINTMENTS, ["A200,C1,2026-11-18T10:00,attended,T1"])
    _schedule(place, "* * * * *")
    day.serving = serve(day, place)
    eventually(lambda: len(_scheduled(day)) >= 3, 60, "three nights scheduled")
    switch_off(day)
    time.sleep(190)
    day.serving = serve(day, place)
    done = eventually(lambda: len(runs := _ended(day)) >= 3 and runs, 400, "the late nights")
    assert {run["state"]["type"] for run in done} <= {"COMPLETED", "CRASHED"}, done
    loaded = place.ask(
        "SELECT count(DISTINCT load_id) FROM load.files WHERE source = 'appointments' AND loaded_count > 0"
    )
    loads = place.ask("SELECT count(*), max(load_id) FROM load.loads WHERE outcome = 'published'")
    assert place.ask("SELECT count(*) FROM appointments WHERE starts_local::DATE = '2026-11-18'") == [(1,)]
    _schedule(place, "0 3 * * *")
    assert loads[0][1] > before
    return f"{len(done)} late nights ran one by one, {loaded[0][0]} of {loads[0][0]} loads brought records"


def _schedule(place: Place, cron: str) -> None:
    lines = [line for line in place.clinic.read_text().splitlines() if not line.startswith("schedule")]
    place.clinic.write_text("\n".join([f'schedule = "{cron}"', *lines, ""]))


def _scheduled(day: Day) -> list[dict]:
    return [run for run in day.ask("flow_runs/filter", sort="EXPECTED_START_TIME_DESC") if run["auto_scheduled"]]


def _ended(day: Day) -> list[dict]:
    return [run for run in _scheduled(day) if run["state"]["type"] in ENDED and run["start_time"]]


def second_clinic(day: Day) -> str:
    """Two clinics on one server: each runs its own nights, and a third of the same name is refused."""
    before, places = dict(day.environment), [day.place("north"), day.place("south"), day.place("third")]
    north, south, third = places
    third.clinic.write_text('name = "north"\n' + third.clinic.read_text())
    switch_off(day)
    day.environment |= {"PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api"}
    day.environment |= {"PREFECT_HOME": str(day.folder / "two")}
    day.serving, second = serve(day, north), serve(day, south)
    eventually(lambda: nights_of(day) == {"north", "south"}, 60, "both clinics' nights")
    day.publishes(south)
    refused = begin_serving(day, third)
    assert refused.wait(180) == 2
    (message,) = day.messages(third)
    assert message.startswith("Rapport: the serving of nights failed: "), message
    assert "is registered with this Prefect server for the warehouse" in message
    second.terminate()
    assert second.wait(60) == 0
    day.deployed = "north"
    day.publishes(north)
    eventually(lambda: nights_of(day) == {"north", "south"}, 60, "both clinics' nights")
    switch_off(day)
    day.environment = before
    day.serving = serve(day, day.scheduled)
    return "both clinics' nights ran on one server; a third of the same name was refused and told"


# The scenarios of the command.


def stopped(day: Day) -> str:
    """Ctrl-C, a closed terminal (both to the whole group), a service manager; each with a server of the night's own."""
    place, told = day.place("stopped"), []
    for number, whole in ((signal.SIGINT, True), (signal.SIGHUP, True), (signal.SIGTERM, False)):
        of_a_server = ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")
        alone = dict.fromkeys(of_a_server) | {"PREFECT_HOME": str(day.folder / "by_hand")}
        process = day.begin("stopped", *place.command(TONIGHT), **alone)
        mid_night(place)
        (os.killpg if whole else os.kill)(process.pid, number)
        status = process.wait(240)
        assert status == 128 + number, (status, (day.folder / "stopped.log").read_text())
        assert not any(alive_in(process.pid)), "its server outlived it"
        told.append(f"stopped by {number.name}")
        assert [message.partition("failed: S")[2].partition(";")[0] for message in day.messages(place)] == [
            each[1:] for each in told
        ], day.messages(place)
    said = (day.folder / "stopped.log").read_text()
    lines = [line for line in said.splitlines() if not line.startswith("…")]
    assert lines == [f"{each}; run it again" for each in told], said
    done = command(place, day)
    assert done.returncode == 0, done.stderr
    assert "the trouble was met 3 times" in day.messages(place)[-1]
    is_published(place)
    return f"{', '.join(told)}: told once each, no server left, then published"


def alive_in(session: int) -> Iterator[int]:
    """The processes of a session."""
    for each in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            state, _, _, of = (each / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(of) == session and state != "Z":
                yield int(each.name)


def two_at_once(day: Day) -> str:
    place = day.place("two_at_once")
    first = subprocess.Popen(
        place.command(TONIGHT), cwd=ROOT, env=day.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    mid_night(place)
    second = command(place, day)
    assert (first.wait(), second.returncode) == (0, 3)
    assert second.stderr == "another night is running on this warehouse; wait for it to end\n"
    assert day.messages(place) == []
    is_published(place)
    return "one published, the other ended with 3 and told nobody"


def disk_full(day: Day) -> str:
    place = day.place("disk_full")
    done = command(place, day, limit="ulimit -f 1500;")
    assert done.returncode == 1, done.stderr
    assert "the disk" in done.stderr
    (message,) = day.messages(place)
    assert message.startswith("Rapport: the night failed: The disk"), message
    assert command(place, day, limit="ulimit -f 1500;").returncode == 1
    assert len(day.messages(place)) == 1  # told once
    assert command(place, day).returncode == 0
    assert "the trouble was met 2 times" in day.messages(place)[1]
    is_published(place)
    return "ended with 1 twice, told once, then published and told that it is well"


def renamed_and_late(day: Day) -> str:
    """Quarantine above its share, then a source that does not come."""
    clinic = CLINIC.replace("[sources.episodes]", '[sources.episodes]\nevery = "1 day"')
    place = day.place("renamed", clinic)
    spoiled = place.drop(
        f"appointments_2026-11-17 {FILE}.csv",
        "\n".join([APPOINTMENTS, *(f"A{n},C{n},2026-11-16T10:00,{NOWHERE[0]},T1" for n in range(9))]).encode(),
    )
    done = command(place, day)
    assert (done.returncode, "no record is readable" in done.stderr) == (1, True), done.stderr
    assert "records quarantined" in day.messages(place)[0]
    spoiled.unlink()
    late = command(place, day, as_of="2026-11-20T12:00")
    assert late.returncode == 4, late.stderr
    told = day.messages(place)[1]
    assert "The source episodes is overdue" in told, told
    assert "The night publishes again" in told, told
    return "ended with 1, then published with 4; both told in one message each"


def clock_changes(day: Day) -> str:
    """Nights on both sides of both changes; each day has one night, and freshness is wrong on neither."""
    import asyncio  # noqa: PLC0415

    from prefect.server.schemas.schedules import CronSchedule  # noqa: PLC0415

    zone, place = ZoneInfo("America/Chicago"), day.place("clock_changes")
    for first, count in (("2026-10-31", 4), ("2027-03-13", 4)):
        start = datetime.fromisoformat(first).replace(tzinfo=zone)
        fires = asyncio.run(CronSchedule(cron="0 3 * * *", timezone=zone.key).get_dates(count, start))
        local = [at.astimezone(zone) for at in fires]
        assert len({at.date() for at in local}) == count, local
        assert {at.hour for at in local} == {3}, local
    for as_of in ("2026-10-31T03:00", "2026-11-01T03:00", "2027-03-13T03:00", "2027-03-14T03:00"):
        day_before = as_of[:10]
        place.deliver(
            f"appointments_{day_before}.csv", APPOINTMENTS, [f"B{day_before},C1,{day_before}T01:30,attended,T1"]
        )
        done = command(place, day, as_of=as_of)
        assert done.returncode == 0, done.stderr
        look = [
            sys.executable,
            "-m",
            "rapport",
            "freshness",
            "--clinic",
            place.clinic,
            "--warehouse",
            place.warehouse,
        ]
        fresh = [
            subprocess.run(
                [*look, "--as-of", f"{day_before}T{hour}"], cwd=ROOT, capture_output=True, check=False
            ).returncode
            for hour in ("05:00", "23:00")
        ]
        assert fresh == [0, 0], (as_of, fresh)
    stale = subprocess.run([*look, "--as-of", "2027-03-15T07:00"], cwd=ROOT, capture_output=True, check=False)
    assert stale.returncode == 1
    return "four nights around both changes published, one night a day is scheduled, freshness right on each"


def clock_set(day: Day) -> str:
    """The machine's own clock runs over each change while it serves: the night due then runs by itself, and once."""
    zone, told = ZoneInfo("America/Chicago"), []
    library = _from_debian(day, "libfaketime", "*/faketime/libfaketimeMT.so.1")  # it sets the clock of a process
    switch_off(day)
    before = dict(day.environment)
    for date in ("2027-03-14", "2027-11-07"):
        place = day.place(f"clock_set_{date}")
        _schedule(place, "0 3 * * *")
        due = datetime.fromisoformat(f"{date}T03:00").replace(tzinfo=zone)
        ahead = (due - datetime.now(UTC)).total_seconds() - 75  # that many seconds are left for the server to start
        day.environment |= {"PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api"}
        day.environment |= {"PREFECT_HOME": str(day.folder / date), "TZ": "UTC", "LD_PRELOAD": str(library)}
        day.environment |= {"FAKETIME": f"+{ahead:.0f}"}
        day.serving = serve(day, place)
        (run,) = eventually(lambda: _ended(day), 400, f"the night of {date}")
        assert (run["state"]["type"], _instant(run)) == ("COMPLETED", due), run["state"]
        assert place.published.exists()
        ours = [each for each in _scheduled(day) if each["deployment_id"] == run["deployment_id"]]
        nights = [_instant(each).astimezone(zone) for each in ours]
        assert len({night.date() for night in nights}) == len(nights) > 1, nights
        assert {(night.hour, night.minute) for night in nights} == {(3, 0)}, nights
        switch_off(day)
        told.append(f"{due.astimezone(UTC):%d %B %H:%M} UTC")
    day.environment = before
    day.serving = serve(day, day.scheduled)
    return f"the nights of {' and '.join(told)} ran by themselves, once each, at 3 o'clock as clocks then showed it"


def _instant(run: dict) -> datetime:
    return datetime.fromisoformat(run["expected_start_time"])


# A server of its own: PostgreSQL and a process worker.


@contextmanager
def postgres(day: Day) -> Iterator[str]:
    """Debian's PostgreSQL on a port and folder of its own, run as its own user."""
    tools = _from_debian(day, "postgresql", "postgresql/*/bin/initdb").parent
    data = Path(tempfile.mkdtemp(prefix="rapport-postgres-"))
    shutil.chown(data, POSTGRES_USER)
    port = free_port()
    as_user = ["setpriv", f"--reuid={POSTGRES_USER}", f"--regid={POSTGRES_USER}", "--clear-groups"]
    control = [*as_user, f"{tools}/pg_ctl", "-D", str(data / "db"), "-w", "-l", str(data / "log")]
    quietly(*as_user, f"{tools}/initdb", "-D", str(data / "db"), "-A", "trust", "-U", "prefect")
    options = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data}"
    quietly(*control, "-o", options, "start")
    day.restart_postgres = lambda: quietly(*control, "-m", "immediate", "-o", options, "restart")
    quietly(f"{tools}/createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "prefect", "prefect")
    try:
        yield f"postgresql+asyncpg://prefect@127.0.0.1:{port}/prefect"
        with (day.folder / "postgres.sql").open("w") as dump:
            words = [f"{tools}/pg_dump", "-h", "127.0.0.1", "-p", str(port), "-U", "prefect", "prefect"]
            subprocess.run(words, check=True, stdout=dump)
    finally:
        quietly(*control, "-m", "immediate", "stop")
        shutil.rmtree(data)


def quietly(*words: str, to: object = subprocess.DEVNULL) -> None:
    subprocess.run(words, cwd="/", check=True, stdout=to, stderr=to)


def _from_debian(day: Day, package: str, pattern: str) -> Path:
    """A file below /usr/lib; its package is installed where it is not there."""
    if not sorted(Path("/usr/lib").glob(pattern)):
        with (day.folder / "apt.txt").open("a") as said:
            quietly("apt-get", "update", to=said)
            quietly("apt-get", "install", "-y", "--no-install-recommends", package, to=said)
    return sorted(Path("/usr/lib").glob(pattern))[-1]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def postgres_restarted(day: Day) -> str:
    """The way up: a server on PostgreSQL, a worker, a scheduled run, and the database restarted in the night."""
    scheduled, place = day.place("postgres_scheduled"), day.place("postgres_restarted")
    _schedule(scheduled, "* * * * *")
    port, prefect = free_port(), (sys.executable, "-m", "prefect")
    before, deployed = dict(day.environment), day.deployed
    with postgres(day) as database:
        day.environment |= {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api", "PREFECT_HOME": str(day.folder / "pg")}
        day.environment["PREFECT_API_DATABASE_CONNECTION_URL"] = database
        server = day.begin("pg-server", *prefect, "server", "start", "--host", "127.0.0.1", "--port", str(port))
        eventually(lambda: answers(day), 180, "the server on PostgreSQL")
        folders = ("--exports", scheduled.exports, "--clinic", scheduled.clinic, "--warehouse", scheduled.warehouse)
        words = [sys.executable, "-m", "rapport", "deploy", *map(str, folders)]
        done = subprocess.run(words, cwd=ROOT, env=day.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        day.deployed = scheduled.folder.name
        worker = day.begin("pg-worker", *prefect, "worker", "start", "--pool", "rapport")
        (first, *_) = eventually(lambda: _ended(day), 240, "a scheduled night on PostgreSQL")
        assert first["state"]["type"] == "COMPLETED", first["state"]
        assert scheduled.published.exists()
        _pause(day)
        run = day.start_night(place)
        mid_night(place)
        day.restart_postgres()
        state = day.ends(run, 300)
        day.publishes(place)
        for process in (worker, server):
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)
    day.environment, day.deployed = before, deployed
    return f"a scheduled night ran; the one under the restart ended {state}; the next published"


def _pause(day: Day) -> None:
    """No more scheduled nights: what follows is started by hand."""
    deployment = day.ask(f"deployments/name/nightly/{day.deployed}")["id"]
    subprocess.run(
        [sys.executable, "-m", "prefect", "deployment", "schedule", "pause", "--all"],
        cwd=ROOT, env=day.environment, capture_output=True, check=True, input=b"y\n",
    )  # fmt: skip
    pending = lambda: [r for r in _scheduled(day) if r["state"]["type"] in ("RUNNING", "PENDING")]  # noqa: E731
    eventually(lambda: not pending(), 120, f"quiet on {deployment}")


ONE_MACHINE = {
    "flow_killed": flow_killed,
    "runner_killed": runner_killed,
    "server_killed": server_killed,
    "both_killed": both_killed,
    "second_clinic": second_clinic,
    "stopped": stopped,
    "two_at_once": two_at_once,
    "disk_full": disk_full,
    "renamed_and_late": renamed_and_late,
    "clock_changes": clock_changes,
    "clock_set": clock_set,
    "days_off": days_off,
}
SCENARIOS = {**ONE_MACHINE, "postgres_restarted": postgres_restarted}


def nothing_told(day: Day) -> str:
    """What must not be there is in no message, log, database or tree; record numbers only where they belong."""
    clinics = day.folder / "clinics"
    left = [path for path in day.folder.iterdir() if path != clinics]
    trees = [place / "warehouse" for place in clinics.iterdir() if (place / "warehouse").is_dir()]
    messages = [path for path in clinics.iterdir() if path.suffix == ".messages"]
    gathered = day.folder / "gathered"
    gathered.mkdir()
    for path in (*left, *messages):
        if path.is_file():
            shutil.copy(path, gathered)
    looked = [gathered, *(path for path in left if path.is_dir()), *trees]
    found = {(word, path.relative_to(day.folder)) for word, path in search(looked, (*NOWHERE, *CROSSWALK_ONLY))}
    wrong = [(word, path) for word, path in found if not _belongs(word, path)]
    assert wrong == [], wrong
    return f"{len(messages)} clinics' messages, logs, databases and trees hold nothing of a person"


def _belongs(word: str, path: Path) -> bool:
    is_crosswalk = path.parts[-4:-2] == ("private", "versions") or path.name == "worklist.csv"
    return word in CROSSWALK_ONLY and is_crosswalk


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], metavar="SCENARIO", help=", ".join(SCENARIOS))
    asked = parser.parse_args().scenarios or list(SCENARIOS)
    with tempfile.TemporaryDirectory(prefix="rapport-trouble-") as folder:
        return _live_through(Day(Path(folder)), asked)


def _live_through(day: Day, asked: list[str]) -> int:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "RAPPORT_"))}
    day.environment = kept | {
        "PREFECT_HOME": str(day.folder / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{free_port()}/api",
        "PREFECT_API_AUTH_STRING": AUTH,
        "PREFECT_SERVER_API_AUTH_STRING": AUTH,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "DO_NOT_TRACK": "1",
    }
    try:
        if set(asked) & set(ONE_MACHINE):
            day.scheduled = day.place("scheduled")
            day.serving = serve(day, day.scheduled)
        failed = sum(not _said(name, lambda name=name: SCENARIOS[name](day)) for name in asked)
        if set(asked) & set(ONE_MACHINE):
            switch_off(day)  # a night that is still at work moves files under the search
        failed += not _said("nothing told", lambda: nothing_told(day))
    finally:
        day.close()
        with suppress(AssertionError):
            kill(server_process(day))
    return 1 if failed else 0


def _said(name: str, live: Callable[[], str]) -> bool:
    began = time.monotonic()
    try:
        told, is_well = live(), True
    except Exception as error:
        told, is_well = f"FAILED ({type(error).__name__}): {error}", False
    print(f"{name.replace('_', ' '):<20}{time.monotonic() - began:>5.0f} s  {told}", flush=True)
    return is_well


if __name__ == "__main__":
    sys.exit(main())
