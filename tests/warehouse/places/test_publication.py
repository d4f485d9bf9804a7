"""Publication: one moment that counts, what is done about one that was interrupted, and about a link that is lost."""

import json
import shutil
from pathlib import Path

import pytest

from rapport.flows.ops import backfill, compact, erasure_requests, forget, inbox, restore
from rapport.flows.order import place_change
from rapport.flows.pages import draw, worklist
from rapport.flows.troubles import print_troubles
from rapport.warehouse.errors import Unusable
from rapport.warehouse.places import publication, versions
from rapport.warehouse.places.attempts import note_attempt
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.publication import Made, recover
from rapport.warehouse.places.versions import current_load, kept_versions, load_of, version_stamp
from rapport.warehouse.published.current_load import next_load_id
from tests.breaking.watching import watching
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import Place

NEXT = "2026-11-19T12:00"


class Killed(BaseException):
    """A process that ends at once runs no handler; nor does this, where Exception is caught."""


def begun(folder: Path) -> Folders:
    where = Folders(folder)
    where.make()
    return where


def made_for(where: Folders, load_id: int) -> Made:
    """Files that a load has made: each says whose it is."""
    scratch = where.building / f"test-{load_id}"
    scratch.mkdir(exist_ok=True)
    names = {"published": where.published, "safe": where.safe, "crosswalk": where.crosswalk, "worklist": where.worklist}
    files = {name: scratch / link.name for name, link in names.items()}
    for file in files.values():
        file.write_text(f"load {load_id}")
    return Made(**files)


def publish(where: Folders, load_id: int) -> None:
    stamp = version_stamp(_moment(load_id), load_id)
    publication.publish(where, made_for(where, load_id), stamp, load_id, {"form": 1, "load": load_id})
    publication.finish(where, load_id)


def _moment(load_id: int):
    from datetime import UTC, datetime  # noqa: PLC0415

    return datetime(2026, 11, load_id, tzinfo=UTC)


def told(where: Folders) -> dict[str, str]:
    """What each reader of the warehouse finds by its name."""
    read = (where.published, where.safe, where.crosswalk, where.worklist, where.shared / "rapport-safe.duckdb")
    return {path.name: path.read_text() for path in read if path.exists()}


def interrupted(where: Folders, at: int) -> bool:
    """Publish load 2 and end at its nth call; whether it did end there."""

    def seen(number: int) -> None:
        if number == at:
            raise Killed

    made_for(where, 2)
    try:
        with watching(seen, is_of_system=True):
            publish(where, 2)
    except Killed:
        return True
    return False


def test_wherever_a_publication_ends_the_next_command_finds_the_old_load_or_the_new_one(tmp_path):
    whole = begun(tmp_path / "whole")
    publish(whole, 1)
    old = told(whole)
    new = {name: text.replace("1", "2") for name, text in old.items()}
    found, at = [], 1
    while True:
        folder = tmp_path / str(at)
        shutil.copytree(tmp_path / "whole", folder, symlinks=True)
        where = Folders(folder)
        if not interrupted(where, at):
            break
        recover(where)
        assert told(where) in (old, new), at
        assert not where.publishing.exists()
        loads = [[load_of(version) for version in kept_versions(link)] for link in where.links]
        assert loads in ([[1]] * 3, [[1, 2]] * 3), at
        assert not list(folder.rglob("*.new"))
        found.append(told(where) == new)
        at += 1
    assert 0 < sum(found) < len(found)
    assert found == sorted(found)  # once it has moved it stays


def test_a_load_whose_links_cannot_follow_is_published_says_so_and_exits_4(
    short_yesterday, tmp_path, monkeypatch, capsys
):
    place = short_yesterday.copied_to(tmp_path / "followed")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("rapport.flows.steps.publish.keep_newest", refuse)
    with few_tables():
        done = place.night(NEXT)
    assert current_load(place.published) == done.load_id
    assert print_troubles(done.troubles) == 4
    assert "the links that follow it could not be moved" in " ".join(capsys.readouterr().err.split())


def test_a_file_in_a_folders_place_is_named(tmp_path):
    where = begun(tmp_path / "warehouse")
    (where.shared / "versions").rmdir()
    (where.shared / "versions").write_text("moved")
    with pytest.raises(
        Unusable, match=r"/shared/versions cannot be made \(File exists\); move the file of that name away"
    ):
        where.make()


def test_a_first_publication_that_ends_early_leaves_nothing_or_all(tmp_path):
    at = 1
    while True:
        where = begun(tmp_path / str(at))
        made_for(where, 2)
        if not interrupted(where, at):
            break
        recover(where)
        assert set(told(where).values()) in (set(), {"load 2"}), at
        at += 1
    assert at > 20


