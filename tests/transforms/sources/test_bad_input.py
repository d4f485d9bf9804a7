"""Bad input through the command line: one clear sentence, the right status, and yesterday's warehouse stands."""

import io
import os
import re
import secrets
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clinics.nights import ALARMING, APPOINTMENTS, CLINIC, RESPONSES, Place, answered, held

TONIGHT = "2026-11-19T12:00"
APPOINTMENTS_FILE, RESPONSES_FILE = "appointments_2026-11-19.csv", "responses_2026-11-19.csv"
NOTHING_READABLE = (
    "so no record is readable: correct a renamed column or word in the export or in clinic.toml, or take the file out "
    "of the exports folder"
)


def changed(place: Place, name: str, old: str, new: str) -> None:
    text = (place.exports / name).read_text()
    assert old in text
    place.drop(name, text.replace(old, new).encode(errors="surrogateescape"))


def content(place: Place, name: str, made: bytes) -> None:
    place.drop(name, made)


def cut(place: Place, name: str, end: str) -> None:
    text = (place.exports / name).read_text().rstrip()
    place.drop(name, (text + "\n" + end).encode())


def clinic(place: Place, old: str, new: str) -> None:
    place.clinic.write_text(CLINIC.replace(old, new))


def blank(row: str) -> str:
    return re.sub(r",C\d+,", ",  ,", row)


def without_clients(place: Place) -> None:
    path = place.exports / APPOINTMENTS_FILE
    place.drop(path.name, blank(path.read_text()).encode())


def no_folder(place: Place) -> None:
    shutil.rmtree(place.exports)


def no_files(place: Place) -> None:
    for path in place.exports.iterdir():
        path.rename(path.with_suffix(".txt"))


def another_key(place: Place) -> None:
    (place.warehouse / "private/key").write_text(secrets.token_hex(32))


def no_key(place: Place) -> None:
    (place.warehouse / "private/key").unlink()


def parquet_cut(place: Place) -> None:
    clinic(place, "responses_%Y-%m-%d*.csv", "responses_%Y-%m-%d*")
    place.drop("responses_2026-11-19.parquet", b"PAR1\x15\x04\x15")


def linked(place: Place, to: str) -> None:
    path = place.exports / RESPONSES_FILE
    path.unlink()
    path.symlink_to(to)


def damaged_member(place: Place) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_LZMA) as archive:
        archive.write(place.exports / RESPONSES_FILE, "responses.csv")
    place.drop(RESPONSES_FILE, made.getvalue()[:100] + b"????" + made.getvalue()[104:])


def too_large(place: Place) -> None:
    place.clinic.write_text('memory = "64 MiB"\n' + CLINIC)
    os.truncate(place.exports / RESPONSES_FILE, 65 << 20)


