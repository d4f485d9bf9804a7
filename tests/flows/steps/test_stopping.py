"""A signal ends a night by hand as an error does: noted, told, one sentence, and no server left behind."""

import os
import signal
import stat
import subprocess
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from prefect.exceptions import TerminationSignal

from rapport.flows import night, terminal
from rapport.flows.load import at_work
from rapport.flows.messages.tell import telling_failure
from rapport.flows.order import place_order
from rapport.flows.stopping import SIGNALS, Stop, check_stopped, stoppable
from rapport.warehouse.errors import Stopped
from rapport.warehouse.places.attempts import failed_attempts
from tests.clinics.nights import ROOT, open_place
from tests.flows.steps.test_nightly_command import TONIGHT, alarming, tell_to_file, told

ENDS_WITHIN = 120  # seconds


@pytest.fixture(autouse=True)
def ordinary_signals():
    """As of a shell's command, also where the tests run in the background; and nothing is left changed."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    left = [signal.getsignal(number) for number in SIGNALS]
    for number, handler in before.items():
        signal.signal(number, handler)
    assert left == [signal.SIG_DFL, signal.default_int_handler, signal.SIG_DFL]


@pytest.fixture
def told_place(short_yesterday):
    """Yesterday's clinic, whose operators are told in a file."""
    short_yesterday.clinic.write_text(tell_to_file(short_yesterday) + short_yesterday.clinic.read_text())
    return short_yesterday


def attempts(place) -> list[str]:
    return [attempt["reason"] for attempt in failed_attempts(order(place).folders)]


def order(place):
    return place_order(place.exports, place.clinic, place.warehouse, TONIGHT)


def instead_of(monkeypatch, name: str, work) -> None:
    """A step of the night does something else first."""
    step = getattr(night, name)
    monkeypatch.setattr(night, name, lambda *given: (work(*given), step(*given))[1])


def in_duckdb(bench, _) -> None:
    """SIGINT while DuckDB works: it makes an error of its own of what the signal raises."""
    threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
    bench.con.execute("SELECT sum(range % 7) FROM range(1000000000000)")


def swallowed(*_) -> None:
    with suppress(BaseException):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("work", "status", "name"),
    [
        (lambda *_: signal.raise_signal(signal.SIGTERM), 143, "SIGTERM"),
        (lambda *_: signal.raise_signal(signal.SIGINT), 130, "SIGINT"),
        (lambda *_: signal.raise_signal(signal.SIGHUP), 129, "SIGHUP"),
        (in_duckdb, 130, "SIGINT"),
        (swallowed, 143, "SIGTERM"),
    ],
)
def test_a_night_that_is_stopped_is_noted_told_and_said_in_one_sentence(
    told_place, run_night_here, monkeypatch, work, status, name
):
    before = told_place.standing()
    instead_of(monkeypatch, "read_deliveries", work)
    run = run_night_here(told_place, TONIGHT)
    assert (run.returncode, run.stderr.splitlines()[-1]) == (status, f"stopped by {name}; run it again")
    assert alarming(run) == []
    assert told_place.standing() == before
    assert told_place.leftovers() == []
    assert attempts(told_place) == [f"stopped by {name}; run it again"]
    ((message,),) = told(told_place)
    assert message.startswith(
        f"Rapport: the night failed: Stopped by {name}; run it again. Yesterday's warehouse stands"
    )
    assert f"'Exit status {status}'" in message


def test_a_question_that_a_signal_interrupted_is_not_published_as_failed(told_place, run_night_here, monkeypatch):
    before = told_place.standing()
    monkeypatch.setattr("rapport.flows.steps.publish.make_safe_file", lambda *_: swallowed())
    assert run_night_here(told_place, TONIGHT).returncode == 143
    assert told_place.standing() == before


