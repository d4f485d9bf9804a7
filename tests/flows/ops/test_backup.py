"""A backup is the whole warehouse but for its key, made whole or not at all; and it goes on at another place."""

import os
import shutil
from pathlib import Path

import pytest

from rapport.flows.ops import backup
from rapport.flows.ops.verify import verify
from rapport.flows.order import place_change
from rapport.warehouse.places.folders import Folders, night_lock
from tests.clinics.nights import Place

ANOTHER_GROUP = 4242


@pytest.fixture
def place(shortly_published, tmp_path) -> Place:
    """A published clinic with pages for its staff."""
    made = shortly_published.copied_to(tmp_path / "clinic")
    pages = made.warehouse / "internal/supervision"
    pages.mkdir(parents=True)
    (pages / "index.html").write_text("<p>for staff</p>")
    pages.chmod(0o750)
    return made


def back_up(place: Place, to: Path, *more: str) -> int:
    return backup.main(["--warehouse", str(place.warehouse), "--to", str(to), *more])


def listed(root: Path) -> dict[str, tuple]:
    """Each file, folder and link below a folder, and the folder itself: mode, group, and what it holds or points at."""
    found = {}
    for path in (root, *root.rglob("*")):
        facts = path.lstat()
        what = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(root))] = (facts.st_mode, facts.st_gid, what)
    return found


def test_a_backup_has_all_trees_with_their_links_modes_and_groups_but_not_the_key(place, tmp_path, capsys):
    if os.geteuid() == 0:
        os.chown(place.warehouse / "analysts", -1, ANOTHER_GROUP)
        os.chown(place.published.resolve(), -1, ANOTHER_GROUP)
    (place.warehouse / "private/building/night-1").mkdir()
    to = tmp_path / "disk/2026-11-18"
    assert back_up(place, to) == 0
    before = listed(place.warehouse)
    assert before.pop("private/key") and before.pop("private/night.lock")
    assert listed(to) == before
    said = capsys.readouterr().out
    assert f"{to}: " in said and "The pseudonym key is not in it" in said
    assert [path.name for path in to.parent.iterdir()] == [to.name]


def test_the_key_is_copied_where_it_is_asked_for_and_that_is_said(place, tmp_path, capsys):
    assert back_up(place, tmp_path / "copy", "--with-key") == 0
    assert (tmp_path / "copy/private/key").read_bytes() == (place.warehouse / "private/key").read_bytes()
    assert "The pseudonym key is in it" in capsys.readouterr().out


def test_a_backup_goes_on_in_another_folder_of_another_machine(place, short_nights, tmp_path):
    back_up(place, tmp_path / "copy")
    other = Place(tmp_path / "another/machine")
    other.folder.mkdir(parents=True)
    shutil.move(tmp_path / "copy", other.warehouse)
    shutil.copy(place.warehouse / "private/key", other.warehouse / "private/key")
    shutil.copytree(place.exports, other.exports)
    shutil.copy(place.clinic, other.clinic)
    shutil.rmtree(place.folder)
    other.deliver_day(18)
    assert other.night("2026-11-19T12:00").load_id == 2
    assert verify(place_change(other.clinic, other.warehouse)).is_equal


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("clinic/warehouse", "is in the warehouse, or contains it"),
        ("clinic/warehouse/backup", "is in the warehouse, or contains it"),
        ("clinic", "is in the warehouse, or contains it"),
        ("full", "not an empty folder"),
        ("file", "not an empty folder"),
        ("link", "not an empty folder"),
        ("/proc", "is the top folder of a disk"),
    ],
)
def test_a_folder_that_cannot_take_it_is_refused_and_left_as_it_is(place, tmp_path, capsys, to, why):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/kept").touch()
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    before = listed(tmp_path)
    assert back_up(place, tmp_path / to) == 2
    assert why in capsys.readouterr().err
    assert listed(tmp_path) == before


def test_what_is_no_warehouse_is_refused(tmp_path, capsys):
    assert backup.main(["--warehouse", str(tmp_path), "--to", str(tmp_path / "copy")]) == 2
    assert "is not a warehouse" in capsys.readouterr().err


def test_while_a_load_runs_no_backup_is_made(place, tmp_path, capsys):
    with night_lock(Folders(place.warehouse)):
        assert back_up(place, tmp_path / "copy") == 3
    assert "another night is running" in capsys.readouterr().err
    assert not (tmp_path / "copy").exists()


def test_nobody_else_may_look_into_a_backup_that_is_being_made_and_a_killed_one_is_begun_anew(
    place, tmp_path, monkeypatch
):
    class Killed(BaseException):
        pass

    def killed(source: str, to: str, **_: object) -> None:
        assert (tmp_path / ".copy.part").stat().st_mode & 0o777 == 0o700
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copytree", killed)
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(Killed):
            back_up(place, tmp_path / "copy")
    (tmp_path / ".copy.part/half.duckdb").touch()
    assert not (tmp_path / "copy").exists()
    assert back_up(place, tmp_path / "copy") == 0
    assert not list((tmp_path / "copy").rglob("half.duckdb"))


@pytest.mark.parametrize(
    ("number", "why"), [(5, "could not be copied"), (28, "could not be written (No space left on device)")]
)
def test_a_file_that_cannot_be_read_or_a_full_disk_makes_no_backup(place, tmp_path, monkeypatch, capsys, number, why):
    def failing(source: str, to: str, **_: object) -> None:
        raise OSError(number, os.strerror(number), to)

    if number == 5:
        monkeypatch.setattr(shutil, "copyfile", failing)
    else:
        monkeypatch.setattr(shutil, "copytree", failing)
    assert back_up(place, tmp_path / "copy") == 1
    said = capsys.readouterr().err
    assert said.startswith("no backup was made: ") and why in said and len(said.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["clinic"]


def test_a_damaged_file_is_copied_as_it_is_and_named(place, tmp_path, capsys):
    version = place.published.resolve()
    version.chmod(0o600)
    with version.open("r+b") as file:
        file.truncate(version.stat().st_size // 2)
    assert back_up(place, tmp_path / "copy") == 4
    said = capsys.readouterr().err
    assert f"analysts/versions/{version.parent.name}/rapport.duckdb is damaged, and so is its copy" in said


def test_a_link_that_leads_out_of_the_warehouse_is_named(place, tmp_path, capsys):
    shutil.move(place.warehouse / "internal", tmp_path / "elsewhere")
    (place.warehouse / "internal").symlink_to(tmp_path / "elsewhere")
    assert back_up(place, tmp_path / "copy") == 4
    assert "internal is a link out of the warehouse: back up what it points at too" in capsys.readouterr().err


def test_a_backup_opens_no_database_and_so_needs_no_key_of_encryption(place, tmp_path, monkeypatch):
    monkeypatch.setenv("RAPPORT_ENCRYPTION_KEY", "too short")
    monkeypatch.setattr("duckdb.connect", lambda *_, **__: 1 / 0)
    assert back_up(place, tmp_path / "copy") == 0
