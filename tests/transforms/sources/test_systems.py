"""Systems that a table reader cannot read: each from a small file of the project's own."""

import json

import pytest

from rapport.warehouse.errors import Refused
from tests.clinics.drawn import lines, seen
from tests.clinics.reading import Reading


def read(tmp_path, kind: str, data: str | bytes, more: str = "") -> Reading:
    clinic = f'[sources.it]\nformat = "{kind}"\nfiles = "*"\n{more}'
    return Reading(tmp_path, clinic, data if isinstance(data, bytes) else data.encode(), "it")


def form(instrument: str, items: list[str], more: str = "") -> str:
    return f'instrument = "{instrument}"\nrater = "client"\nitems = {json.dumps(items)}\n{more}\n'


QUALTRICS = """\
StartDate,EndDate,Status,Finished,RecordedDate,ResponseId,ExternalReference,Q1_1,Q1_2,Q1_3,Q1_4
Anfangsdatum,Enddatum,Antworttyp,Beendet,Erfasst,Antwort-ID,Referenz,"a text
of two lines",b,c,d
"{""ImportId"":""startDate"",""timeZone"":""Europe/Berlin""}","{""ImportId"":""endDate"",""timeZone"":""Europe/Berlin""}",\
"{""ImportId"":""status""}","{""ImportId"":""finished""}","{""ImportId"":""recordedDate""}","{""ImportId"":""_recordId""}",\
"{""ImportId"":""externalDataReference""}","{""ImportId"":""QID1_1""}","{""ImportId"":""QID1_2""}",\
"{""ImportId"":""QID1_3""}","{""ImportId"":""QID1_4""}"
2026-01-02 10:00:00,2026-01-02 10:05:00,0,1,x,R_1,c1,1,2,3,4
2026-01-02 10:00:00,2026-01-02 10:05:00,Survey Preview,1,x,R_2,c1,1,2,3,4
2026-01-02 10:00:00,2026-01-02 10:05:00,2,1,x,R_3,c1,1,2,3,4
2026-01-02 10:00:00,2026-01-02 10:06:00,IP Address,FALSE,x,R_4,c2,5,,,
"""
ASKED = 'client_id = "ExternalReference"\n' + form("srs", ["QID1_1", "Q1_2", "QID1_3", "QID1_4"])


@pytest.mark.parametrize(
    "data", [QUALTRICS.encode(), QUALTRICS.replace(",", "\t").encode("utf-16")], ids=["CSV", "TSV in UTF-16"]
)
def test_qualtrics_is_read_by_its_third_row_without_previews_and_tests_and_partials_are_marked(tmp_path, data):
    if b"\t" in data:
        data = QUALTRICS.replace('"a text\nof two lines"', "a").replace(',""time', "\x00").replace(",", "\t")
        data = data.replace("\x00", ',""time').encode("utf-16")
    found = read(tmp_path, "qualtrics", data, ASKED)
    expected = """
        response_id | client_id | completed_at     | answers | is_partial
        R_1         | c1        | 2026-01-02 09:05 | 1 2 3 4 | no
        R_4         | c2        | 2026-01-02 09:06 | 5 - - - | yes
        """
    assert seen(found.rows("responses"), expected) == lines(expected)
    assert (found.opened.header_count, found.opened.record_count, found.ignored_count) == (3, 4, 2)


def test_qualtrics_legacy_export_has_two_header_rows_a_mark_and_a_comma_too_many(tmp_path):
    data = "\ufeffV1,V4,V7,V8,V9,V10,Q1,Q2,Q3,Q4,\n"
    data += "ResponseID,ExternalDataReference,Status,StartDate,EndDate,Finished,a,b,c,d,\n"
    data += "R_1,c1,0,2026-01-02 10:00:00,2026-01-02 10:05:00,1,1,2,3,4,\n"
    found = read(tmp_path, "qualtrics", data, 'client_id = "V4"\n' + form("srs", ["Q1", "Q2", "Q3", "Q4"]))
    expected = "response_id | client_id | completed_at | answers\nR_1 | c1 | 2026-01-02 16:05 | 1 2 3 4"
    assert seen(found.rows("responses"), expected) == lines(expected)
    assert found.opened.header_count == 2


