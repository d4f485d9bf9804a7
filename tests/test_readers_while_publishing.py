"""Analysts read while nights are published; nobody but the night writes."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from nights import ROOT, Place, demo_place, differences, open_place

NIGHTS = 10
READER = """
import sys, time
from pathlib import Path
import duckdb
path, over = sys.argv[1], Path(sys.argv[2])
question = "SELECT load_id, (SELECT count(*) FROM sessions), (SELECT count(score) FROM scores) FROM load.current"
old = duckdb.connect(path, read_only=True)
first, seen, is_over = old.sql(question).fetchone(), [], False
while not is_over:
    is_over = over.exists()
    with duckdb.connect(path, read_only=True) as new:
        seen.append(new.sql(question).fetchone())
    if old.sql(question).fetchone() != first:
        raise SystemExit("an open connection sees another night")
    time.sleep(0.2)
if seen != sorted(seen):
    raise SystemExit("a later connection sees an earlier night")
print(first[0], seen[-1][0], len(set(seen)))
"""
OPENER = """
import os, sys
import duckdb
path, group, read_only = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "reading"
if os.geteuid() == 0:
    os.setgroups([group])
    os.setgid(65534)
    os.setuid(65534)
try:
    with duckdb.connect(path, read_only=read_only) as con:
        print(con.sql("SELECT count(*) > 0 FROM scores").fetchone()[0])
except duckdb.IOException as error:
    print("refused" if "Permission denied" in str(error) else error)
"""


@pytest.fixture(scope="module")
def ten_nights(tmp_path_factory):
    """A demo clinic's nights published one by one, while two other processes read; and what the readers said."""
    place = demo_place(tmp_path_factory.mktemp("ten") / "clinic", clients=16, nights=NIGHTS + 1, seed=11)
    first, *nights = sorted(path.name[13:23] for path in place.exports.glob("appointments_*"))
    place.night(f"{first}T12:00")
    over = place.folder / "over"
    command = [sys.executable, "-c", READER, str(place.published), str(over)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    readers = [subprocess.Popen(command, **pipes) for _ in range(2)]
    try:
        for night in nights:
            done = place.night(f"{night}T12:00")
            assert place.ask("SELECT load_id FROM load.current") == [(done.load_id,)]
    finally:
        over.touch()
        told = [reader.communicate(timeout=120) for reader in readers]
    return place, f"{nights[-1]}T12:00", told


def test_two_readers_see_no_error_while_ten_nights_are_published(ten_nights):
    for said, wrong in ten_nights[2]:
        assert wrong == ""
        first, last, count = map(int, said.split())
        assert first < last == NIGHTS + 1
        assert count > 2  # they did read while nights were published


def test_nights_one_by_one_end_with_the_tables_of_all_at_once(ten_nights):
    place, last, _ = ten_nights
    loads = place.ask("SELECT count(DISTINCT load_id), bool_or(is_passed_over) FROM load.files")
    assert loads == [(NIGHTS + 1, True)]  # and some files came again byte for byte
    at_once = place.twin()
    at_once.night(last)
    found = differences(at_once.published, place.published, ("main",))
    found.pop("main.risk_answers")  # it also says in which night an answer was first loaded: compared without that
    assert found == {}
    answers = "SELECT * EXCLUDE (load_id, loaded_at) FROM risk_answers ORDER BY ALL"
    assert at_once.ask(answers) == place.ask(answers) != []


@pytest.fixture
def given_to_analysts(published):
    """A warehouse that was given to a group of analysts before its night, where others can get at it."""
    group = 4242 if os.geteuid() == 0 else os.getegid()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        place = published.copied_to(folder / "clinic")
        place.folder.chmod(0o755)
        shutil.chown(place.warehouse / "analysts", group=group)
        place.night("2026-11-18T13:00")
        yield place, group


def opened(place: Place, group: int, how: str) -> str:
    command = [sys.executable, "-c", OPENER, str(place.published), str(group), how]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_an_analyst_reads_and_is_refused_to_write_and_a_stranger_gets_nothing(given_to_analysts):
    place, group = given_to_analysts
    before = place.standing()
    assert opened(place, group, "reading") == "True"
    assert opened(place, group, "writing") == "refused"
    if os.geteuid() == 0:  # only root can be somebody else
        assert opened(place, 4243, "reading") == "refused"
    assert place.standing() == before


def test_the_trees_have_the_modes_of_their_readers_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        place = open_place(tmp_path / "clinic")
        place.deliver_day(17)
        place.night("2026-11-18T12:00")
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE((place.warehouse / path).stat().st_mode) for path in ("analysts", "private")}
    assert modes == {"analysts": 0o750, "private": 0o700}
    assert stat.S_IMODE(place.published.stat().st_mode) == 0o440
    assert stat.S_IMODE(place.published.resolve().parent.stat().st_mode) == 0o755
    private = list((place.warehouse / "private/versions").iterdir())
    assert [stat.S_IMODE(path.stat().st_mode) for path in private] == [0o600]
