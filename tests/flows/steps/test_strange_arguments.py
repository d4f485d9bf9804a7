"""What is typed wrongly at a command is one sentence and status 2, whatever it is; never a traceback."""

import importlib
import io
from pathlib import Path

import pytest

from rapport.flows.command import MODULES

NO_TIME = "is not an ISO 8601 time such as 2026-11-22T03:00, of the years 1970 to 2199"
NO_DAY = "is not a day such as 2026-11-22, of the years 1970 to 2199"
LARGE = str(10**40)


@pytest.fixture
def run(shortly_published, tmp_path, capsys):
    """Run a command on a published clinic, with or without its exports; its status and its two outputs."""
    place = shortly_published.copied_to(tmp_path / "published")  # a failed load is in its books
    clinic = str(place.clinic)

    warehouse = place.warehouse

    def run_command(command: str, *given: str, place: Path = warehouse) -> tuple[int, str, str]:
        own = [] if command in ("backup", "query") else ["--clinic", clinic]
        own += ["--warehouse", str(place)]
        capsys.readouterr()
        status = importlib.import_module(MODULES[command]).main([*given, *own])
        return status, *capsys.readouterr()

    run_command.exports = ["--exports", str(place.exports)]
    run_command.folder = place.folder
    return run_command


@pytest.mark.parametrize("given", ["9999-12-31T23:59", "0001-01-01", "1969-12-31T23:59", "now", ""])
def test_a_time_beyond_the_years_of_any_clinic_is_refused(run, given):
    assert run("backfill", *run.exports, "--as-of", given) == (2, "", f"--as-of '{given}' {NO_TIME}\n")
    assert run("freshness", "--as-of", given) == (1, f"not known: --as-of '{given}' {NO_TIME}\n", "")


@pytest.mark.parametrize("given", ["9999-12-31", "0001-01-01", "31.12.2026", ""])
def test_a_day_beyond_the_years_of_any_clinic_is_refused(run, given):
    asked = ("--space", "clinic", "--client", "C1", "--since", given)
    assert run("forget", *run.exports, *asked) == (2, "", f"--since '{given}' {NO_DAY}\n")
    out = str(run.folder / "then.duckdb")
    assert run("as-known-on", "--day", given, "--out", out) == (2, "", f"--day '{given}' {NO_DAY}\n")


@pytest.mark.parametrize("given", ["1970-01-01T00:00", "2199-12-31T23:59"])
def test_a_time_within_them_is_taken(run, given):
    assert run("freshness", "--as-of", given)[1].startswith(("not known: load 1", "stale: "))


@pytest.mark.parametrize(
    ("command", "given", "said"),
    [
        ("inbox", ["show", LARGE], f"there is no row {LARGE}; rapport inbox list shows the numbers"),
        (
            "inbox",
            ["discard", LARGE],
            "one of these rows does not wait; rapport inbox list shows the rows",
        ),
        ("restore", ["--version", LARGE], f"no version of load {LARGE} is kept; kept are 1"),
        (
            "as-known-on",
            ["--day", "2026-11-20", "--out", "none/there.duckdb"],
            "the folder of there.duckdb does not exist",
        ),
        (
            "as-known-on",
            ["--day", "2026-11-20", "--out", "x" * 300],
            f"{'x' * 300} cannot be written (File name too long)",
        ),
        (
            "forget",
            ["--space", "it's [/red]", "--client", "1"],
            "no client with this number is known in the id space 'it's",
        ),
        (
            "forget",
            ["--space", "a\x1bb", "--client", "1"],
            r"no client with this number is known in the id space 'a\x1bb'",
        ),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(run, command, given, said):
    exports = run.exports if command == "forget" or "show" in given else []
    status, told, complaint = run(command, *given, *exports)
    assert (status, told) == (2, "")
    assert complaint.startswith(said)
    assert complaint.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "option", "given"),
    [
        ("as-known-on", "--out", ["--day", "2026-11-20"]),
        ("person", "--out", ["--space", "clinic", "--client", "C1"]),
        ("backup", "--to", []),
    ],
)
@pytest.mark.parametrize(
    ("name", "why"),
    [("circle", "leads back to itself"), ("caf\udce9", r"caf\xe9 is not UTF-8"), ("x" * 300, "File name too long")],
)
def test_a_path_to_write_to_that_cannot_be_used_is_said_in_one_sentence(
    run, tmp_path, command, option, given, name, why
):
    (tmp_path / "circle").symlink_to("circle")
    status, told, complaint = run(command, *given, option, str(tmp_path / name))
    assert (status, told, complaint.count("\n")) == (2, "", 1)
    assert why in complaint


@pytest.mark.parametrize("command", ["verify", "worklist", "query"])
@pytest.mark.parametrize(("name", "why"), [("circle", "leads back to itself"), ("caf\udce9", "is not UTF-8")])
def test_a_warehouse_whose_path_cannot_be_used_is_said_in_one_sentence(run, tmp_path, command, name, why):
    (tmp_path / "circle").symlink_to("circle")
    status, told, complaint = run(command, place=tmp_path / name)
    assert (status, told, complaint.count("\n")) == (2, "", 1)
    assert why in complaint


@pytest.mark.parametrize(("command", "option"), [("key", "--warehouse"), ("demo", "--out")])
@pytest.mark.parametrize("name", ["circle", "file", "caf\udce9", "x" * 300])
def test_a_folder_that_cannot_be_made_is_said_in_one_sentence(tmp_path, capsys, command, option, name):
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "file").touch()
    assert importlib.import_module(MODULES[command]).main([option, str(tmp_path / name)]) == 2
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert "disk" not in complaint


def test_a_query_that_is_no_text_is_refused(run, monkeypatch):
    refused = (2, "a query is not UTF-8; write it in UTF-8\n")
    assert run("query", "--sql", "SELECT 'caf\udce9'")[::2] == refused
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"SELECT 'caf\xe9';\n"), encoding="utf-8"))
    assert run("query")[::2] == refused


def test_what_nobody_thought_of_is_said_without_a_traceback_or_a_value(run, monkeypatch):
    monkeypatch.setattr("rapport.flows.ops.forget.find_person", lambda *given: {}["C1, Waldburga"])
    status, _, complaint = run("forget", *run.exports, "--space", "clinic", "--client", "C1")
    assert status == 1
    assert "this is a fault of Rapport, report it" in complaint
    assert "Waldburga" not in complaint
    assert "Traceback" not in complaint
