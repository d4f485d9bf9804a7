"""Names that are not Rapport's, in every folder: passed over by every command, by sweeping and by keeping."""

import io
import os
import shutil
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from rapport.flows.ops import query
from rapport.warehouse.places.publication import recover
from rapport.warehouse.places.scratch import scratch_folder, sweep_scratch
from rapport.warehouse.places.versions import keep_newest, kept_versions, load_of
from rapport.warehouse.store import building_file, opening
from tests.breaking.spoiling import COMMANDS, run
from tests.clinics.nights import Place
from tests.warehouse.places.test_publication import begun, publish

FILES = (".DS_Store", ".nfs0001", "x.wal", "rapport.duckdb.wal", "Thumbs.db", "desktop.ini", "notes.html", "x.lock")
NAMELESS = os.fsdecode(b"caf\xe9.csv")  # no UTF-8
FOLDERS = ("x.duckdb.tmp", "lost+found", ".Trash-1000", "20260101T000000Z", "old")
WHERE = ("*", "*/versions", "*/versions/*", "private/building", "private/lines", "shared/pages", "shared/pages/*")


def leave(place: Place) -> dict[Path, bytes | None]:
    """Foreign names in every folder of a warehouse, and in the exports; what each holds."""
    folders = {folder for pattern in WHERE for folder in place.warehouse.glob(pattern) if folder.is_dir()}
    left = {}
    for folder in (*folders, place.warehouse, place.exports):
        for name in (*FILES, NAMELESS):
            left[folder / name] = b"left"
        for name in FOLDERS:
            left[folder / name] = None
            left[folder / name / "duckdb_temp_storage-0.tmp"] = b"left"
    for path, content in left.items():
        path.mkdir() if content is None else path.write_bytes(content)
    return left


def test_every_command_passes_them_over_and_leaves_them_as_they_are(spoilable, tmp_path):
    place = spoilable.copied_to(tmp_path / "clinic")
    assert run(COMMANDS["pages"], place).status == 0
    left = leave(place)
    for name, command in COMMANDS.items():
        if name == "quarantine discard":  # that row is answered by the night
            continue
        ended = run(command, place)
        said = f"{name}: {ended}"
        assert ended.status in (0, 1) if name.startswith("freshness") else ended.status == 0, said
        assert not ended.raised and "Traceback" not in ended.err, said
        assert [path for path in left if not os.path.lexists(path)] == [], said
    assert all(path.read_bytes() == content for path, content in left.items() if content is not None)
    assert (place.folder / "kept/shared/Thumbs.db").exists()  # a backup takes them along, but for a disk's own
    assert not (place.folder / "kept/private/lost+found").exists()


def test_keeping_and_recovering_pass_them_over(tmp_path):
    where = begun(tmp_path / "warehouse")
    for load in (1, 2, 3):
        publish(where, load)
    (tmp_path / "exports").mkdir()
    left = leave(Place(tmp_path))
    for link in where.links:
        keep_newest(link, 1, datetime.now(UTC) + timedelta(days=1))
        assert [load_of(version) for version in kept_versions(link)] == [3]
    recover(where)
    assert [path for path in left if not os.path.lexists(path)] == []


def test_a_version_s_folder_that_lost_its_file_goes_but_for_what_is_anothers(tmp_path):
    where = begun(tmp_path / "warehouse")
    publish(where, 1)
    publish(where, 2)
    empty, shared = (version.parent for version in (kept_versions(where.safe)[0], kept_versions(where.crosswalk)[0]))
    (shared / ".nfs0001").write_text("still open")
    for folder, name in ((empty, where.safe.name), (shared, where.crosswalk.name)):
        (folder / name).unlink()
    recover(where)
    assert not empty.exists()
    assert [path.name for path in shared.iterdir()] == [".nfs0001"]


def test_sweeping_removes_what_rapport_left_and_nothing_else(tmp_path):
    building_folder = tmp_path / "building"
    building_folder.mkdir()
    foreign = {building_folder / name for name in (*FILES, NAMELESS)}
    for path in foreign:
        path.write_text("left")
    foreign |= {building_folder / name for name in FOLDERS}
    ours = {"000007.duckdb", "000007.duckdb.wal", "work.duckdb", "crosswalk.parquet", f"{'ab' * 16}.parquet"}
    for name in ours | {"night-1.lock"}:
        (building_folder / name).write_text("left")
    for name in (*FOLDERS, "night-1", "000007.duckdb.tmp"):
        (building_folder / name).mkdir()
    with scratch_folder(building_folder, "verify") as at_work:
        sweep_scratch(building_folder)
        assert set(building_folder.iterdir()) == foreign | {at_work, at_work.with_name(f"{at_work.name}.lock")}