CASES = {
    "missing folder": (2, no_folder, (), "the exports folder {exports} does not exist; check --exports"),
    "no files at all": (
        1,
        no_files,
        (),
        "no file in the exports folder matches any source (appointments_%Y-%m-%d*.csv, responses_%Y-%m-%d*.csv); "
        "check --exports and clinic.toml",
    ),
    "empty file": (1, content, (RESPONSES_FILE, b""), "{responses} is empty (0 bytes); export it again"),
    "truncated inside a record": (
        1,
        cut,
        (RESPONSES_FILE, "R9-18,C0,srs,cl"),
        "{responses} ends inside a record (4 of 7 values): it is truncated; export it again",
    ),
    "truncated inside a quoted value": (
        1,
        cut,
        (RESPONSES_FILE, 'R9-18,C0,"sr'),
        "{responses} ends inside a quoted value: it is truncated; export it again",
    ),
    "truncated Parquet": (
        1,
        parquet_cut,
        (),
        "responses_2026-11-19.parquet begins like Parquet but is damaged or truncated; export it again",
    ),
    "damaged member of an archive": (
        1,
        damaged_member,
        (),
        "{responses} is an archive that is damaged, truncated or locked; unpack it, or export it again",
    ),
    "a device": (
        1,
        linked,
        ("/dev/zero",),
        "{responses} is no file but a device, a pipe or a folder; take it out of the exports folder",
    ),
    "a link to nothing": (
        1,
        linked,
        ("gone",),
        "{responses} is not there: it is a link to nothing, or was taken away; mend the link, or take it away",
    ),
    "more than may be read": (
        1,
        too_large,
        (),
        "{responses} holds more than 64 MiB, the memory for reading; export it in pieces, or raise memory in "
        "clinic.toml",
    ),
    "wrong encoding": (
        1,
        changed,
        (APPOINTMENTS_FILE, "C0", "Zo\udce9"),
        '{appointments} is not UTF-8 (byte 8 of its chunk); export it as UTF-8, or add encoding = "windows-1252" (or '
        '"mac-roman") to its source',
    ),
    "UTF-16 without its mark": (
        1,
        content,
        (APPOINTMENTS_FILE, APPOINTMENTS.encode("utf-16-le")),
        '{appointments} holds NUL bytes: it is no text, or UTF-16 (then add encoding = "utf-16" to its source)',
    ),
    "HTML saved as CSV": (
        1,
        content,
        (RESPONSES_FILE, b"\r\n<!DOCTYPE html><html><body>Please log in</body></html>"),
        "{responses} is a web page, not a data file (an expired login?); download the export again",
    ),
    "missing required column": (
        1,
        changed,
        (APPOINTMENTS_FILE, "starts_at", "start_time"),
        "{appointments} has no column 'starts_at'; export it, or correct clinic.toml",
    ),
    "unknown status word": (
        1,
        changed,
        (APPOINTMENTS_FILE, "attended", "completed"),
        f"{{appointments}} would have 6 of 6 records quarantined (status_unknown (status)), {NOTHING_READABLE}",
    ),
    "unknown instrument": (
        1,
        changed,
        (RESPONSES_FILE, "srs", "srs4"),
        f"{{responses}} would have 24 of 24 records quarantined (instrument_unknown (instrument)), {NOTHING_READABLE}",
    ),
    "value out of range": (
        1,
        changed,
        (RESPONSES_FILE, ",1,", ",1,1"),
        f"{{responses}} would have 24 of 24 records quarantined (value_out_of_range (value)), {NOTHING_READABLE}",
    ),
    "blank client": (
        1,
        without_clients,
        (),
        f"{{appointments}} would have 6 of 6 records quarantined (client_id_missing (client_id)), {NOTHING_READABLE}",
    ),
    "misspelled key": (
        2,
        clinic,
        ("files", "flies"),
        "clinic file clinic.toml: [sources.appointments] has the unknown key 'flies'; did you mean 'files'?",
    ),
    "wrong pseudonym key": (
        2,
        another_key,
        (),
        "the pseudonym key is not the one this warehouse was made with; restore the old key (RAPPORT_KEY or "
        "private/key), or give an empty --warehouse",
    ),
    "no pseudonym key": (
        2,
        no_key,
        (),
        "the pseudonym key of this warehouse is lost, and a new one would not fit; bring private/key back from its "
        "backup, or set RAPPORT_KEY",
    ),
}


def sentences(stderr: str) -> list[str]:
    """Standard error without the lines that tell how far the night is."""
    return [line for line in stderr.splitlines() if not line.startswith("… ")]


def expect_case_refused(place: Place, run: Callable, case: str) -> None:
    status, spoil, details, sentence = CASES[case]
    before = place.standing()
    spoil(place, *details)
    expect_refusal(place, before, run(place, TONIGHT), status, sentence)


def expect_refusal(place: Place, before: tuple, run: subprocess.CompletedProcess, status: int, sentence: str) -> None:
    named = {"exports": place.exports, "appointments": APPOINTMENTS_FILE, "responses": RESPONSES_FILE}
    assert sentences(run.stderr) == [sentence.format(**named)]
    assert (run.returncode, run.stdout) == (status, "")
    assert place.standing() == before
    assert not place.leftovers()


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_in_one_sentence_and_yesterday_stands(yesterday, run_night_here, case):
    expect_case_refused(yesterday, run_night_here, case)


@pytest.mark.parametrize("case", ("misspelled key", "unknown status word"))
def test_the_command_refuses_bad_input_before_the_night_and_in_it(yesterday, run_night, case):
    expect_case_refused(yesterday, run_night, case)