def test_a_table_that_is_not_from_qualtrics_is_refused(tmp_path):
    with pytest.raises(Refused, match="neither the ImportId row"):
        read(tmp_path, "qualtrics", "id,a\n1,2\n3,4\n", ASKED)


MONKEY = """\
Respondent ID,Collector ID,Start Date,End Date,Custom Data 1,How was it?,,,What else?,Choice
,,,,,First,Second,Third,Open-Ended Response,
3290000001,77,01/13/2026 10:00:00,01/13/2026 10:05:00,c1,1,2,3,4,
3290000002,77,01/02/2026 10:00:00,01/02/2026 10:05:00,c2,5,,,,
"""
MONKEY_ITEMS = ["How was it?: First", "How was it?: Second", "How was it?: Third", "What else?"]


def test_surveymonkeys_two_header_rows_are_joined_to_one_name_a_column(tmp_path):
    found = read(tmp_path, "surveymonkey", MONKEY, 'client_id = "Custom Data 1"\n' + form("srs", MONKEY_ITEMS))
    expected = """
        response_id | client_id | completed_at     | answers
        3290000001  | c1        | 2026-01-13 16:05 | 1 2 3 4
        3290000002  | c2        | 2026-01-02 16:05 | 5 - - -
        """
    assert seen(found.rows("responses"), expected) == lines(expected)
    assert found.opened.header_count == 2


def test_surveymonkeys_condensed_columns_are_named_by_the_question_alone(tmp_path):
    data = "Respondent ID,End Date,Custom Data 1,a,b,c,d\n1,01/13/2026 10:05:00,c1,1,2,3,4\n"
    found = read(tmp_path, "surveymonkey", data, 'client_id = "Custom Data 1"\n' + form("srs", ["a", "b", "c", "d"]))
    assert found.rows("responses")["answers"].to_list() == [[1, 2, 3, 4]]


def test_ids_that_a_spreadsheet_has_rounded_are_refused(tmp_path):
    with pytest.raises(Refused, match="a spreadsheet has rounded"):
        read(
            tmp_path,
            "surveymonkey",
            MONKEY.replace("3290000001", "3.29E+09"),
            form("srs", MONKEY_ITEMS, 'client_id = "#5"'),
        )


ATTENDANCE = """\
client_name,clinician_name,date_of_service,office_name,status
2 clients,1 clinician,3 appointments,1 office,2 statuses
Ann A,Lee,01/13/2026,North,Show
Ann A,Lee,01/13/2026,North,Late Cancelled
Bob B,Lee,02/03/2026,North,Show
"""


def test_simplepractices_attendance_comes_to_its_summary_and_ids_are_made(tmp_path):
    found = read(tmp_path, "simplepractice", ATTENDANCE, '[lists]\nsite = ["North"]')
    expected = """
        client_id | therapist_id | starts_local     | status      | site
        Ann A     | Lee          | 2026-01-13 12:00 | attended    | North
        Ann A     | Lee          | 2026-01-13 12:00 | late_cancel | North
        Bob B     | Lee          | 2026-02-03 12:00 | attended    | North
        """
    rows = found.rows("appointments")
    assert seen(rows, expected) == lines(expected)
    assert rows["appointment_id"].n_unique() == 3
    assert found.ignored_count == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ATTENDANCE.rpartition("Bob")[0], "2 client values and has 1"),
        (ATTENDANCE.replace("3 app", "4 app"), "4 appointment values and has 3"),
        (ATTENDANCE.replace("2 clients,1 clinician,3 appointments,1 office,2 statuses\n", ""), "has no summary"),
        ("Date of Service,Client,Progress Note Status,Charge,Charge\n1,2,3,4,5\n", "does not say who attended"),
    ],
)
def test_a_report_that_does_not_come_to_its_summary_is_refused(tmp_path, data, reason):
    with pytest.raises(Refused, match=reason):
        read(tmp_path, "simplepractice", data)


