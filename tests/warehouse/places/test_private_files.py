"""The private tree's text files: whatever is damaged in them is noticed, named, and brings nobody back."""

import json
from datetime import UTC, date, datetime

import pytest

from rapport.flows.messages import tell
from rapport.flows.messages.channels import channels
from rapport.flows.messages.tell import open_notebook
from rapport.flows.ops.erasure_requests import waiting
from rapport.flows.pages.page_folders import folder_names
from rapport.flows.private import key
from rapport.flows.private.key import read_key
from rapport.flows.private.open_erasures import open_erasures
from rapport.flows.private.tombstones import read_tombstones, set_tombstones
from rapport.flows.steps.remembered_lines import drop_lines
from rapport.warehouse.errors import Unusable
from rapport.warehouse.history.erased_days import EVERYTHING, ErasedDays
from rapport.warehouse.places.attempts import attempted_loads, note_attempt, unreadable_attempts
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.private_files import add_line, begin_anew
from rapport.warehouse.places.publication import interrupted_load

THEN = datetime(2026, 11, 18, tzinfo=UTC)
ODD = {"not UTF-8": b"\xff\xfe\x81", "binary": bytes(range(256)), "a text": b"This file was moved.\n", "empty": b""}
READERS = {
    "key": (read_key, "private/key"),
    "tombstones": (read_tombstones, "private/tombstones"),
    "tombstone_key": (read_tombstones, "private/tombstone_key"),
    "forget.csv": (waiting, "private/forget.csv"),
    "publishing.json": (interrupted_load, "private/publishing.json"),
    "erasing.json": (open_erasures, "private/erasing.json"),
    "page_folders.json": (lambda where: folder_names(where, ()), "private/page_folders.json"),
}


@pytest.fixture
def where(tmp_path) -> Folders:
    """A warehouse folder with a key and two tombstones."""
    folders = Folders(tmp_path / "warehouse")
    key.make_key(folders)
    set_tombstones(folders, {"ab" * 16: EVERYTHING})
    set_tombstones(folders, {"cd" * 16: ErasedDays(date(2026, 11, 1), date(2010, 5, 5), 3)})
    return folders


@pytest.mark.parametrize("odd", [*ODD, "a folder"])
@pytest.mark.parametrize("name", READERS)
def test_a_private_file_that_is_damaged_is_named_with_the_way_out(where, name, odd):
    path, (read, told) = where.private / name, READERS[name]
    path.unlink(missing_ok=True)
    path.mkdir() if odd == "a folder" else path.write_bytes(ODD[odd])
    with pytest.raises(Unusable, match=rf"{told}.*; \w+"):
        read(where)


