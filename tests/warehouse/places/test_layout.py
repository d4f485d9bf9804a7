"""A warehouse of Rapport 0.1, in which a version was a file, is used like any other; and the way back to it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from rapport.flows.ops import compact, forget, freshness, restore
from rapport.flows.ops.verify import verify
from rapport.flows.order import place_change
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.publication import recover
from rapport.warehouse.places.scratch import sweep_scratch
from rapport.warehouse.places.versions import current_load, kept_versions, load_of
from rapport.warehouse.published.current_load import published_load
from tests.clinics.nights import Place
from tests.house.test_runbook import BLOCKS

LINKS = ("analysts/rapport.duckdb", "shared/rapport_safe.duckdb", "private/crosswalk.parquet")
NAMES = [Path(link).name for link in LINKS]
NEXT = "2026-11-19T12:00"
KEY = "k" * 40
EVERYBODY = {"form", "rapport", "load", "as_of", "data_to", "bytes"}
ANALYSTS = EVERYBODY | {"published_at", "waiting_rows", "late_sources", "failed_questions", "failed_since", "encrypted"}


def way_back(place: Place) -> None:
    """The lines of the runbook that move a warehouse into the layout of 0.1."""
    (lines,) = [block for block in BLOCKS if "mv -T" in block]
    environment = os.environ | {"WAREHOUSE": str(place.warehouse)}
    subprocess.run(["bash", "-euo", "pipefail", "-c", lines], env=environment, check=True)


@pytest.fixture
def old(short_yesterday) -> Place:
    """A warehouse of 0.1 with one load, and tomorrow's files."""
    way_back(short_yesterday)
    return short_yesterday


def loads(place: Place) -> list[list[int]]:
    return [[load_of(each) for each in kept_versions(place.warehouse / link)] for link in LINKS]


def common(place: Place) -> list[str]:
    return ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]


def is_old(version: Path) -> bool:
    return version.parent.name == "versions"


def trees(place: Place) -> dict[str, object]:
    """Each file with its mode and bytes, each link with its target."""
    found = [
        path for tree in ("analysts", "shared", "private/versions") for path in (place.warehouse / tree).rglob("*")
    ]
    found += [*(place.warehouse / "private").glob("*.parquet"), *(place.warehouse / "private/building").iterdir()]
    return {
        str(path.relative_to(place.warehouse)): str(path.readlink())
        if path.is_symlink()
        else (path.stat().st_mode, path.read_bytes())
        for path in found
        if path.is_symlink() or path.is_file()
    }


def as_in_0_1(path: str) -> str:
    """Where 0.1 had what is in this place, or what it linked to."""
    if "versions/" in path:
        return f"{Path(path).parent}{Path(path).suffix}"
    return path.replace("rapport_safe", "rapport-safe")


def test_the_way_back_leaves_what_0_1_would_have_written(short_yesterday):
    place = short_yesterday
    place.night(NEXT)
    new = trees(place)
    (place.warehouse / "private/building/verify-1").mkdir()
    way_back(place)
    expected = {as_in_0_1(name): what for name, what in new.items() if Path(name).name in NAMES}
    expected |= {name: as_in_0_1(what) for name, what in expected.items() if isinstance(what, str)}
    assert trees(place) == expected
    assert len(expected) == 9
    assert not [path for path in place.warehouse.glob("*/versions/*") if path.is_dir()]


def test_a_warehouse_of_0_1_is_read_listed_and_verified(old, capsys):
    assert current_load(old.published) == 1
    assert published_load(old).load_id == 1
    assert verify(place_change(old.clinic, old.warehouse)).is_equal
    assert restore.main(common(old)) == 0
    assert "load 1" in capsys.readouterr().out
    assert freshness.main([*common(old), "--as-of", "2026-11-18T13:00"]) == 0


def test_the_nights_that_follow_leave_it_behind(old):
    old.clinic.write_text("keep_versions = 2\nkeep_hours = 0\n" + old.clinic.read_text())
    old.night(NEXT)
    assert [[is_old(each) for each in kept_versions(old.warehouse / link)] for link in LINKS] == [[True, False]] * 3
    assert old.published.readlink().name == "rapport.duckdb"
    assert str((old.warehouse / "shared/rapport-safe.duckdb").readlink()) == "rapport_safe.duckdb"
    with duckdb.connect(str(old.warehouse / "shared/rapport-safe.duckdb"), read_only=True) as con:
        assert con.sql("SELECT load_id FROM load.current").fetchall() == [(2,)]
    old.night("2026-11-19T13:00")
    assert loads(old) == [[2, 3]] * 3
    assert not list(old.warehouse.glob("*/versions/*.*"))


def test_a_version_of_0_1_is_published_again(old):
    old.night(NEXT)
    assert restore.main([*common(old), "--version", "1"]) == 0
    assert loads(old) == [[1, 2, 3]] * 3
    assert old.ask("SELECT max(session_date)::VARCHAR FROM sessions") == [("2026-11-17",)]