def booking(number: str, client: str, **more: object) -> dict:
    made = {"id": number, "starts_at": "2026-03-02T15:00:00Z", "ends_at": "2026-03-02T15:50:00Z"}
    site = "https://api.example.com/v1"
    made["patient"] = {"links": {"self": f"{site}/patients/{client}"}}
    made["practitioner"] = {"links": {"self": f"{site}/practitioners/7"}}
    return made | more


CLINIKO = [
    booking("1390726237298631770", "12", patient_arrived=True, cancelled_at=None),
    booking("2", "12", did_not_arrive=True),
    booking("3", "12", cancelled_at="2026-03-02T10:00:00Z"),
    booking("4", "12"),
    booking("5", "12", deleted_at="2026-03-02T10:00:00Z"),
    {**booking("6", ""), "attendees": [{"arrived": True, **booking("7", "13")}, booking("8", "14")]},
]
CLINIKO_READ = """
    appointment_id      | client_id | therapist_id | duration_minutes | status              | status_basis
    1390726237298631770 | 12        | 7            | 50               | attended            | stated
    2                   | 12        | 7            | 50               | no_show             | stated
    3                   | 12        | 7            | 50               | cancelled_by_client | stated
    4                   | 12        | 7            | 50               | attended            | derived
    6                   | 13        | 7            | 50               | attended            | stated
    6                   | 14        | 7            | 50               | attended            | derived
    """


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({"individual_appointments": CLINIKO, "links": {}, "total_entries": 6}, indent=1),
        json.dumps(CLINIKO).replace('"1390726237298631770"', "1390726237298631770"),
        "\n".join(map(json.dumps, CLINIKO)) + "\n\n",
    ],
    ids=["a page", "an array with numbers for ids", "lines"],
)
def test_clinikos_flags_say_what_became_of_an_appointment_and_its_links_whose_it_is(tmp_path, data):
    found = read(tmp_path, "cliniko", data, '[sources.it.status]\ncancelled_by = "client"')
    assert seen(found.rows("appointments"), CLINIKO_READ) == lines(CLINIKO_READ)
    assert (found.opened.record_count, found.ignored_count) == (6, 1)


WEEKLY = 'a:3:{s:17:"event_repeat_freq";s:1:"1";s:22:"event_repeat_freq_type";s:1:"1";s:6:"exdate";s:8:"20260309";}'
MONDAYS = 'a:2:{s:17:"event_repeat_freq";s:3:"2,4";s:22:"event_repeat_freq_type";s:1:"6";}'
LAST_FRIDAY = (
    'a:3:{s:19:"event_repeat_on_num";s:1:"5";s:19:"event_repeat_on_day";s:1:"5";s:20:"event_repeat_on_freq";s:1:"1";}'
)
OPENEMR = (
    "pc_eid,pc_pid,pc_aid,pc_eventDate,pc_endDate,pc_startTime,pc_duration,pc_recurrtype,pc_recurrspec,pc_apptstatus\n"
)
CALENDAR = [
    ("1,12,7,2026-03-02,0000-00-00,10:00:00,3000,0,,@", ["2026-03-02 attended"]),
    ("2,12,7,2026-03-02,,10:00:00,3000,0,,%", ["2026-03-02 late_cancel"]),
    ("3,12,7,2026-03-02,,10:00:00,3000,0,,x", ["2026-03-02 None"]),
    ("4,,7,2026-03-02,,10:00:00,3000,0,,-", []),
    (f"5,12,7,2026-02-23,2026-03-20,10:00:00,3000,1,{WEEKLY},-", ["2026-02-23", "2026-03-02", "2026-03-16"]),
    (f"6,12,7,2026-03-02,2026-03-10,10:00:00,3000,3,{MONDAYS},-", ["2026-03-02", "2026-03-04", "2026-03-09"]),
    (f"7,12,7,2026-01-01,2026-03-10,10:00:00,3000,2,{LAST_FRIDAY},-", ["2026-01-30", "2026-02-27"]),
]


