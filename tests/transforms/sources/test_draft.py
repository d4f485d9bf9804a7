"""rapport draft: what files are, and a draft of the clinic file that a night can check as it stands."""

import json

import pytest

from rapport.transforms.sources.__main__ import main
from rapport.transforms.sources.drafting.draft import files_pattern
from rapport.transforms.sources.drafting.recognition import recognise, recognised_items
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.instruments import load_instruments
from tests.breaking.damage import FORMATS
from tests.clinics.nights import but_for_finished_tables, open_place
from tests.clinics.spreadsheets import xlsx
from tests.transforms.sources.test_fhir import LOG, answered, appointment
from tests.transforms.sources.test_systems import ATTENDANCE, MONKEY, OPENEMR, QUALTRICS
from tests.transforms.sources.test_systems import LOG as MESSAGES

INSTRUMENTS = load_instruments()
NINE = ",".join(f"phq9_{n}" for n in range(1, 10))
APPOINTMENTS = "appointment_id,client_id,starts_at,status\nA1,1,2026-03-02T10:00,attended\n"
FILES = {
    "plain 2026-03-01.csv": (APPOINTMENTS, "plain"),
    "PHQ_DATA_2026-03-01_1129.csv": (f"record_id,redcap_event_name,{NINE},phq9_complete\n1,a,{'1,' * 9}2\n", "redcap"),
    "qualtrics.csv": (QUALTRICS, "qualtrics"),
    "monkey.csv": (MONKEY, "surveymonkey"),
    "forms.csv": (f"Timestamp,Client no.,{NINE}\n2026-03-01 10:00,1,{','.join('1' * 9)}\n", "wide"),
    "attendance.csv": (ATTENDANCE, "simplepractice"),
    "calendar.csv": (OPENEMR, "openemr"),
    "messages.hl7": (MESSAGES, "hl7_siu"),
    "export.ndjson": ("\n".join(map(json.dumps, [appointment("1", "fulfilled"), answered("2", []), *LOG])), "fhir"),
    "diary.xlsx": (
        xlsx(
            Diary=[
                ["Ref", "Client no.", "Date", "State", "Clinician"],
                ["1", "12", "2026-03-02 10:00", "Kept", "Lee"],
                ["2", "12", "2026-03-03 10:00", "No Show", "Lee"],
                ["3", "12", "2026-03-04 10:00", "Late Cancel", "Lee"],
                ["4", "12", "2026-03-05 10:00", "Dozed", "Lee"],
            ]
        ),
        "table",
    ),
}


@pytest.fixture(scope="module")
def drafted(tmp_path_factory):
    """A folder of exports of many systems, none of which the clinic file knows yet."""
    place = open_place(tmp_path_factory.mktemp("draft") / "clinic")
    for name, (data, _) in FILES.items():
        place.drop(name, data if isinstance(data, bytes) else data.encode())
    return place


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_recognised(drafted, name):
    assert recognise(drafted.exports / name, INSTRUMENTS).format == FILES[name][1]


def test_the_draft_is_a_clinic_file_with_the_instruments_and_words_that_were_met(drafted, capsys):
    assert main([str(path) for path in sorted(drafted.exports.iterdir())]) == 0
    told = capsys.readouterr()
    assert "diary.xlsx: a table, 5 columns, 4 records looked at" in told.err
    drafted.clinic.write_text(told.out, encoding="utf-8")
    sources = {source.name: source for source in read_clinic(drafted.clinic).sources}
    assert sources["phq_data"].files == "PHQ_DATA_%Y-%m-%d_%H%M.csv"
    assert [form.instrument for form in sources["phq_data"].forms] == ["phq9"]
    assert sources["forms"].forms[0].items[8] == "phq9_9"
    assert sources["diary"].status.words["Kept"] == "attended"
    assert sources["diary"].columns["starts_at"] == ("Date",)
    assert '# "Dozed" = "attended"' in told.out


def test_a_night_can_check_what_the_draft_says_of_a_folder(drafted, tmp_path, capsys):
    place = open_place(tmp_path / "clinic")
    for name in ("plain 2026-03-01.csv", "PHQ_DATA_2026-03-01_1129.csv", "forms.csv", "export.ndjson"):
        place.drop(name, (drafted.exports / name).read_bytes())
    main([str(path) for path in sorted(place.exports.iterdir())])
    place.clinic.write_text(capsys.readouterr().out, encoding="utf-8")
    tonight = place.night("2026-03-15T12:00", but_for_finished_tables, is_check=True)
    assert len(tonight.intake.found.deliveries) == 4
    assert not place.published.exists()


def test_what_is_no_data_file_is_said_and_the_others_are_drafted(tmp_path, capsys):
    (tmp_path / "login.csv").write_text("<html>")
    (tmp_path / "appointments.csv").write_text(APPOINTMENTS)
    assert main([str(tmp_path / "login.csv"), str(tmp_path / "appointments.csv")]) == 1
    told = capsys.readouterr()
    assert "login.csv is a web page" in told.err
    assert "[sources.appointments]" in told.out


@pytest.mark.parametrize("name", ["Parquet", "FHIR Bundle"])
def test_a_file_is_named_as_what_it_is(tmp_path, name):
    """Any Parquet was taken for a Qualtrics export, and a resource without a type for one of the type None."""
    (tmp_path / "export").write_bytes(FORMATS[name][1])
    told = {"Parquet": "a table, 7 columns, 8 records looked at", "FHIR Bundle": "FHIR: Appointment, Encounter, Obs"}
    assert recognise(tmp_path / "export", INSTRUMENTS).told.startswith(told[name])


@pytest.mark.parametrize(("text", "columns"), [("id,when\n", 2), ("\n\n", 0)])
def test_a_file_without_a_record_is_drafted_as_a_table(tmp_path, capsys, text, columns):
    (tmp_path / "export.csv").write_text(text)
    assert main([str(tmp_path / "export.csv")]) == 0
    told = capsys.readouterr()
    assert told.err == f"export.csv: a table, {columns} columns, 0 records looked at\n"
    (tmp_path / "clinic.toml").write_text(told.out)
    assert [source.format.name for source in read_clinic(tmp_path / "clinic.toml").sources] == ["table"]


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ("phq_1 phq_2 phq_3 phq_4 phq_5 phq_6 phq_7 phq_8 phq_9", "phq9"),
        ("SRS1 SRS2 SRS3 SRS4", "srs"),
        ("gad7-item01 gad7-item02 gad7-item03 gad7-item04 gad7-item05 gad7-item06 gad7-item07", "gad7"),
    ],
)
def test_items_are_recognised_by_a_name_and_all_their_numbers(columns, name):
    items = columns.split()
    assert recognised_items(["id", *reversed(items)], INSTRUMENTS) == {name: items}
    assert recognised_items(items[:-1], INSTRUMENTS) == {}


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("a_2026-03-01.csv", "a_%Y-%m-%d.csv"),
        ("a_2026-03-01_1129.csv", "a_%Y-%m-%d_%H%M.csv"),
        ("20260301 all.csv", "%Y%m%d all.csv"),
        ("all 2026.csv", "all 2026.csv"),
    ],
)
def test_a_files_name_may_say_when_it_was_exported(name, pattern):
    assert files_pattern(name) == pattern
