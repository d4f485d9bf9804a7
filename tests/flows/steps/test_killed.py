"""A command killed at any moment costs nothing: what stood answers, and the next night succeeds without help."""

import subprocess

from tests.breaking.soak import broken_promises, killed_commands
from tests.clinics.nights import ROOT, differences

AFTER = ("after .rapport.duckdb.new", "before .crosswalk.parquet.new", "after .crosswalk.parquet.new")
KILLS = 22  # a night in nine of its steps and about each of its links; every other command once


def test_after_kills_of_every_command_the_file_answers_and_the_next_night_succeeds(short_yesterday, tmp_path):
    kills = killed_commands(short_yesterday, tmp_path / "work", KILLS, seed=5, is_short=True)
    assert len(kills) == KILLS
    assert broken_promises(kills) == []
    # Only what came after the one move that counts can have published, or what was whole but for it.
    new = {kill["moment"] for kill in kills if not kill["stands"] and kill["moment"].startswith("night: ")}
    assert "night: after .rapport.duckdb.new" in new
    assert new <= {f"night: {moment}" for moment in (*AFTER, "publish", "draw pages")}


def test_the_command_itself_killed_while_it_publishes_costs_nothing(yesterday, surroundings):
    before = yesterday.standing()
    command = yesterday.command("2026-11-19T12:00")
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env=surroundings, **pipes) as process:
        for line in process.stderr:
            if line == "… publish\n":
                process.kill()
    assert process.returncode == -9
    assert yesterday.standing() == before
    undisturbed = yesterday.copied_to(yesterday.folder.parent / "undisturbed")
    undisturbed.night("2026-11-19T12:00")
    yesterday.night("2026-11-19T12:00")
    assert differences(undisturbed.published, yesterday.published) == {}
    assert not yesterday.leftovers()