def test_a_version_of_0_1_is_compacted_encrypted_and_made_plain_again_where_it_lies(old, monkeypatch, capsys):
    place_of_one = kept_versions(old.published)[0]
    monkeypatch.setenv("RAPPORT_ENCRYPTION_KEY", KEY)
    assert compact.main(common(old)) == 0
    assert b"DUCK" in place_of_one.read_bytes()[:16] and is_encrypted(place_of_one)
    facts = told(old, "analysts", 2)
    assert (facts["encrypted"], facts["late_sources"], facts["failed_since"]) == (True, None, None)
    monkeypatch.delenv("RAPPORT_ENCRYPTION_KEY")
    assert freshness.main([*common(old), "--as-of", "2026-11-18T13:00"]) == 0  # a monitor needs no key
    assert "fresh: load 2" in capsys.readouterr().out
    monkeypatch.setenv("RAPPORT_ENCRYPTION_KEY_BEFORE", KEY)
    assert compact.main(common(old)) == 0
    assert not any(is_encrypted(each) for each in kept_versions(old.published))
    assert told(old, "analysts", 2)["encrypted"] is False
    assert place_of_one.is_file() and not (place_of_one.parent / "load.json").exists()


def is_encrypted(version: Path) -> bool:
    from rapport.warehouse.store import encryption  # noqa: PLC0415

    return encryption.is_encrypted(version)


def told(place: Place, tree: str, load_id: int) -> dict:
    (found,) = (place.warehouse / tree / "versions").glob(f"*-{load_id:06d}/load.json")
    return json.loads(found.read_text())


def test_a_person_is_taken_out_of_a_version_of_0_1(old):
    with (old.exports / "responses_2026-11-19.csv").open("a") as file:
        file.write("X,C1,srs,client,2026-11-17T10:00,99,5\n")
    old.night(NEXT)
    assert told(old, "analysts", 2)["waiting_rows"] == 1
    arguments = [*common(old), "--exports", str(old.exports), "--space", "clinic", "--client", "C1"]
    assert forget.main(arguments) == 0
    for version in kept_versions(old.published):
        with duckdb.connect(str(version), read_only=True) as con:
            assert con.sql("SELECT count(*) FROM clients").fetchall() == [(5,)]
    assert is_old(kept_versions(old.published)[0])
    assert [told(old, "analysts", load)["waiting_rows"] for load in (2, 3)] == [0, 0]
    for tree, link in (("analysts", old.published), ("private", old.warehouse / LINKS[2])):
        assert [told(old, tree, load_of(each))["bytes"] for each in kept_versions(link)[1:]] == [
            each.stat().st_size for each in kept_versions(link)[1:]
        ]


def test_what_a_killed_night_and_a_killed_verification_of_0_1_left_is_swept_away(old):
    building = old.warehouse / "private/building"
    for name in ("000123.duckdb", "000123.duckdb.wal", "crosswalk.parquet", "duckdb_temp_block-7.block",
                 "duckdb_temp_storage_DEFAULT-0.tmp", "worklist.csv"):  # fmt: skip
        (building / name).touch()
    (building / "000123.duckdb.tmp").mkdir()
    (building / ".nfs0001").touch()
    desk = old.warehouse / "private/tmpab12cd_3"
    desk.mkdir()
    (desk / "desk.duckdb").touch()
    sweep_scratch(building)
    assert [path.name for path in building.iterdir()] == [".nfs0001"]
    assert not desk.exists()


def test_a_night_of_0_1_that_was_killed_between_its_two_links_is_as_if_it_had_not_been(old):
    """Its crosswalk of load 2 is there and pointed at; the analysts' file of load 2 is not pointed at, or not there."""
    crosswalk = old.warehouse / LINKS[2]
    orphan = crosswalk.resolve().with_name("20261119T180000Z-000002.parquet")
    shutil.copy(crosswalk.resolve(), orphan)
    crosswalk.unlink()
    crosswalk.symlink_to(f"versions/{orphan.name}")
    assert verify(place_change(old.clinic, old.warehouse)).is_equal
    recover(Folders(old.warehouse))
    assert (current_load(crosswalk), current_load(old.published)) == (1, 1)
    assert old.night(NEXT).load_id == 3
    assert current_load(crosswalk) == 3 and orphan.exists()


def test_load_json_tells_analysts_of_a_load_and_others_only_which_one_it_is(short_yesterday):
    short_yesterday.night(NEXT)
    assert told(short_yesterday, "analysts", 2).keys() == ANALYSTS
    assert told(short_yesterday, "shared", 2).keys() == told(short_yesterday, "private", 2).keys() == EVERYBODY
    assert compact.main(common(short_yesterday)) == 0
    assert told(short_yesterday, "analysts", 3).keys() == ANALYSTS
    for link in LINKS:
        version = kept_versions(short_yesterday.warehouse / link)[-1]
        assert json.loads((version.parent / "load.json").read_text())["bytes"] == version.stat().st_size
        assert (version.parent / "load.json").stat().st_mode == version.stat().st_mode
