"""What a night does not read is said: cases of the exports folder that went by without a word, or stopped the night."""

import pytest

from rapport.flows.intake.not_read import NotRead
from rapport.flows.messages.report import print_report, report_of
from rapport.transforms.sources.opening.passed_over import is_no_export
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import Place, but_for_finished_tables, open_place

DATED = """\
time_zone = "America/Chicago"
[sources.appointments]
files = "appointments_%Y-%m-%d.csv"
"""
WITH_RESPONSES = DATED + '[sources.responses]\nfiles = "responses_%Y-%m-%d.csv"\n'
DIARY = """\
time_zone = "America/Chicago"
[sources.diary]
records = "appointments"
files = "{files}"
"""
HEADER = "appointment_id,client_id,starts_at,status,therapist_id,duration_minutes"
HELD = "G1,1,2026-11-02T10:00,attended,T1,50"
LATER = "G1,1,2026-11-02T10:00,no_show,T1,50"
NOT_COPIED = "if nobody is copying it, copy it again"


@pytest.fixture(autouse=True)
def short_nights():
    with few_tables():
        yield


def check(place: Place, capsys, as_of: str) -> str:
    """The report of a check."""
    done = place.night(as_of, but_for_finished_tables, is_check=True)
    assert done.troubles.status == 0
    print_report(report_of(done))
    return capsys.readouterr().out


def sentences(place: Place, as_of: str = "2026-11-20T03:00") -> list[str]:
    return place.night(as_of, but_for_finished_tables).intake.found.not_read.sentences


def test_a_file_that_is_dated_after_tonight_is_told(tmp_path, capsys):  # case 10
    place = open_place(tmp_path / "clinic", DATED)
    place.deliver("appointments_2026-11-19.csv", HEADER, [HELD])
    place.deliver("appointments_2027-11-20.csv", HEADER, [LATER])
    assert "1 file is dated after tonight (appointments) and not read" in check(place, capsys, "2026-11-21T03:00")
    (told,) = sentences(place)
    assert told.endswith("if the date in a name is wrong, rename the file")
    assert place.ask("SELECT status FROM appointments") == [("attended",)]


def test_files_of_another_spelling_and_the_source_that_they_were_meant_for_are_told(tmp_path, capsys):  # case 12d
    place = open_place(tmp_path / "clinic", WITH_RESPONSES)
    place.deliver("appointments_2026-11-19.csv", HEADER, [HELD])
    for name in ("Responses_2026-11-20.CSV", "responses_20261119.csv"):
        place.deliver(name, "response_id,client_id,instrument,rater,completed_at,item,value", [])
    told = check(place, capsys, "2026-11-20T03:00")
    assert "2 files match no source; source responses had none tonight: compare the names" in told
    assert "They match no source: Responses_2026-11-20.CSV, responses_20261119.csv." in told
    done = place.night("2026-11-20T03:00", but_for_finished_tables)
    print_report(report_of(done))
    told = capsys.readouterr().out
    assert "2 files match no source; source responses had none tonight" in told
    assert "20261119" not in told  # a file's name may hold a person's; a check is read by the one who runs it


def test_a_source_whose_only_file_is_dated_after_tonight_had_none_tonight(tmp_path):
    place = open_place(tmp_path / "clinic", WITH_RESPONSES)
    place.deliver("appointments_2026-11-19.csv", HEADER, [HELD])
    place.deliver("responses_2026-11-25.csv", "response_id,client_id,instrument,rater,completed_at,item,value", [])
    none, later = sentences(place)
    assert none.startswith("source responses had none tonight: ")
    assert later.startswith("1 file is dated after tonight (responses) ")


@pytest.mark.parametrize(
    ("files", "name", "told"),
    [
        ("*.csv", "._visits.csv", []),  # case 12
        ("*", "~$visits.xlsx", []),
        ("*", ".DS_Store", []),
        ("*", "Thumbs.db", []),
        ("*", ".~lock.visits.csv#", []),
        ("visits.csv*", "visits.csv.filepart", [NOT_COPIED]),  # case 12c
        ("visits*", "visits_2.csv.part", [NOT_COPIED]),
        ("visits*", "visits_2.CSV.TMP", [NOT_COPIED]),
        ("*.csv", "visits.csv.part", [NOT_COPIED]),
        ("*/visits*", "deep/~$visits.csv", []),
    ],
)
def test_unfinished_uploads_and_lock_files_are_not_read_and_stop_no_night(tmp_path, files, name, told):
    """Each would win over the whole file, by its name, or stop the night, because it is no table."""
    place = open_place(tmp_path / "clinic", DIARY.format(files=files))
    (place.exports / "deep").mkdir()
    place.deliver("deep/visits.csv" if "/" in files else "visits.csv", HEADER, [HELD])
    place.drop(name, b"\x00\x05\x16\x07" if "visits" not in name or "$" in name else f"{HEADER}\n{LATER}"[:-9].encode())
    found = sentences(place)
    assert [each.rpartition(": ")[2] for each in found] == told
    assert place.ask("SELECT status FROM appointments") == [("attended",)]


def test_a_folder_in_which_every_file_is_read_says_nothing(tmp_path):
    place = open_place(tmp_path / "clinic", DATED)
    place.deliver("appointments_2026-11-19.csv", HEADER, [HELD])
    (place.exports / "archive").mkdir()
    place.drop(".hidden", b"")
    assert sentences(place) == []
    assert sentences(place, "2026-11-21T03:00") == []  # its file is known, and still there


def test_a_clinic_file_without_sections_misses_no_source(tmp_path):
    place = open_place(tmp_path / "clinic", 'time_zone = "UTC"\n')
    place.deliver("appointments_1.csv", HEADER, [HELD])
    place.drop("appointments_2.csv.filepart", f"{HEADER}\n{LATER}".encode())  # case 12c
    (told,) = sentences(place)
    assert told.startswith("1 file is an unfinished upload and not read")
    assert place.ask("SELECT status FROM appointments") == [("attended",)]


def test_many_names_are_counted_and_the_first_are_shown():
    assert NotRead(strays=tuple("abcdefg")).names == "a, b, c, d, e and 2 more"
    assert NotRead(strays=("a\x1b",)).names == "a\\x1b"
    assert NotRead().names is None
    (told,) = NotRead(without_file=("a", "b")).sentences
    assert told.startswith("sources a, b had none tonight: ")


@pytest.mark.parametrize("name", ["parts.csv", "tmp_visits.csv", "visits~$.csv", "visits.tmp.csv", "_visits.csv"])
def test_a_name_that_only_looks_so_is_an_export(name):
    assert not is_no_export(name)