def test_no_bit_of_the_tombstones_or_of_their_key_can_change_unnoticed(where):
    before = read_tombstones(where)
    for path in (where.tombstones, where.tombstone_key):
        data = path.read_bytes()
        for at in range(0, 8 * len(data), 3):  # of every third byte and every place in a byte
            changed = bytearray(data)
            changed[at // 8] ^= 1 << (at % 8)
            path.write_bytes(changed)
            assert _noticed(where) or read_tombstones(where) == before, (path.name, at)
        path.write_bytes(data)


@pytest.mark.parametrize("kept", [slice(0), slice(1), slice(2), slice(0, 3, 2)])
def test_no_tombstone_can_be_lost_unnoticed(where, kept):
    lines = where.tombstones.read_text().splitlines(keepends=True)
    assert len(lines) == 3
    where.tombstones.write_text("".join(lines[kept]))
    assert _noticed(where)


def _noticed(where: Folders) -> bool:
    try:
        read_tombstones(where)
    except Unusable as error:
        return "private/tombstone" in str(error) and "or erased people would come back" in str(error)
    return False


def test_tombstones_of_0_1_have_no_first_line_and_get_one_with_the_next(where):
    before = read_tombstones(where)
    where.tombstones.write_text("".join(where.tombstones.read_text().splitlines(keepends=True)[1:]))
    assert read_tombstones(where) == before
    set_tombstones(where, {"ef" * 16: EVERYTHING})
    assert where.tombstones.read_text().startswith("check-")
    assert len(read_tombstones(where).days) == 3


def test_lost_tombstones_are_missed_where_a_receipt_tells_of_an_erasure(where):
    where.tombstones.unlink()
    assert read_tombstones(where).days == {}
    add_line(where.receipts, "{}")
    with pytest.raises(Unusable, match="private/tombstones is lost"):
        read_tombstones(where)
    with pytest.raises(Unusable, match="private/tombstones is lost"):
        set_tombstones(where, {"ab" * 16: EVERYTHING})


def test_a_lost_key_of_the_tombstones_is_never_made_anew(where):
    where.tombstone_key.unlink()
    with pytest.raises(Unusable, match="the key of the tombstones is lost"):
        set_tombstones(where, {"ef" * 16: EVERYTHING})
    assert not where.tombstone_key.exists()


def test_the_command_that_makes_a_key_says_that_the_one_there_is_damaged(where, capsys):
    (where.private / "key").write_text("ab" * 31)
    assert key.main(["--warehouse", str(where.root)]) == 2
    assert capsys.readouterr().err == (
        "the pseudonym key in private/key is shorter than 32 bytes; restore it from its backup\n"
    )


# Notes of what happened: a line that cannot be read costs no other.


def test_a_line_is_added_whole_behind_one_that_a_full_disk_tore(where):
    note_attempt(where, 7, "night", THEN, THEN, "why")
    where.attempts.write_bytes(where.attempts.read_bytes()[:-9])
    note_attempt(where, 8, "night", THEN, THEN, "why")
    assert (attempted_loads(where), unreadable_attempts(where)) == ({8}, 1)


def test_a_folder_in_the_place_of_the_attempts_is_told_moved_aside_and_costs_none(where):
    where.attempts.mkdir()
    assert unreadable_attempts(where) == 1
    note_attempt(where, 8, "night", THEN, THEN, "why")
    assert attempted_loads(where) == {8}
    begin_anew(where.attempts)
    assert (where.private / "attempts.jsonl.no-link").is_dir()
    assert not where.attempts.exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"night": {}}', '{"night": {"since": 1}}', '{"night": 3}', "\x00"])
def test_what_was_told_begins_anew_where_it_cannot_be_read(where, text):
    (where.private / "told.json").write_text(text)
    assert open_notebook(where.root, UTC).troubles == {}


@pytest.mark.parametrize(("tell", "complains"), [(None, False), (b"\xff\x81", False), ("a folder", True)])
def test_addresses_that_cannot_be_read_break_nothing_and_are_missed(where, tmp_path, capsys, tell, complains):
    path = where.private / "tell"
    if tell == "a folder":
        path.mkdir()
    elif tell:
        path.write_bytes(tell)
    assert channels(tmp_path / "none.toml", where.root).are_any == (tell == b"\xff\x81")
    assert ("private/tell cannot be read" in capsys.readouterr().err) == complains


def test_a_trial_message_says_that_the_clinic_file_cannot_be_read(where, tmp_path, capsys):
    assert tell.main(["--clinic", str(tmp_path / "none.toml"), "--warehouse", str(where.root)]) == 2
    assert "clinic file none.toml cannot be read" in capsys.readouterr().err


def test_lines_are_forgotten_and_what_is_anothers_stays(where):
    where.lines.mkdir()
    for name in ("ab" * 16 + ".parquet", "SHA256SUMS", ".DS_Store", "mine.parquet"):
        (where.lines / name).write_text("")
    (where.lines / "lost+found").mkdir()
    drop_lines(where)
    assert {path.name for path in where.lines.iterdir()} == {".DS_Store", "mine.parquet", "lost+found"}


def test_what_a_receipt_says_is_json_a_line(where):
    add_line(where.receipts, json.dumps({"load_id": 1}))
    add_line(where.receipts, json.dumps({"load_id": 2}))
    assert [json.loads(line)["load_id"] for line in where.receipts.read_text().splitlines()] == [1, 2]
