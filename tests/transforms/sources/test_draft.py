"""rapport draft: what files are, and a draft of the clinic file that a night can check as it stands."""

import json

import polars as pl
import pytest

from rapport.transforms.sources.__main__ import main
from rapport.transforms.sources.drafting.columns import Column
from rapport.transforms.sources.drafting.draft import files_pattern
from rapport.transforms.sources.drafting.questionnaires import numbered_items
from rapport.transforms.sources.drafting.recognition import recognise
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.clinic_file.formats import load_formats
from rapport.warehouse.instruments import load_instruments
from tests.breaking.damage import FORMATS
from tests.clinics import newcomer
from tests.clinics.nights import but_for_finished_tables, open_place
from tests.clinics.spreadsheets import xlsx
from tests.transforms.sources.test_fhir import LOG, answered, appointment
from tests.transforms.sources.test_systems import ATTENDANCE, CLINIKO, MONKEY, OPENEMR, QUALTRICS
from tests.transforms.sources.test_systems import LOG as MESSAGES

INSTRUMENTS = load_instruments()
NINE = ",".join(f"phq9_{n}" for n in range(1, 10))
APPOINTMENTS = "appointment_id,client_id,starts_at,status\nA1,1,2026-03-02T10:00,attended\n"
FILES = {
    "plain 2026-03-01.csv": (APPOINTMENTS, "plain"),
    "PHQ_DATA_2026-03-01_1129.csv": (
        f"record_id,redcap_event_name,seen_on,{NINE},phq9_complete\n1,a,2026-03-01,{'1,' * 9}2\n",
        "redcap",
    ),
    "qualtrics.csv": (QUALTRICS, "qualtrics"),
    "monkey.csv": (MONKEY, "surveymonkey"),
    "forms.csv": (f"Timestamp,Client no.,{NINE}\n2026-03-01 10:00,1,{','.join('1' * 9)}\n", "wide"),
    "attendance.csv": (ATTENDANCE, "simplepractice"),
    "calendar.csv": (OPENEMR, "openemr"),
    "messages.hl7": (MESSAGES, "hl7_siu"),
    "cliniko.json": (json.dumps({"individual_appointments": CLINIKO, "links": {}}), "cliniko"),
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
    assert [each.format for each in recognise(drafted.exports / name, INSTRUMENTS)] == [FILES[name][1]]


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
    [found] = recognise(tmp_path / "export", INSTRUMENTS)
    assert found.told.startswith(told[name])


@pytest.mark.parametrize(("text", "columns"), [("id,when\n", 2), ("\n\n", 0)])
def test_a_file_without_a_record_is_drafted_as_a_table(tmp_path, capsys, text, columns):
    (tmp_path / "export.csv").write_text(text)
    assert main([str(tmp_path / "export.csv")]) == 0
    told = capsys.readouterr()
    assert told.err == f"export.csv: a table, {columns} columns, 0 records looked at\n"
    (tmp_path / "clinic.toml").write_text(told.out)
    assert [source.format.name for source in read_clinic(tmp_path / "clinic.toml").sources] == ["table"]


def recognised_items(names):
    columns = [Column(place, name, name, pl.Series("value", [], pl.String)) for place, name in enumerate(names, 1)]
    found = numbered_items(columns, INSTRUMENTS)
    return {name: [item.name for item in items] for name, items in found.items()}


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
    assert recognised_items(["id", *reversed(items)]) == {name: items}
    assert recognised_items(items[:-1]) == {}


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


def drafted_of(capsys, tmp_path, *, given=(), **files):
    """The sections that a draft has for files of these names, read as a clinic file is."""
    paths = []
    for name, data in files.items():
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_bytes(data if isinstance(data, bytes) else data.encode())
    assert main([*map(str, paths), *given]) == 0
    text = capsys.readouterr().out
    (tmp_path / "clinic.toml").write_text(text, encoding="utf-8")
    return {source.name: source for source in read_clinic(tmp_path / "clinic.toml").sources}, text


SRS_ITEMS = [f"SRS[SQ00{n}]" for n in (1, 2, 3, 4)]
CODES = ["id", "submitdate", "lastpage", "startlanguage", "seed", "client", *SRS_ITEMS]
TEXTS = ["Response ID", "Date submitted", "Last page", "Start language", "Seed", "Your client number"]
TEXTS += ["One", "Two", "Three", "Four"]
STYLES = {
    "codes": (CODES, "submitdate", CODES[6:]),
    "texts": (TEXTS, "Date submitted", ["fill in"] * 4),
    "codes and texts": (
        [f"{code}. {text}" for code, text in zip(CODES, TEXTS, strict=True)],
        "submitdate. Date submitted",
        [f"{code}. {text}" for code, text in zip(CODES[6:], TEXTS[6:], strict=True)],
    ),
}


@pytest.mark.parametrize("style", STYLES)
def test_limesurvey_is_known_by_each_of_its_header_styles(tmp_path, capsys, style):
    header, when, items = STYLES[style]
    rows = [f"{n},2026-03-0{n} 10:00,3,en,77,A10{n},5,6,7,8" for n in range(1, 6)]
    [source] = drafted_of(capsys, tmp_path, survey="\n".join([",".join(header), *rows, ""]))[0].values()
    [form] = source.forms
    assert (form.completed_at, form.finished, list(form.items)) == (when, when, items)
    assert source.nulls == ("N/A", "1980-01-01 00:00:00")


def test_an_older_surveymonkey_export_has_the_columns_of_a_present_one(tmp_path, capsys):
    older = MONKEY.replace("Respondent ID", "RespondentID").replace("End Date", "EndDate")
    [source] = drafted_of(capsys, tmp_path, monkey=older)[0].values()
    assert (source.format.name, source.forms[0].completed_at) == ("surveymonkey", "End Date")
    assert recognise(tmp_path / "monkey.csv", INSTRUMENTS)[0].header[0] == "Respondent ID"


def test_a_number_is_taken_for_the_client_rather_than_a_name(tmp_path, capsys):
    header = "Client name,Client no.,Seen by,Date,From,To,State"
    rows = [f"Somebody {n},A{n},Lee,0{n}/03/2026,10:00,10:50,Kept" for n in range(1, 4)]
    rows.append("Somebody 4,A4,Lee,14/03/2026,10:00,10:50,No Show")
    [source] = drafted_of(capsys, tmp_path, visits="\n".join([header, *rows, ""]))[0].values()
    assert source.columns["client_id"] == ("Client no.",)
    assert source.columns["starts_at"] == ("Date", "From")
    assert source.columns["ends_at"] == ("Date", "To")


def test_names_alone_are_taken_and_asked_about(tmp_path, capsys):
    rows = "Client name,Date,State\nSomebody,2026-03-02 10:00,Kept\nAnybody,2026-03-03 10:00,No Show\n"
    assert 'client_id = "Client name"  # ? these are names' in drafted_of(capsys, tmp_path, visits=rows)[1]


def test_a_survey_that_nobody_knows_gets_a_form_to_be_filled_in_and_is_never_read_by_guess(tmp_path, capsys):
    rows = "\n".join(["Client no.,a,b,c,d", *(f"A{n},1,2,3,{n}" for n in range(1, 6)), ""])
    sources, text = drafted_of(capsys, tmp_path, own=rows)
    [form] = sources["own"].forms
    assert {*form.items, form.completed_at} == {"fill in"}
    assert '#   "d"' in text


def test_text_that_is_not_utf_8_gets_its_encoding(tmp_path, capsys):
    rows = "Klient Nr,Datum,Fräge1,Fräge2\nM1,2026-03-02,1,2\n".encode("cp1252")
    assert drafted_of(capsys, tmp_path, umlaut=rows)[0]["umlaut"].encoding == "windows-1252"
    told = drafted_of(capsys, tmp_path, umlaut=rows, given=["--encoding", "mac-roman"])
    assert told[0]["umlaut"].encoding == "mac-roman"


def test_a_workbook_gets_a_section_for_each_sheet_and_the_row_of_its_header(tmp_path, capsys):
    kept = [["1", "A1", "2026-03-02 10:00", "Kept"], ["2", "A2", "2026-03-03 10:00", "No Show"]]
    marks = [["A1", "2026-03-02", 1, 2, 3, 4], ["A2", "2026-03-03", 1, 2, 3, 4]]
    book = xlsx(
        Visits=[["Visits of 2026"], [], ["Ref", "Client no.", "Date", "State"], *kept],
        Marks=[["Client no.", "When", "SRS1", "SRS2", "SRS3", "SRS4"], *marks],
    )
    sources, _ = drafted_of(capsys, tmp_path, book=book)
    assert {name: (each.sheet, each.header_row) for name, each in sources.items()} == {
        "book_visits": ("Visits", 3),
        "book_marks": ("Marks", 1),
    }


def test_dates_that_fit_both_orders_are_asked_about_and_those_that_fit_one_are_not(tmp_path, capsys):
    rows = "Client no.,Date,State\nA1,{}/02/2026 10:00,Kept\nA2,04/03/2026 10:00,No Show\n"
    sources, text = drafted_of(capsys, tmp_path, both=rows.format("03"), one=rows.format("13"))
    assert [sources[name].dates for name in ("both", "one")] == ["decide", "day_first"]
    assert text.count("both orders fit") == 1


def test_files_of_one_practice_share_an_id_space(tmp_path, capsys):
    words = ["Kept", "Kept", "No Show", "Late Cancel"]
    visits = "Client no.,Date,State\n" + "".join(
        f"A{n},2026-03-0{n + 1} 10:00,{word}\n" for n, word in enumerate(words)
    )
    people = "Client no.,Date of birth\n" + "".join(f"A{n},1990-03-0{n}\n" for n in (1, 2, 3))
    sources, _ = drafted_of(capsys, tmp_path, visits=visits, people=people)
    assert {each.id_space for each in sources.values()} == {"practice"}
    assert sources["people"].records == "clients"


def test_an_export_of_months_is_taken_for_a_whole_one_and_one_of_days_is_not(tmp_path, capsys):
    rows = "Client no.,Date,State\nA1,2026-03-02 10:00,Kept\nA2,{} 10:00,No Show\n"
    sources, _ = drafted_of(capsys, tmp_path, long=rows.format("2026-06-02"), short=rows.format("2026-03-04"))
    assert [sources[name].covers for name in ("long", "short")] == ["all", None]


def test_the_linkids_of_a_fhir_export_are_listed_where_no_questionnaire_is_recognised(tmp_path, capsys):
    response = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://x.example/Questionnaire/mood|2"}
    response |= {"subject": {"reference": "Patient/12"}, "item": [{"linkId": "g1.q1", "answer": [{"valueInteger": 2}]}]}
    (tmp_path / "x.ndjson").write_text(json.dumps(response) + "\n")
    assert main([str(tmp_path / "x.ndjson")]) == 0
    told = capsys.readouterr().out
    (tmp_path / "clinic.toml").write_text(told)
    [form] = read_clinic(tmp_path / "clinic.toml").sources[0].forms
    assert (form.form, form.items[0]) == ("mood", "fill in")
    assert "#   g1.q1" in told


def test_the_files_of_a_draft_are_of_every_format_that_there_is():
    assert {form for _, form in FILES.values()} == set(load_formats())


def test_files_that_differ_in_their_names_have_a_section_each(tmp_path, capsys):
    rows = "Client no.,Date,State\nA1,13/02/2026 10:00,Kept\nA2,14/02/2026 10:00,No Show\n"
    sources, _ = drafted_of(capsys, tmp_path, visits_a=rows, visits_b=rows)
    assert {name: each.files for name, each in sources.items()} == {
        "visits_a": "visits_a.csv",
        "visits_b": "visits_b.csv",
    }


@pytest.mark.parametrize(
    ("numbers", "space", "told"),
    [
        ((1, 2, 3, 4), "own", "its numbers are 1 to 4 as automatic ones are: they match others by chance"),
        (("A1", "A2", "A3", "B9"), "practice", "3 of its 4 clients that were looked at are known there"),
        (("B1", "B2", "B3", "A1"), "own", 'numbers of its own; or "practice": 1 of its 4 clients'),
    ],
)
def test_a_survey_s_id_space_is_the_practice_s_where_its_clients_are_known_there_and_never_by_chance(
    tmp_path, capsys, numbers, space, told
):
    words = ["Kept", "Kept", "Kept", "No Show", "Late Cancel"]
    visits = "Client no.,Date,State\n" + "".join(
        f"{client},2026-03-0{n} 10:00,{word}\n"
        for n, (client, word) in enumerate(zip(["A1", "A2", "A3", 1, 2], words, strict=True), start=1)
    )
    rows = "".join(f"{client},2026-03-02 10:00,1,2,3,4\n" for client in numbers)
    sources, text = drafted_of(capsys, tmp_path, visits=visits, own=f"Client no.,When,SRS1,SRS2,SRS3,SRS4\n{rows}")
    assert sources["own"].id_space == space
    assert told in text


@pytest.mark.parametrize(("name", "column"), [("qualtrics", "ExternalReference"), ("monkey", "Custom Data 1")])
def test_a_survey_tool_s_column_for_another_system_s_number_is_taken_for_the_client(tmp_path, capsys, name, column):
    data = {"qualtrics": QUALTRICS, "monkey": MONKEY}[name]
    [source] = drafted_of(capsys, tmp_path, **{name: data})[0].values()
    assert source.forms[0].client_id == (column,)


def test_the_newcomer_s_clinic_is_drafted_with_one_line_to_be_corrected(tmp_path, capsys):
    """Before: a draft that Rapport refused, two surveys as appointments, and the REDCap's own numbers as clients'."""
    newcomer.deliver(tmp_path / "exports")
    assert main([str(tmp_path / "exports" / name) for name in newcomer.FILES.values()]) == 0
    (tmp_path / "clinic.toml").write_text(capsys.readouterr().out)
    sources = {source.name: source for source in read_clinic(tmp_path / "clinic.toml").sources}
    assert {each.id_space for each in sources.values()} == {"practice"}
    booked, google, log, project = sources.values()
    assert booked.columns["starts_at"] == ("Date", "Time")
    assert (log.header_row, log.nulls, project.client_id) == (3, ("n/a",), ("client_no",))
    forms = [form for source in (google, log, project) for form in source.forms]
    assert [form.instrument for form in forms] == ["phq9", "gad7", "ors", "srs", "wai_sr"]
    assert [len(form.items) for form in google.forms] == [9, 7]
    assert google.forms[0].points == dict(zip(newcomer.WORDS, range(4), strict=True))
