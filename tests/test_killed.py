"""A night killed at any moment costs nothing: yesterday's file answers, and the next night succeeds without help."""

import json
import subprocess
import sys

import pytest
from nights import ROOT, differences

SEED = 5
SHARES = 2  # two processes, each with its share of the kills


def test_after_fifty_kills_the_file_answers_and_the_next_night_succeeds(yesterday, surroundings, tmp_path):
    running = []
    for share in range(SHARES):
        work = tmp_path / f"share{share}"
        work.mkdir()
        given = [str(part) for part in (yesterday.folder, work, share, SHARES, SEED)]
        command = [sys.executable, str(ROOT / "tests/killing.py"), *given]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen(command, cwd=ROOT, env=surroundings, **pipes))
    try:
        told = [process.communicate(timeout=1800) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [(process.returncode, wrong) for process, (_, wrong) in zip(running, told, strict=True)] == [(0, "")] * 2
    kills = [json.loads(line) for said, _ in told for line in said.splitlines()]
    assert len(kills) == 50
    assert [kill for kill in kills if not (kill["stands"] or kill["is_new_and_whole"])] == []
    assert [kill for kill in kills if not kill["next"] or kill["differs"] or kill["leftovers"]] == []
    # Only what came after the one move that counts can have published.
    new = {kill["moment"] for kill in kills if not kill["stands"]}
    assert "after the move of .rapport.duckdb.new" in new
    assert new <= {"any", "publish", "after the move of .rapport.duckdb.new"}


@pytest.mark.parametrize("step", ("keep history", "publish"))
def test_the_command_itself_killed_in_a_step_costs_nothing(yesterday, surroundings, step):
    before = yesterday.standing()
    command = yesterday.command("2026-11-19T12:00")
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=surroundings, **pipes) as process:
        for line in process.stderr:
            if line == f"… {step}\n":
                process.kill()
    assert process.returncode == -9
    assert yesterday.standing() == before
    undisturbed = yesterday.copied_to(yesterday.folder.parent / "undisturbed")
    undisturbed.night("2026-11-19T12:00")
    yesterday.night("2026-11-19T12:00")
    assert differences(undisturbed.published, yesterday.published) == {}
    assert not yesterday.leftovers()
