"""A whole export is not read whole: lines that the last one held are counted, and nothing else differs."""

import shutil

import polars as pl
import pytest

from rapport.flows.ops.forget import find_person, forget
from rapport.flows.order import place_change
from rapport.warehouse.intake import ledger
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import APPOINTMENTS, CLINIC, but_for_finished_tables, held, open_place

pytestmark = pytest.mark.usefixtures("short_nights")
SURVEYS = """
[sources.surveys]
format = "redcap"
files = "surveys_%Y-%m-%d.csv"
covers = "all"
id_space = "clinic"

[sources.surveys.clients]
birth_date = "dob"

[sources.surveys.forms.phq9]
instrument = "phq9"
rater = "client"
items = ["q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8", "q9"]
"""
LIMITS = "quarantine_limit = 1.0\nvanished_limit = 1.0\n"
LISTED = '\n[lists]\nservice = ["therapy"]\n'
WHOLE = LIMITS + CLINIC.replace('%d*.csv"\n\n', '%d*.csv"\ncovers = "all"\nnulls = ["-"]\n\n', 1) + SURVEYS + LISTED
HEADER = f"{APPOINTMENTS},service"
BOOKED = [f"{held(client, day)},therapy" for client in range(3) for day in (8, 9)]
# Each with something that is counted, held back or open: always read, or counted again.
SPECIAL = [
    "U1,C1,2026-11-08T15:00,attended,T1,dancing",  # a service that is not listed
    "K1,C1,2026-11-01T01:30,attended,T1,therapy",  # an hour that came twice
    "B1,C1,2026-11-08T16:00,gone?,T1,therapy",  # a status that nobody knows
    "F1,C1,2026-11-14T12:00,attended,T1,therapy",  # still to come
    'Q1,C1,2026-11-08T17:00,attended,"T ""1""",therapy',
]
FORMS = "record_id,redcap_repeat_instrument,redcap_repeat_instance,dob,notes,phq9_timestamp,q1,q2,q3,q4,q5,q6,q7,q8,q9"
ANSWERED = [
    "C0,,,2001-02-03,,,,,,,,,,,",
    'C1,,,1999-12-31,"two\nlines, and a ""quote""",,,,,,,,,,',
    *(f"C{client},phq9,{turn},,,2026-11-08 1{turn}:00,1,2,0,1,2,3,1,0,0" for client in range(3) for turn in (1, 2)),
    "C1,phq9,3,,,2026-11-09 10:00,1,2,0,1,2,3,1,0,2",  # the risk item
    "C2,phq9,3,,,2026-11-09 10:00,1,2,0,1,2,3,1,0,9",  # out of range
]
# A number says which of two records was loaded first, and nothing else.
_TURNS = "SELECT * REPLACE (rank() OVER (ORDER BY loaded_number) AS loaded_number)"
SAID = {
    "files": "SELECT * EXCLUDE (name_id, modified) FROM load.files ORDER BY load_id, source",
    "rows": "SELECT * FROM load.rows ORDER BY ALL",
    "unlisted": "SELECT * FROM load.unlisted ORDER BY ALL",
    "quarantine": "SELECT * EXCLUDE (quarantine_id) FROM load.quarantine ORDER BY ALL",
    "appointments": f"{_TURNS} FROM history.appointments ORDER BY ALL",
    "responses": f"{_TURNS} FROM history.responses ORDER BY ALL",
    "clients": f"{_TURNS} FROM history.clients ORDER BY ALL",
    "risks": "SELECT * FROM risk_answers ORDER BY ALL",
}
NEXT = {
    "the same again, and a line more": ([*BOOKED, *SPECIAL, "N1,C1,2026-11-10T12:00,attended,T1,therapy"], ANSWERED),
    "in another order": ([*reversed(BOOKED), *SPECIAL], ANSWERED[::-1]),
    "a line left out": ([*BOOKED[1:], *SPECIAL], ANSWERED[:-2]),
    "a line changed": ([BOOKED[0].replace("attended", "no_show"), *BOOKED[1:], *SPECIAL], ANSWERED),
    "a known line twice": ([*BOOKED, BOOKED[2], *SPECIAL], [*ANSWERED, ANSWERED[3]]),
    "a known record twice, in other words": (
        [*BOOKED, BOOKED[2].replace("attended", "no_show"), *SPECIAL],
        [*ANSWERED, ANSWERED[3].replace(",1,2,0,", ",2,2,0,")],
    ),
    "a record without its number": ([*BOOKED, ",C1,2026-11-10T12:00,attended,T1,therapy", *SPECIAL], ANSWERED),
    "blank lines": ([*BOOKED[:3], "", *BOOKED[3:], *SPECIAL, ""], ANSWERED),
    "what was held back, mended": ([*BOOKED, *(line.replace("gone?", "attended") for line in SPECIAL)], ANSWERED),
    "nothing that was there": (["N1,C1,2026-11-10T12:00,attended,T1,therapy"], ANSWERED[:1]),
}


def deliver(place, day: int, booked: list[str], answered: list[str]) -> None:
    for old in place.exports.iterdir():
        old.unlink()
    place.deliver(f"appointments_2026-11-{day}.csv", HEADER, booked)
    place.deliver(f"surveys_2026-11-{day}.csv", FORMS, answered)


def night(place, day: int):
    return place.night(f"2026-11-{day}T12:00", but_for_finished_tables)


def lines_of(place):
    return place.warehouse / "private/lines"