def test_an_unreadable_file_is_refused(yesterday, run_night):
    before = yesterday.standing()
    (yesterday.exports / RESPONSES_FILE).chmod(0)
    # Root reads everything, as long as it has its capabilities.
    powerless = ("setpriv", "--inh-caps=-all", "--bounding-set=-all") if os.geteuid() == 0 else ()
    run = run_night(yesterday, TONIGHT, before=powerless)
    said = "{responses} cannot be read (Permission denied); let the night's user read it"
    expect_refusal(yesterday, before, run, 1, said)


@pytest.mark.parametrize("room", (-100_000, 100_000), ids=("while yesterday is copied", "while tonight is written"))
def test_a_full_disk_is_told_and_costs_nothing(yesterday, run_night, room):
    before = yesterday.standing()
    blocks = (yesterday.published.stat().st_size + room) // 512
    run = run_night(yesterday, TONIGHT, before=("sh", "-c", f'ulimit -f {blocks}; exec "$@"', "limited"))
    assert [line for line in sentences(run.stderr) if "disk" not in line] == []
    (sentence,) = sentences(run.stderr)
    assert "the disk" in sentence
    assert "make room" in sentence
    assert sentence.endswith("run the night again")
    expect_refusal(yesterday, before, run, 1, sentence)


def test_a_file_still_growing_waits_and_the_night_publishes_without_it(yesterday, run_night_here):
    path = yesterday.exports / RESPONSES_FILE
    over = threading.Event()

    def grow() -> None:
        with path.open("a") as file:
            file.write(answered(7, 18)[0].replace("R7", f"R{path.stat().st_size}") + "\n")

    def grow_on() -> None:
        while not over.wait(0.1):
            grow()

    grow()
    writer = threading.Thread(target=grow_on)
    writer.start()
    try:
        run = run_night_here(yesterday, TONIGHT)
    finally:
        over.set()
        writer.join()
    assert run.returncode == 0
    assert f"{RESPONSES_FILE} is still being written; it waits for the next night." in run.stdout
    assert yesterday.ask("SELECT source FROM load.files WHERE load_id = 2") == [("appointments",)]
    os.utime(path, (0, 0))
    assert yesterday.night(TONIGHT).intake.waiting == ()
    assert yesterday.ask("SELECT source FROM load.files WHERE load_id = 3") == [("responses",)]


def test_a_file_that_begins_to_grow_while_it_is_read_waits_too(yesterday, monkeypatch):
    from rapport.flows.steps import read  # noqa: PLC0415

    opens = read.open_delivery

    def growing(path: Path, source):
        if path.name == RESPONSES_FILE:
            path.write_bytes(path.read_bytes() + b"\n")
        return opens(path, source)

    monkeypatch.setattr(read, "open_delivery", growing)
    assert yesterday.night(TONIGHT).intake.waiting == (RESPONSES_FILE,)
    assert yesterday.ask("SELECT source FROM load.files WHERE load_id = 2") == [("appointments",)]
    assert yesterday.ask("SELECT count(*) FROM history.responses WHERE known_from = 2") == [(0,)]


def test_a_few_bad_records_among_many_are_quarantined_and_the_night_publishes(yesterday, run_night_here):
    met = [(client, day) for client in range(8) for day in range(12, 19)]
    rows = [held(*each) for each in met]
    rows[3] = rows[3].replace("attended", "completed")
    rows[4] = blank(rows[4])
    yesterday.deliver(APPOINTMENTS_FILE, APPOINTMENTS, rows)
    items = [answered(*each) for each in met]
    items[5] = [row.replace("srs", "srs4") for row in items[5]]
    items[6][2] = items[6][2].rpartition(",")[0] + ",11"
    yesterday.deliver(RESPONSES_FILE, RESPONSES, [row for response in items for row in response])
    run = run_night_here(yesterday, TONIGHT)
    assert run.returncode == 0
    assert not [word for word in ALARMING if word in run.stdout + run.stderr]
    held_back = yesterday.ask("SELECT records, record_number, record_count, rule FROM load.quarantine ORDER BY ALL")
    assert held_back == [
        ("appointments", 4, 1, "status_unknown"),
        ("appointments", 5, 1, "client_id_missing"),
        ("responses", 21, 4, "instrument_unknown"),
        ("responses", 25, 4, "value_out_of_range"),
    ]