def test_a_load_that_was_told_as_failed_is_undone_and_not_finished(tmp_path, monkeypatch):
    where = begun(tmp_path / "warehouse")
    publish(where, 1)
    monkeypatch.setattr(publication, "point", lambda link, version: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        publish(where, 2)
    monkeypatch.undo()
    note_attempt(where, 2, "night", _moment(2), _moment(2), "the disk is full")
    recover(where)
    assert set(told(where).values()) == {"load 1"}
    assert next_load_id(where) == 3


def test_what_fails_before_the_one_moment_that_counts_is_taken_back_at_once(tmp_path, monkeypatch):
    where = begun(tmp_path / "warehouse")
    publish(where, 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publication, "point", full)
    with pytest.raises(OSError, match="No space"):
        publish(where, 2)
    assert [[load_of(each) for each in kept_versions(link)] for link in where.links] == [[1], [1], [1]]
    assert not where.publishing.exists()


def test_a_tree_whose_group_the_user_lacks_stops_the_night_before_anything_moves(
    short_yesterday, monkeypatch, tmp_path
):
    before, shared = short_yesterday.standing(), short_yesterday.warehouse / "shared"

    def chown(path: Path, user: int, group: int, **_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.chown", chown)
    real = versions.group_of
    monkeypatch.setattr(versions, "group_of", lambda folder: 4242 if folder == shared else real(folder))
    with pytest.raises(Unusable, match=r"not in group 4242 of .*shared"):
        short_yesterday.night(NEXT)
    assert short_yesterday.standing() == before
    assert not short_yesterday.leftovers()


def words_of(place: Place) -> dict[str, tuple]:
    """Each command that writes, with its arguments."""
    common = ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    exports = ["--exports", str(place.exports)]
    return {
        "compact": (compact.main, common),
        "forget": (forget.main, [*common, *exports, "--space", "clinic", "--client", "C1"]),
        "erasure_requests": (erasure_requests.main, [*common, *exports]),
        "restore": (restore.main, [*common, "--version", "1"]),
        "backfill": (backfill.main, [*common, *exports, "--as-of", NEXT]),
        "discard": (inbox.main, ["discard", *common, "1"]),
        "worklist": (worklist.main, common),
        "pages": (draw.main, common),
    }


def lose(link: Path, how: str) -> None:
    version = link.resolve()
    link.unlink()
    if how == "dangling":
        link.symlink_to("versions/20200101T000000Z-000099/rapport.duckdb")
    elif how == "a copy in its place":
        shutil.copy(version, link)
    elif how == "a folder in its place":
        link.mkdir()
    elif how == "pointing elsewhere":
        shutil.copy(version, link.with_name("elsewhere.duckdb"))
        link.symlink_to("elsewhere.duckdb")


@pytest.mark.parametrize(
    "how", ["missing", "dangling", "a copy in its place", "a folder in its place", "pointing elsewhere"]
)
def test_a_lost_link_is_refused_by_every_command_that_writes_and_deletes_nothing(
    short_yesterday, run_night_here, capsys, how
):
    place = short_yesterday
    request = place.warehouse / "private/forget.csv"
    request.write_text("space,client,since\nclinic,C1,\n")
    lose(place.published, how)
    before = kept(place)
    for name, (command, words) in words_of(place).items():
        capsys.readouterr()
        assert command(words) == 2, name
        assert "restore --point-link" in capsys.readouterr().err, name
    for more in ((), ("--check",)):
        night = run_night_here(place, NEXT, *more)
        assert night.returncode == 2 and "restore --point-link" in night.stderr
    assert kept(place) == before


def kept(place: Place) -> set[tuple[Path, bytes]]:
    return {(path, path.read_bytes()) for path in place.warehouse.glob("*/versions/**/*") if path.is_file()}


@pytest.mark.parametrize(
    "how", ["missing", "dangling", "a copy in its place", "a folder in its place", "pointing elsewhere"]
)
def test_point_link_points_at_the_newest_whole_version_and_the_next_night_goes_on(short_yesterday, capsys, how):
    place = short_yesterday
    place.night(NEXT)
    newest, older = reversed(kept_versions(place.published))
    newest.chmod(0o600)
    with newest.open("r+b") as file:
        file.truncate(newest.stat().st_size // 2)
    lose(place.published, how)
    common = ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    assert restore.main([*common, "--point-link"]) == 0
    assert "points at load 1" in capsys.readouterr().out
    assert place.published.resolve() == older.resolve()
    assert current_load(place.warehouse / "shared/rapport_safe.duckdb") == 1
    assert current_load(place.warehouse / "private/crosswalk.parquet") == 1
    assert newest.exists()
    assert place.night("2026-11-19T13:00").load_id == 3
    assert restore.main([*common, "--point-link"]) == 2
    assert "it needs no mending" in capsys.readouterr().err


def test_what_stood_in_the_place_of_the_link_is_kept_beside_it(short_yesterday):
    lose(short_yesterday.published, "a copy in its place")
    content = short_yesterday.published.read_bytes()
    restore.point_link(Folders(short_yesterday.warehouse))
    assert short_yesterday.published.is_symlink()
    assert (short_yesterday.warehouse / "analysts/rapport.duckdb.no-link").read_bytes() == content


def test_without_a_whole_version_point_link_says_what_to_bring_back(short_yesterday, capsys):
    shutil.rmtree(short_yesterday.warehouse / "analysts/versions")
    common = ["--clinic", str(short_yesterday.clinic), "--warehouse", str(short_yesterday.warehouse)]
    assert restore.main([*common, "--point-link"]) == 2
    assert "restore that folder from a backup" in capsys.readouterr().err


@pytest.mark.parametrize("other", ["shared/rapport_safe.duckdb", "private/crosswalk.parquet"])
def test_the_other_links_are_made_anew_by_their_load(short_yesterday, other):
    link = short_yesterday.warehouse / other
    link.unlink()
    recover(Folders(short_yesterday.warehouse))
    assert current_load(link) == current_load(short_yesterday.published) == 1


def test_a_clinic_whose_first_night_failed_goes_on(short_nights, tmp_path):
    from tests.clinics.nights import open_place  # noqa: PLC0415

    place = open_place(tmp_path / "clinic")
    place.deliver_day(17)
    spoilt = place.drop("appointments_2026-11-18b.csv", b"")
    with pytest.raises(Exception, match="is empty"):
        place.night("2026-11-18T12:00")
    spoilt.unlink()
    assert place.night("2026-11-18T12:00").load_id == 2


def test_a_check_deletes_nothing_but_what_it_made(short_yesterday, run_night_here):
    place = short_yesterday
    place.night(NEXT)
    current, older = reversed(kept_versions(place.published))
    place.published.unlink()
    place.published.symlink_to(older.relative_to(place.published.parent))
    leftover = place.warehouse / "private/building/night-1"
    leftover.mkdir()
    before = sorted(place.warehouse.rglob("*"))
    assert run_night_here(place, "2026-11-19T13:00", "--check").returncode == 0
    assert sorted(place.warehouse.rglob("*")) == before and current.exists()


def test_versions_that_nothing_points_at_are_kept_and_named(short_yesterday, capsys):
    place = short_yesterday
    place.night(NEXT)
    older = kept_versions(place.published)[0]
    place.published.unlink()
    place.published.symlink_to(older.relative_to(place.published.parent))
    place.night("2026-11-19T13:00")
    assert [load_of(version) for version in kept_versions(place.published)] == [1, 2, 3]
    restore.main(["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)])
    assert [line.partition("UTC")[2].strip() for line in capsys.readouterr().out.splitlines()] == [
        "",
        "",
        "published",
    ]


@pytest.mark.parametrize(
    ("what", "given"),
    [
        ("a version that nothing points at", lambda where: publish_apart(where, 7)),
        ("an attempt", lambda where: note_attempt(where, 7, "night", _moment(7), _moment(7), "why")),
        ("an interrupted publication", lambda where: where.publishing.write_text(json.dumps({"load": 7}))),
    ],
)
def test_a_load_id_is_never_given_twice(tmp_path, what, given):
    where = begun(tmp_path / "warehouse")
    publish(where, 1)
    given(where)
    assert next_load_id(where) == 8


def publish_apart(where: Folders, load_id: int) -> None:
    link = where.published.readlink()
    publish(where, load_id)
    where.published.unlink()
    where.published.symlink_to(link)


def test_the_books_too_say_which_loads_were_given(short_yesterday):
    place = short_yesterday
    with few_tables():
        order = place_change(place.clinic, place.warehouse)
    note_attempt(order.folders, 5, "night", order.as_of, order.as_of, "why")
    place.night(NEXT)
    (place.warehouse / "private/attempts.jsonl").unlink(missing_ok=True)
    assert [load_of(version) for version in kept_versions(place.published)] == [1, 6]
    assert next_load_id(order.folders) == 7
