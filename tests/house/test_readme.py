"""The README, run: every command in a copy of the repository, every query on the demo's warehouse."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.store.building_file import open_published

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOISE = re.compile(r"Traceback|[Ww]arning|Exception|CancelledError|\bERROR\b")

COMMANDS = [line[2:] for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
QUERIES = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
CLINIC_FILES = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)

RUN_ELSEWHERE = {
    "make trouble",  # a quarter of an hour; test_trouble has a small part of it
    "make test",  # it is what runs this
    "make bench SIZE=S",  # a quarter of an hour; test_bench
    "make soak SEED=1",  # hours; test_killed, test_full_disk, test_readers_while_publishing and test_history_model
}
SMALLER = {"make truth": "make truth SEEDS=2"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The repository's committed or new files, with this environment as its .venv."""
    folder = tmp_path_factory.mktemp("clone") / "rapport"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    (folder / "Makefile").touch()
    return folder


def run(command: str, folder: Path) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT_", "RAPPORT_", "PYTEST_"))}
    environment["PYTHONPATH"] = str(folder)  # the copy's own package, not the checkout's that is installed
    environment["PATH"] = f"{folder / '.venv' / 'bin'}:{environment['PATH']}"
    if command.startswith("make serve"):
        return serve(command, folder, environment)
    return subprocess.run(
        command.split(),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def serve(command: str, folder: Path, environment: dict) -> subprocess.CompletedProcess:
    """Start serving, wait until it says so, and stop it as an operator would."""
    with subprocess.Popen(
        command.split(),
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as served:
        said = []
        for line in served.stdout:
            said.append(line)
            if line.startswith("serving the nightly deployment"):
                break
        os.killpg(served.pid, signal.SIGINT)
        said.append(served.communicate(timeout=60)[0])
    return subprocess.CompletedProcess(command, 0 if any("serving" in line for line in said) else 1, "", "")


def test_every_command_of_the_readme_runs_and_a_night_is_told_without_noise(copy):
    assert "make night" in COMMANDS
    for command in COMMANDS:
        if command in RUN_ELSEWHERE:
            continue
        done = run(SMALLER.get(command, command), copy)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        assert not NOISE.search(done.stdout + done.stderr), (command, done.stderr)
        if command == "make night":
            assert all(word in done.stdout for word in ("published", "+ quarantined", "did not run", "seconds"))
            assert (copy / "demo" / "clinic.toml").exists()
    made = ["demo/exports", "demo/clinic.toml", "demo/warehouse", "bench/", ".venv", ".prefect/"]
    ignored = subprocess.run(["git", "check-ignore", *made], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ignored.stdout.split() == made
    for query in QUERIES:
        with open_published(copy / "demo" / "warehouse" / "analysts" / "rapport.duckdb") as con:
            assert con.sql(query.rstrip().rstrip(";")).fetchall(), query


@pytest.mark.parametrize("text", CLINIC_FILES)
def test_every_clinic_file_of_the_readme_is_read(tmp_path, text):
    (tmp_path / "instruments").mkdir()
    (tmp_path / "clinic.toml").write_text(text, encoding="utf-8")
    assert read_clinic(tmp_path / "clinic.toml").sources


def test_the_make_file_s_help_names_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.search(r"\.PHONY: (.*)", makefile)[1].split()) - {"clean"}
    assert targets <= set(re.findall(r"^# make (\w+)", makefile, re.MULTILINE))
