"""A damaged file of a warehouse: a command names it and the way out, or does its work; nothing damaged is handed on."""

import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import duckdb
import pytest

from rapport.flows.ops.forget import find_person
from rapport.flows.order import place_change
from rapport.warehouse.places.digests import SUMS, is_as_written
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.load_facts import facts_of
from rapport.warehouse.places.versions import current_load, kept_versions, load_of, replace_version
from rapport.warehouse.store import encryption
from tests.breaking.spoiling import (
    BEGIN_A_LOAD,
    COMMANDS,
    FILES,
    Ended,
    cases,
    complaint,
    run,
    spoil,
    spoilt,
)
from tests.breaking.watching import watching
from tests.clinics.nights import ROOT, Place
from tests.warehouse.places.test_publication import Killed, begun, publish

SEED = 18
HEAVY = BEGIN_A_LOAD | {"verify", "as_known_on"}
KEY, OTHER = "key-of-a-test-" + "5e" * 16, "another-key-of-a-test-" + "7c" * 16
BLOCK, FIRST_BLOCK = 1 << 18, 3 << 12  # of a DuckDB file: its three headers come first


@pytest.fixture
def place(spoilable, tmp_path) -> Place:
    return spoilable.copied_to(tmp_path / "clinic")


def do(name: str, place: Place) -> Ended:
    return run(COMMANDS[name], place)


def complaints(place: Place, work: Path, chosen: list[tuple[str, str, str]]) -> list[str]:
    """What is wrong with how each command ended."""
    found = []
    for file, damage, name in chosen:
        copied = spoilt(place, work / "clinic", file, damage)
        if wrong := complaint(file, damage, name, do(name, copied)):
            found.append(f"{name} over {file} ({damage}): {wrong}")
        shutil.rmtree(copied.folder)
    return found


def test_the_commands_that_are_tried_are_those_of_readme_and_runbook():
    told = "".join((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "RUNBOOK.md"))
    registers = {"deploy"}  # with Prefect's server; it opens no file of a warehouse
    assert set(re.findall(r"python -m flows\.(\w+)", told)) - registers <= {name.split()[0] for name in COMMANDS}


@pytest.mark.parametrize(
    ("commands", "count"), [(set(COMMANDS) - HEAVY, 60), (HEAVY, 5)], ids=["that read", "that make a load"]
)
def test_a_command_over_a_damaged_file_names_it_and_the_way_out_or_works(spoilable, tmp_path, commands, count):
    assert complaints(spoilable, tmp_path, cases(count, SEED, commands)) == []


def test_with_encryption_it_is_the_same(place, tmp_path, monkeypatch):
    monkeypatch.setenv(encryption.KEY, KEY)
    assert do("compact", place).status == 0
    published, current = next(iter(FILES)), current_load(place.published)
    monkeypatch.setitem(FILES, published, lambda where: next(where.warehouse.glob(f"analysts/*/*{current}/*.duckdb")))
    chosen = [each for each in cases(2000, SEED, {"query", "restore", "worklist"}) if each[0] == published][:8]
    chosen += [each for each in cases(2000, SEED, {"nightly"}) if each[0] == published][:1]
    assert complaints(place, tmp_path / "work", [each for each in chosen if each[1] != "a folder"]) == []


# What is whole is published again, and what is damaged is not handed on.


def damage(file: str, how: str, place: Place) -> Path:
    path = FILES[file](place)
    spoil(path, how, random.Random(SEED))
    return path


@pytest.mark.parametrize("has_digest", [True, False], ids=["as now", "of 0.1, without digests"])
def test_a_good_version_is_published_again_although_the_published_file_is_torn(place, has_digest):
    damaged = damage("the published file", "torn", place)
    if not has_digest:
        (damaged.parent / SUMS).unlink()
    listed = do("restore", place).out
    assert [line.endswith("damaged") for line in listed.splitlines()] == [False, False, True]
    assert "books of the loads since are lost" in do("restore --version 2", place).err
    assert place.ask("SELECT load_id FROM load.current") == [(5,)]  # the attempt was the fourth
    assert do("nightly", place).status == 0
    assert do("verify", place).status == 0


