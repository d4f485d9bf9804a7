"""An erasure that is interrupted, wherever it is, is finished by the next load, and named until then."""

import json
from contextlib import suppress

import pytest

import rapport.flows.ops.forget
import rapport.flows.private.erasure
import rapport.flows.steps.publish
from rapport.flows.ops import freshness, query, restore
from rapport.flows.private.open_erasures import open_erasures
from rapport.warehouse.places import publication
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.versions import kept_versions
from rapport.warehouse.store import compaction, encryption
from tests.breaking import interrupting
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import Place
from tests.flows.private.test_forget import forgotten, ids_of, order_of, place, traces, two_nights  # noqa: F401  fixtures

NEXT = "2026-11-14T12:00"


class Killed(BaseException):
    """A process that ends at once runs no handler; nor does this, where Exception is caught."""


def killed(*_: object) -> None:
    raise Killed


MOMENTS = {
    "when it was written down": (rapport.flows.private.erasure, "set_open_tombstones"),
    "while its tombstones are set": (rapport.flows.private.erasure, "set_tombstones"),
    "before it is published": (publication, "publish"),
    "after it is published": (rapport.flows.steps.publish, "finish_erasures"),
    "while a kept version is rewritten": (compaction, "rewrite"),
    "while a kept crosswalk is rewritten": (rapport.flows.private.erasure, "replace_version"),
}


def interrupted(at, moment: str, monkeypatch) -> set[str]:
    """Forget C1 and end at a moment; every id that is the person's alone."""
    ids = ids_of(at)
    where, name = MOMENTS[moment]
    with monkeypatch.context() as broken:
        broken.setattr(where, name, killed)
        with pytest.raises(Killed):
            forgotten(at)
    return ids


def common(at) -> list[str]:
    return ["--clinic", str(at.clinic), "--warehouse", str(at.warehouse)]


def is_over(at) -> bool:
    folders = Folders(at.warehouse)
    receipts = [json.loads(line) for line in folders.receipts.read_text().splitlines()]
    return not open_erasures(folders) and len(receipts) == 1 and set(receipts[0]) == {
        "at", "load_id", "rows", "versions", "version_rows"}  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_erasure_that_was_killed_is_named_until_the_next_night_has_finished_it(
    place,  # noqa: F811
    monkeypatch,
    capsys,
    moment,
):
    ids = interrupted(place, moment, monkeypatch)
    capsys.readouterr()
    query.main(["--warehouse", str(place.warehouse), "--sql", "SELECT 1"])
    freshness.main(common(place))
    restore.main(common(place))
    assert capsys.readouterr().err.count("is not finished") == 3
    place.night(NEXT)
    assert traces(place, ids) == []
    assert is_over(place)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Places where a kept file still holds somebody who is to be gone."""
    folder = tmp_path_factory.mktemp("begun")
    with few_tables():
        interrupting.begin(folder)
    return folder


@pytest.mark.parametrize(
    ("name", "stop", "at"), [("compact", interrupting.full, 40), ("restore", killed, 75), ("key", killed, 30)]
)
def test_so_does_the_night_after_any_other_command_that_was_interrupted(
    begun, short_nights, tmp_path, monkeypatch, capsys, name, stop, at
):
    at_work = Place(begun / name).copied_to(tmp_path / "clinic")
    monkeypatch.setenv(encryption.KEY, "")  # the change of the key sets it
    monkeypatch.delenv(encryption.KEY)
    with suppress(Killed), interrupting.stopping(at, stop):
        interrupting.COMMANDS[name](at_work)
        assert "is not finished" in capsys.readouterr().err  # of a disk that is full
    assert interrupting.look(at_work, name) == {"is_begun": True, "found": [], "open": 0, "leftovers": []}


def test_no_room_to_rewrite_a_kept_version_is_said_and_the_next_night_finishes(place, monkeypatch, capsys):  # noqa: F811
    ids = ids_of(place)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(compaction, "rewrite", full)
        asked = ["--space", "clinic", "--client", "C1", "--exports", str(place.exports)]
        assert rapport.flows.ops.forget.main([*asked, *common(place)]) == 1
    said = capsys.readouterr().err
    assert "the load is published, and kept versions may still hold" in said.lower() and "make room" in said
    assert not Folders(place.warehouse).receipts.exists()
    place.night(NEXT)
    assert traces(place, ids) == []
    assert is_over(place)


def test_a_kept_version_that_cannot_be_opened_is_named_until_it_is_gone(place, capsys):  # noqa: F811
    ids = ids_of(place)
    spoilt = kept_versions(Folders(place.warehouse).published)[0]
    spoilt.chmod(0o600)
    spoilt.write_bytes(b"no DuckDB file" * 1000)
    asked = ["--space", "clinic", "--client", "C1", "--exports", str(place.exports)]
    name = "/".join(spoilt.parts[-4:])
    assert rapport.flows.ops.forget.main([*asked, *common(place)]) == 1
    assert name in capsys.readouterr().err
    assert name in "".join(place.night(NEXT).troubles.damaged)
    assert open_erasures(Folders(place.warehouse))
    for left in spoilt.parent.iterdir():
        left.unlink()
    spoilt.parent.rmdir()
    place.night("2026-11-14T13:00")
    assert not open_erasures(Folders(place.warehouse))
    assert traces(place, ids) == []


def test_a_backup_that_brings_somebody_back_is_cleaned_by_the_next_night(place, tmp_path):  # noqa: F811
    ids = ids_of(place)
    before = place.copied_to(tmp_path / "before")
    forgotten(place)
    for tree in ("analysts", "shared"):
        (place.warehouse / tree).rename(tmp_path / tree)
        (before.warehouse / tree).rename(place.warehouse / tree)
    crosswalk = place.warehouse / "private/crosswalk.parquet"
    crosswalk.unlink()
    place.night(NEXT)
    assert traces(place, ids) == []
    assert not open_erasures(Folders(place.warehouse))
