"""The night from the command line: its exit statuses, and what it says to whom."""

import fcntl
import json
import sys

import pytest

from tests.clinics.nights import ALARMING, APPOINTMENTS, RESPONSES, answered, held

TONIGHT = "2026-11-19T12:00"
NO_TIME = "not an ISO 8601 time such as 2026-11-22T03:00, of the years 1970 to 2199"


def alarming(run) -> list[str]:
    return [word for word in ALARMING if word in run.stdout + run.stderr]


def tell_to_file(place) -> str:
    """An on_failure command that writes down its arguments."""
    script = place.folder / "tell.py"
    script.write_text("import json, pathlib, sys\npathlib.Path(__file__).with_suffix('.json')")
    script.write_text(script.read_text() + ".open('a').write(json.dumps(sys.argv[1:]) + '\\n')\n")
    return f"on_failure = \"{sys.executable} '{script}'\"\n"


def told(place) -> list[list[str]]:
    path = place.folder / "tell.json"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_good_night_publishes_shows_the_sum_and_says_nothing_alarming(yesterday, run_night):
    yesterday.clinic.write_text(tell_to_file(yesterday) + yesterday.clinic.read_text())
    run = run_night(yesterday, TONIGHT)
    assert (run.returncode, alarming(run)) == (0, [])
    assert "published as load 2" in run.stdout
    words = [line.split() for line in run.stdout.splitlines()]
    assert ["all", "2", "32", "2", "0", "0", "0", "0", "0", "30"] in words  # records = header + ... + loaded
    assert ["sessions", "102"] in words
    assert "SELECT session_number" in run.stdout
    assert yesterday.ask("SELECT load_id FROM load.current") == [(2,)]
    assert not told(yesterday)


def test_a_check_counts_and_publishes_nothing(yesterday, run_night_here):
    before = yesterday.standing()
    run = run_night_here(yesterday, TONIGHT, "--check")
    assert (run.returncode, alarming(run)) == (0, [])
    assert "checked, nothing published" in run.stdout
    assert ["responses", "1", "25", "1", "0", "0", "0", "0", "0", "24"] in [x.split() for x in run.stdout.splitlines()]
    assert yesterday.standing() == before
    assert not yesterday.leftovers()


def test_a_failed_night_is_told_to_the_operators_in_one_argument_without_a_file_name(yesterday, run_night):
    yesterday.clinic.write_text(tell_to_file(yesterday) + yesterday.clinic.read_text())
    yesterday.drop("responses_2026-11-19 Waldburga Canary.csv", b"")
    before = yesterday.standing()
    run = run_night(yesterday, TONIGHT)
    assert run.returncode == 1
    assert "Waldburga Canary" in run.stderr  # the terminal may name the file
    ((reason,),) = told(yesterday)
    assert "is empty (0 bytes); export it again" in reason
    assert "\n" not in reason
    assert "Waldburga" not in reason
    assert yesterday.standing() == before


def test_the_next_night_that_publishes_notes_the_one_that_failed(yesterday):
    from rapport.warehouse.errors import RapportError  # noqa: PLC0415

    spoiled = yesterday.drop("responses_2026-11-19 later.csv", b"")
    with pytest.raises(RapportError):
        yesterday.night(TONIGHT)
    with pytest.raises(RapportError):
        yesterday.night(TONIGHT, is_check=True)  # a check is not a night
    spoiled.unlink()
    yesterday.night(TONIGHT)
    loads = yesterday.ask("SELECT load_id, outcome, reason LIKE '%is empty%' FROM load.loads ORDER BY load_id")
    assert loads == [(1, "published", None), (2, "failed", True), (3, "published", None)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        *((["--as-of", given], f"--as-of '{given}' is {NO_TIME}\n") for given in ("yesterday", "9999-12-31T23:59")),
        (["--nights", "3"], "unrecognized arguments: --nights 3\n"),
    ],
)
def test_unusable_arguments_end_with_status_2(yesterday, run_night_here, more, said):
    before = yesterday.standing()
    run = run_night_here(yesterday, TONIGHT, *more)
    assert run.returncode == 2
    assert run.stderr.endswith(said)
    assert yesterday.standing() == before


def test_while_another_night_runs_the_second_ends_with_status_3(yesterday, run_night_here):
    yesterday.clinic.write_text(tell_to_file(yesterday) + yesterday.clinic.read_text())
    before = yesterday.standing()
    with (yesterday.warehouse / "private/night.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = run_night_here(yesterday, TONIGHT)
    assert run.returncode == 3
    assert run.stderr == "another night is running on this warehouse; wait for it to end\n"
    assert yesterday.standing() == before
    assert not told(yesterday)


def test_an_overdue_source_is_published_with_status_4_and_named(yesterday, run_night_here):
    text = yesterday.clinic.read_text().replace("[sources.appointments]", '[sources.appointments]\nevery = "1 day"')
    yesterday.clinic.write_text(text)
    yesterday.deliver("responses_2026-11-21.csv", RESPONSES, answered(1, 20))
    run = run_night_here(yesterday, "2026-11-21T12:00")
    assert (run.returncode, alarming(run)) == (4, [])
    assert "The source appointments is overdue" in run.stdout
    assert yesterday.ask("SELECT source FROM load.sources WHERE is_late") == [("appointments",)]
    yesterday.deliver("appointments_2026-11-21.csv", APPOINTMENTS, [held(1, 20)])
    assert yesterday.night("2026-11-21T12:00").publication.published.late_sources == []
