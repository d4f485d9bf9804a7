"""Analysts read while nights are published; nobody but the night writes."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.clinics.nights import ROOT, Place, demo_place, differences, open_place
from tests.clinics.publications import READERS, publish_under_readers

NIGHTS = 10
PUBLICATIONS = 20
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


def test_four_readers_see_only_whole_versions_while_twenty_are_published(shortly_published, short_nights, tmp_path):
    seen = publish_under_readers(shortly_published.copied_to(tmp_path / "clinic"), PUBLICATIONS)
    assert seen.wrong == []
    assert seen.opened > seen.versions > READERS  # they did read while versions were published


@pytest.fixture(scope="module")
def ten_nights(tmp_path_factory):
    """A demo clinic's nights published one by one."""
    place = demo_place(tmp_path_factory.mktemp("ten") / "clinic", clients=16, nights=NIGHTS + 1, seed=11)
    nights = sorted(path.name[13:23] for path in place.exports.glob("appointments_*"))
    for night in nights:
        done = place.night(f"{night}T12:00")
        assert place.ask("SELECT load_id FROM load.current") == [(done.load_id,)]
    return place, f"{nights[-1]}T12:00"


def test_nights_one_by_one_end_with_the_tables_of_all_at_once(ten_nights):
    place, last = ten_nights
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
def given_to_analysts(shortly_published, short_nights):
    """A warehouse that was given to a group of analysts before its night, where others can get at it."""
    group = 4242 if os.geteuid() == 0 else os.getegid()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        place = shortly_published.copied_to(folder / "clinic")
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


def test_the_trees_have_the_modes_of_their_readers_whatever_the_umask(short_nights, tmp_path):
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
    private = [path for path in (place.warehouse / "private/versions").rglob("*") if path.is_file()]
    assert [(path.name, stat.S_IMODE(path.stat().st_mode)) for path in sorted(private)] == [
        ("SHA256SUMS", 0o600),
        ("crosswalk.parquet", 0o600),
        ("load.json", 0o600),
    ]