def test_a_write_ahead_log_beside_a_published_file_is_not_taken_in(tmp_path):
    """DuckDB takes it in, also read-only: somebody who opened the file to write would change what everybody reads."""
    file = tmp_path / "rapport.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute("CREATE TABLE load AS SELECT 1 AS load_id")
    written = tmp_path / "other/rapport.duckdb"
    written.parent.mkdir()
    shutil.copy(file, written)
    with duckdb.connect(str(written)) as con:
        con.execute("SET wal_autocheckpoint = '1TB'; INSERT INTO load VALUES (2)")
        shutil.copy(f"{written}.wal", f"{file}.wal")
    asked = "SELECT list(load_id ORDER BY load_id), any_value(current_database()) FROM load"
    with duckdb.connect(str(file), read_only=True) as con:
        assert con.sql(asked).fetchone() == ([1, 2], "rapport")
    with building_file.open_published(file) as con:
        assert con.sql(asked).fetchone() == ([1], "rapport")
    assert opening.open_plain(file, read_only=True).sql(asked).fetchone() == ([1], "rapport")
    with opening.open_memory() as con:
        opening.attach(con, file, "kept", read_only=True)
        assert con.sql("SELECT list(load_id) FROM kept.load").fetchone() == ([1],)
    assert Path(f"{file}.wal").stat().st_size > 0


# What is read spills beside no published file.

TOO_LARGE = "SELECT max(b), count(*) FROM (SELECT hash(range)::VARCHAR AS b FROM range(1000000) ORDER BY b OFFSET 1)"


@pytest.fixture
def little_memory(monkeypatch):
    """Every file is opened with less memory than a large query needs."""
    opened = opening.open_file
    monkeypatch.setattr(opening, "open_file", lambda path, **more: opened(path, memory_limit="40MB", threads=1, **more))


def test_a_query_larger_than_the_memory_works_in_a_folder_of_its_own_that_is_gone_afterwards(
    published, little_memory, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before, seen, is_over = set(published.warehouse.rglob("*")), set(), threading.Event()

    def watch() -> None:
        while not is_over.wait(0.002):
            seen.update((folder.name[:8], folder.stat().st_mode & 0o777) for folder in tmp_path.glob("*/*.tmp/.."))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert query.main(["--warehouse", str(published.warehouse), "--sql", TOO_LARGE]) == 0
    finally:
        is_over.set()
        watcher.join()
    assert "999999" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
    assert set(published.warehouse.rglob("*")) == before


def test_its_folder_holds_what_was_spilled_while_it_runs(published, little_memory, tmp_path):
    from rapport.warehouse.published.page_answers import open_locked  # noqa: PLC0415

    with open_locked(published.published, tmp_path) as con:
        assert con.sql("SELECT current_setting('enable_external_access')").fetchone() == (False,)
        found = con.execute(TOO_LARGE.replace("max(b), count(*)", "*"))
        assert found.fetchone()
        assert list(tmp_path.glob("duckdb_temp_storage*"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("read", [building_file.open_published, opening.open_briefly, opening.open_plain])
def test_no_other_reading_of_a_published_file_spills_anywhere(published, little_memory, read):
    before = set(published.warehouse.rglob("*"))
    more = {"read_only": True} if read is opening.open_plain else {}
    with read(published.published, **more) as con:
        assert con.sql("SELECT current_setting('temp_directory')").fetchone() == ("",)
    assert set(published.warehouse.rglob("*")) == before


def test_a_name_that_is_no_utf_8_is_read_like_any_other(short_yesterday, capsys, monkeypatch):
    name = os.fsdecode(b"appointments_2026-11-19-caf\xe9.csv")
    (short_yesterday.exports / "appointments_2026-11-19.csv").rename(short_yesterday.exports / name)
    assert short_yesterday.night("2026-11-19T12:00").load_id == 2
    assert short_yesterday.ask("SELECT count(*) FROM load.files WHERE load_id = 2 AND source = 'appointments'") == [
        (1,)
    ]
    short_yesterday.drop(name, b"")
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    ended = run(COMMANDS["nightly"], short_yesterday)
    assert ended.status == 1


def test_a_folder_of_exports_that_cannot_be_listed_is_no_empty_one(short_yesterday, monkeypatch):
    place = short_yesterday
    place.clinic.write_text(place.clinic.read_text().replace('files = "', 'files = "*/'))
    (place.exports / "north").mkdir()
    (place.exports / "south").mkdir()
    for path in list(place.exports.glob("*.csv")):
        path.rename(place.exports / "north" / path.name)
    listed = os.scandir

    def refused(path):
        if isinstance(path, os.PathLike | str) and Path(path).name == "south":
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(Exception, match=r"exports/south may not be read|a file in .*exports/south"):
        place.night("2026-11-19T12:00")