def read_count(tonight) -> int:
    return next(step.row_count for step in tonight.steps if step.name == "read")


@pytest.fixture(scope="module")
def after_a_night(tmp_path_factory):
    with few_tables():
        place = open_place(tmp_path_factory.mktemp("lines") / "clinic", WHOLE)
        deliver(place, 12, [*BOOKED, *SPECIAL], ANSWERED)
        night(place, 12)
    return place


@pytest.fixture
def place(after_a_night, tmp_path):
    return after_a_night.copied_to(tmp_path / "clinic")


@pytest.mark.parametrize("came", NEXT.values(), ids=NEXT)
def test_every_book_and_every_record_is_as_if_the_export_had_been_read_whole(place, tmp_path, came):
    whole = place.copied_to(tmp_path / "whole")
    shutil.rmtree(lines_of(whole))
    for each in (place, whole):
        deliver(each, 13, *came)
        night(each, 13)
    for name, asked in SAID.items():
        assert place.ask(asked) == whole.ask(asked), name


def test_a_file_is_counted_the_same_however_few_of_its_records_are_counted_at_once(place, tmp_path, monkeypatch):
    few = place.copied_to(tmp_path / "few")
    for each, at_once in ((place, ledger.RECORDS_AT_ONCE), (few, 2)):
        monkeypatch.setattr(ledger, "RECORDS_AT_ONCE", at_once)
        deliver(each, 13, *NEXT["a known record twice, in other words"])
        night(each, 13)
    assert place.ask(SAID["files"]) == few.ask(SAID["files"])


def with_one_more(day: int) -> tuple[list[str], list[str]]:
    """All that was there on the first night, with an appointment and an answered form more."""
    booked = [*BOOKED, *SPECIAL, f"N{day},C1,2026-11-10T12:00,attended,T1,therapy"]
    return booked, [*ANSWERED, f"C0,phq9,{day},,,2026-11-10 10:00,1,2,0,1,2,3,1,0,0"]


ALL = len(BOOKED) + len(SPECIAL) + 1 + len(ANSWERED) + 1
OPEN = 2 + 1 + 2  # held back and still to come; what is out of range; two clients


def test_only_lines_that_are_new_open_or_of_a_client_are_read(place):
    deliver(place, 13, *with_one_more(13))
    assert read_count(night(place, 13)) == OPEN + 2
    counts = "SELECT source, record_count, unchanged_count FROM load.files WHERE load_id = 2 ORDER BY source"
    assert place.ask(counts) == [("appointments", 13, 10), ("surveys", 12, 9)]
    deliver(place, 15, *with_one_more(15))
    assert read_count(night(place, 15)) == OPEN + 2
    deliver(place, 16, *with_one_more(16))
    assert read_count(night(place, 16)) == OPEN - 1 + 2  # what was to come had begun at the last


def test_another_clinic_file_reads_every_line(place):
    place.clinic.write_text(place.clinic.read_text().replace('["therapy"]', '["therapy", "dancing"]'))
    deliver(place, 13, *with_one_more(13))
    assert read_count(night(place, 13)) == ALL


@pytest.mark.parametrize("spoil", [lambda file: file.write_bytes(b"PAR1"), lambda file: file.unlink()])
def test_lines_that_are_lost_or_spoilt_cost_one_whole_reading_and_no_more(place, spoil):
    for file in lines_of(place).glob("*.parquet"):
        spoil(file)
    deliver(place, 13, *with_one_more(13))
    assert read_count(night(place, 13)) == ALL
    deliver(place, 14, *with_one_more(14))
    assert read_count(night(place, 14)) < ALL / 2


def test_an_older_export_that_comes_late_is_read_whole_and_so_is_the_next(place):
    then = BOOKED[0].replace("attended", "no_show")
    deliver(place, 11, [then, *BOOKED[1:3]], ANSWERED[:3])
    assert read_count(night(place, 13)) == 3 + 3
    booked, answered = with_one_more(14)
    deliver(place, 14, [then, *booked[1:]], answered)
    assert read_count(night(place, 14)) == ALL
    assert ("no_show", 3) in place.ask("SELECT status, known_from FROM history.appointments WHERE known_to IS NULL")


def test_what_is_remembered_is_for_the_night_s_user_alone_and_holds_no_word_of_the_file(place):
    assert lines_of(place).stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in lines_of(place).iterdir()} == {0o600}
    for file in lines_of(place).glob("*.parquet"):
        known = pl.read_parquet(file)
        assert set(known["records"].drop_nulls()) <= {"appointments", "responses", "risk_answers"}
        assert set(known["counted"].drop_nulls()) <= {"unlisted service", "clock ambiguous"}


def test_who_is_taken_out_stands_in_no_line_that_is_remembered(place):
    order = place_change(place.clinic, place.warehouse)
    person = find_person(order, "clinic", "C1", None)
    forget(order, person)
    assert list(lines_of(place).iterdir()) == []
    deliver(place, 13, *with_one_more(13))
    night(place, 13)
    assert place.ask("SELECT count(DISTINCT client_id) FROM history.appointments") == [(2,)]
    kept = pl.concat([pl.read_parquet(file) for file in lines_of(place).glob("*.parquet")])
    ids = {bytes(made) for made in kept["id"].drop_nulls()}
    alive = place.ask("SELECT session_id FROM history.appointments UNION SELECT response_id FROM history.responses")
    assert ids <= {made.bytes for (made,) in alive}