@pytest.mark.parametrize(("row", "expected"), CALENDAR, ids=[row.partition(",")[0] for row, _ in CALENDAR])
def test_openemrs_codes_are_known_and_a_series_becomes_its_days(tmp_path, row, expected):
    cells = [f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row.replace('"2,4"', '"2;4"').split(",")]
    data = OPENEMR + ",".join(cells) + "\n"
    found = read(tmp_path, "openemr", data)
    rows = found.rows("appointments")
    if not expected:
        assert (rows.height, found.ignored_count) == (0, 1)
        return
    days = [f"{at:%Y-%m-%d} {status}" for at, status in rows.select("starts_local", "status").iter_rows()]
    assert days == [each if " " in each else f"{each} scheduled" for each in expected]
    assert rows["appointment_id"].n_unique() == len(expected)
    assert rows["duration_minutes"].to_list() == [50] * len(expected)


def siu(event: str, at: str, number: str, start: str = "202603021000", state: str = "Booked") -> str:
    segments = [
        f"MSH|^~\\&|A|B|C|D|{at}||SIU^{event}|1|P|2.5",
        f"SCH|P{number}|F{number}" + (f"|||||||50|min|^^50^{start}^||||||||||||||{state}" if start else ""),
        "PID|1||12^^^PRACTICE~99||",
        "AIP|1||7^LEE",
    ]
    return "\r".join(segments) + "\r"


LOG = (
    siu("S13", "20260301120000", "1", "20260303110000-0600")  # moved, and told before it was booked
    + "\x0b" + siu("S12", "20260228120000", "1") + "\x1c\r"
    + siu("S12", "20260228120000", "2") + siu("S15", "20260302090000-0600", "2", "", "")
    + siu("S12", "20260228120000", "3") + siu("S26", "20260302120000", "3", state="NOSHOW")
    + siu("S12", "20260228120000", "4", state="Complete")
    + siu("S12", "20260228120000", "5", state="Blocked")
    + "MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5\rPID|1||12\r"
)  # fmt: skip


@pytest.mark.parametrize("data", [LOG, "BHS|^~\\&|A\r" + LOG + "BTS|1\r", LOG.replace("\r", "\n")])
def test_the_last_message_of_an_appointment_decides(tmp_path, data):
    found = read(tmp_path, "hl7_siu", data, '[sources.it.status]\ncancelled_by = "client"')
    expected = """
        appointment_id | therapist_id | starts_local     | cancelled_at     | status              | record_count
        F1             | 7            | 2026-03-03 11:00 |                  | scheduled           | 2
        F2             | 7            | 2026-03-02 10:00 | 2026-03-02 15:00 | cancelled_by_client | 2
        F3             | 7            | 2026-03-02 10:00 |                  | no_show             | 2
        F4             | 7            | 2026-03-02 10:00 |                  | attended            | 1
        """
    assert seen(found.rows("appointments").sort("appointment_id"), expected) == lines(expected)
    assert (found.opened.record_count, found.ignored_count) == (9, 2)


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("hl7_siu", "id,a\n1,2\n", r"HL7 message \(MSH\)"),
        ("hl7_siu", LOG.rpartition("\x1c")[2][-60:], "none about appointments|does not begin"),
        ("cliniko", '{"error": "denied"}', "no Cliniko appointments"),
        ("cliniko", "id,a\n1,2\n", "is not JSON"),
        ("cliniko", json.dumps(CLINIKO)[:-9], "not JSON to its end"),
        ("cliniko", "\n".join(map(json.dumps, CLINIKO))[:-9], "the file is truncated"),
        ("fhir", '{"resourceType": "OperationOutcome"}', "FHIR server returned"),
        ("fhir", '{"a": 1}', "without FHIR resources"),
    ],
)
def test_another_systems_file_is_refused(tmp_path, kind, data, reason):
    with pytest.raises(Refused, match=reason):
        read(tmp_path, kind, data)