def test_a_night_that_is_stopped_after_it_has_published_says_what_stands(told_place, run_night_here, monkeypatch):
    instead_of(monkeypatch, "draw", swallowed)
    run = run_night_here(told_place, TONIGHT)
    assert (run.returncode, attempts(told_place)) == (143, [])
    assert "Load 2 is published; RUNBOOK.md" in told(told_place)[0][0]
    assert told_place.ask("SELECT load_id FROM load.current") == [(2,)]


def test_a_check_that_is_stopped_is_told_to_nobody(told_place, run_night_here, monkeypatch):
    instead_of(monkeypatch, "read_deliveries", lambda *_: signal.raise_signal(signal.SIGTERM))
    assert run_night_here(told_place, TONIGHT, "--check").returncode == 143
    assert (told(told_place), attempts(told_place)) == ([], [])


def test_a_run_of_prefects_is_noted_and_its_signal_goes_on_to_prefect(told_place):
    with (
        pytest.raises(TerminationSignal),
        telling_failure(told_place.clinic, told_place.warehouse),
        at_work(order(told_place), "night"),
    ):
        raise TerminationSignal(signal.SIGTERM)
    assert (attempts(told_place), told(told_place)) == (["stopped by SIGTERM; run it again"], [])


def test_every_command_ends_so_and_a_second_signal_breaks_off_its_cleaning(capsys):
    def command():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGINT)
            pytest.fail("it went on")

    assert terminal.finish(command) == 143
    assert capsys.readouterr().err == "stopped by SIGTERM; run it again\n"


def test_what_a_library_has_raised_for_the_same_signal_is_not_raised_twice():
    cleaned = []
    with pytest.raises(Stopped), stoppable():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            signal.raise_signal(signal.SIGINT)
            cleaned.append("all of it")
            raise
    assert cleaned == ["all of it"]


def test_a_signal_that_was_ignored_stays_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stoppable():
        signal.raise_signal(signal.SIGHUP)
        check_stopped()
    assert signal.signal(signal.SIGHUP, signal.SIG_DFL) is signal.SIG_IGN


def test_an_import_keeps_no_lock_when_a_signal_comes_into_it(tmp_path, monkeypatch):
    """A lock of the import system that is never given back stops every other thread that imports."""
    finds = compile("def find_spec(*_):\n    raise_signal(SIGTERM)", "<frozen importlib._bootstrap>", "exec")
    names = {"raise_signal": signal.raise_signal, "SIGTERM": signal.SIGTERM}
    exec(finds, names)
    with pytest.raises(Stopped), stoppable():
        names["find_spec"]()
        with pytest.raises(Stop):
            while True:
                pass
        check_stopped()


def of_session(session: int) -> list[Path]:
    """The processes of a session that have not ended."""
    found = []
    for each in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            state, _, _, of = (each / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(of) == session and state != "Z":
                found.append(each)
    return found


@contextmanager
def started(place, environment):
    """A night as a real process, in a session of its own."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(place.command(TONIGHT), cwd=ROOT, env=environment, **pipes) as process:
        try:
            yield process
        finally:
            for each in of_session(process.pid):
                os.kill(int(each.name), signal.SIGKILL)


def test_a_night_s_own_prefect_server_has_no_key_shows_nobody_its_files_and_ends_with_it(tmp_path):
    place, home = open_place(tmp_path / "clinic"), tmp_path / "prefect"
    place.deliver_day(18)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "RAPPORT_"))}
    with started(place, kept | {"PREFECT_HOME": str(home), "RAPPORT_KEY": "5a" * 32}) as process:
        for line in process.stderr:
            if line == "… begin\n":
                break
        (server,) = (each for each in of_session(process.pid) if each.name != str(process.pid))
        assert b"RAPPORT" not in (server / "environ").read_bytes()
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (home, home / "prefect.db")]
        process.terminate()
        said, errors = process.communicate(timeout=ENDS_WITHIN)
        assert (process.returncode, errors.splitlines()[-1]) == (143, "stopped by SIGTERM; run it again")
        assert of_session(process.pid) == []
    assert (said, modes) == ("", [0o700, 0o600])