def test_damage_is_not_handed_on_to_the_next_load(place):
    """DuckDB reads no block that a night does not ask for: a copy of the file would carry the damage on."""
    copied = place.copied_to(place.folder.parent / "bit")
    path = FILES["the published file"](copied)
    with duckdb.connect() as con:
        free = _bytes_that_nobody_reads(con, path)
    data = bytearray(path.read_bytes())
    data[free] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)
    ended = do("nightly", copied)
    assert ended.status == 1
    assert "rapport.duckdb is damaged and cannot be read; publish a kept version again" in ended.err


def _bytes_that_nobody_reads(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """A place in the file where a changed bit is in no row, table or view."""
    whole = path.read_bytes()
    for at in range(FIRST_BLOCK + 8 + BLOCK // 2, len(whole), BLOCK):
        other = path.with_name("tried.duckdb")
        other.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            con.execute(f"ATTACH '{other}' AS tried (READ_ONLY); ATTACH ':memory:' AS all_of_it")
            con.execute("COPY FROM DATABASE tried TO all_of_it; DETACH tried; DETACH all_of_it")
            return at
        except duckdb.Error:
            con.execute("DETACH DATABASE IF EXISTS tried; DETACH DATABASE IF EXISTS all_of_it")
        finally:
            other.unlink()
    raise AssertionError("every block is read")


@pytest.mark.parametrize("name", ["query", "restore", "restore --version 1"])
def test_a_block_in_anothers_place_would_end_duckdbs_process_so_the_file_is_looked_at_first(place, name):
    path = FILES["the published file"](place)
    data = path.read_bytes()
    first, second = (data[FIRST_BLOCK + n * BLOCK : FIRST_BLOCK + (n + 1) * BLOCK] for n in (1, 2))
    path.chmod(0o600)
    path.write_bytes(data.replace(first, second))
    ended = do(name, place)
    assert ended.status == {"query": 1, "restore": 0}.get(name, 4)
    assert "damaged" in ended.out + ended.err


def test_a_damaged_safe_file_is_made_anew_and_told(place):
    damage("the safe file", "one flipped bit", place)
    assert do("pages", place).err.startswith("shared/versions/")
    night = do("nightly", place)
    assert night.status == 4
    assert "rapport_safe.duckdb is damaged, so the safe file has the figures" in " ".join(night.out.split())
    assert do("pages", place).status == 0


def test_point_link_passes_over_a_version_that_is_damaged_without_being_shorter(place):
    damage("the published file", "one flipped bit", place)
    assert do("restore --point-link", place).out.endswith("points at load 2.\n")


def test_a_restored_load_knows_the_people_of_the_newest_crosswalk_that_is_whole(place):
    damage("the crosswalk", "one flipped bit", place)
    ended = do("restore --version 1", place)
    assert "The crosswalk of load 3 is damaged or missing: people who are only in it" in ended.err
    assert do("nightly", place).status == 0


# Erasure works around it, and is not done until the damaged file is gone.


@pytest.mark.parametrize("file", ["an older version", "an older crosswalk"])
def test_forget_cleans_what_it_can_and_is_not_done_until_the_damaged_file_is_gone(place, file):
    damaged = damage(file, "one flipped bit", place)
    ended = do("forget", place)
    assert ended.status == 1
    told = [line for line in ended.err.splitlines() if line.startswith("Nobody can be taken out of")]
    assert len(told) == 1 and "/".join(damaged.parts[-2:]) in told[0] and "delete its folder" in told[0]
    assert [load_of(version) for version in kept_versions(place.published)] == [1, 2, 3, 5]
    shutil.rmtree(damaged.parent)
    assert do("forget", place).status == 0


def test_a_request_of_erasure_is_not_done_until_the_damaged_file_is_gone(place):
    damaged, asked = damage("an older version", "torn", place), place.warehouse / "private/forget.csv"
    for name, status in (("erasure_requests", 1), ("compact", 4)):  # what else makes a load says so too
        ended = do(name, place)
        assert "/".join(damaged.parts[-2:]) in ended.err and "delete its folder" in ended.err
        assert (ended.status, "An erasure that was begun on" in ended.err) == (status, True)
    assert do("erasure_requests", place).err.startswith("an erasure is not finished; run the next night")
    assert asked.read_text() == "space,client,since\n"
    shutil.rmtree(damaged.parent)
    ended = do("nightly", place)
    assert (ended.status, "An erasure" in ended.err) == (0, False)
    assert not (place.warehouse / "private/erasing.json").exists()
    assert do("erasure_requests", place).status == 0


def test_with_another_key_nobody_is_called_unknown(place, monkeypatch):
    monkeypatch.setenv("RAPPORT_KEY", "cd" * 32)
    ended = do("forget", place)
    assert (ended.status, "is not the one this warehouse was made with" in ended.err) == (2, True)


def test_a_person_whom_a_damaged_crosswalk_may_name_is_not_called_unknown(place):
    damage("an older crosswalk", "torn", place)
    order = place_change(place.clinic, place.warehouse)
    assert find_person(order, "clinic", "C1", None)
    with pytest.raises(Exception, match=r"000001/crosswalk\.parquet is damaged"):
        find_person(order, "clinic", "C99", None)


@pytest.mark.parametrize("command", ["forget", "person"])
def test_where_every_crosswalk_is_lost_nobody_is_called_unknown(place, command):
    shutil.rmtree(place.warehouse / "private/versions")
    ended = do(command, place)
    assert (ended.status, "the crosswalk of load 3 is missing in private/versions; " in ended.err) == (1, True)


@pytest.mark.parametrize("command", ["key", "nightly", "restore --version 2"])
def test_a_warehouse_that_has_lost_its_key_gets_no_new_one(place, command):
    (place.warehouse / "private/key").unlink()
    ended = do(command, place)
    assert (ended.status, "bring private/key back from its backup" in ended.err) == (2, True)
    assert not (place.warehouse / "private/key").exists()


def test_a_new_key_of_encryption_goes_around_a_damaged_version_and_names_it(place, monkeypatch):
    damaged = damage("an older version", "torn", place)
    monkeypatch.setenv(encryption.KEY, KEY)
    ended = do("compact", place)
    assert (ended.status, "could not be written again with the key; delete its folder" in ended.err) == (1, True)
    assert [encryption.is_encrypted(version) for version in kept_versions(place.published)] == [False, True, True]
    shutil.rmtree(damaged.parent)
    assert do("compact", place).status == 0


# Digests.


def test_sha256sum_itself_says_of_every_version_whether_it_is_whole(place):
    versions = [path.parent for path in place.warehouse.glob(f"*/versions/*/{SUMS}")]
    assert len(versions) == 9
    damaged = damage("the safe file", "one flipped bit", place).parent
    for folder in versions:
        done = subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=folder, capture_output=True, check=False)
        assert (done.returncode == 0) == (folder != damaged), done.stdout


def test_wherever_the_replacement_of_a_version_ends_what_is_there_is_as_it_was_written(tmp_path):
    where, at = begun(tmp_path / "whole"), 1
    publish(where, 1)
    while True:
        copied = Folders(Path(shutil.copytree(where.root, tmp_path / str(at))))
        version = kept_versions(copied.published)[0]
        made = tmp_path / "made"
        made.write_text("load 1, rewritten")
        try:
            with watching(lambda number, at=at: _die(number == at), is_of_system=True):
                replace_version(made, version, {"form": 1, "load": 1})
        except Killed:
            assert is_as_written(version), at
            assert version.read_text() in ("load 1", "load 1, rewritten"), at
            assert (facts_of(version) or {"load": 1})["load"] == 1
            at += 1
            continue
        break
    assert at > 10
    assert (is_as_written(version), version.read_text()) == (True, "load 1, rewritten")


def _die(is_time: bool) -> None:
    if is_time:
        raise Killed


def test_load_json_is_believed_only_as_it_was_written(place):
    path = FILES["load.json"](place)
    path.chmod(0o600)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"as_of": "2031-01-01T00:00:00Z"}))
    assert do("freshness", place).out.startswith("fresh: load 3 of Thursday 2026-11-19")


def test_a_backup_says_which_of_its_files_is_damaged(place):
    damage("an older version", "one flipped bit", place)
    ended = do("backup", place)
    assert (ended.status, "000001/rapport.duckdb is damaged, and so is its copy" in ended.err) == (4, True)
    assert (place.folder / "kept/analysts/rapport.duckdb").is_symlink()
