"""Tables that programs and people have touched: lone quotes, several marks, sep=, short records, renamed columns."""

import pytest

from rapport.transforms.sources import open_delivery
from rapport.transforms.sources.opening.tables import open_table
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.errors import Refused
from rapport.warehouse.schema.records import TOO_SHORT, held_by
from tests.clinics.reading import Reading

CLINIC = '[sources.appointments]\nfiles = "*"\n'
HEADER = "appointment_id,client_id,starts_at,status,note,therapist_id,duration_minutes"
SHORT = [held_by(TOO_SHORT)]


def read(tmp_path, *lines: str, mark: str = "", header: str = HEADER, end: str = "\n") -> Reading:
    return Reading(tmp_path, CLINIC, (mark + "\n".join([header, *lines]) + end).encode(), "appointments")


def told(found: Reading) -> list[tuple]:
    """Each appointment, its therapist and what holds it."""
    return found.rows("appointments").select("appointment_id", "therapist_id", "duration_minutes", "unreadable").rows()


def booked(number: int, note: str = "ok", rest: str = ",T1,50") -> str:
    return f"A{number},{number},2026-03-0{number}T10:00,attended,{note}{rest}"


@pytest.mark.parametrize(
    "notes",
    [
        ['12" ruler', "ok", 'the 5" one', "ok"],
        ['12" ruler', "ok", "ok"],
        ["ok", "ok", 'the 5"'],
        ['"a ""quoted"" word"', '12" ruler', '"two\nlines, and 3"" more"'],
        ['"said" twice', 'a "b" c'],
    ],
)
def test_inch_marks_in_a_column_that_nobody_uses_are_read(tmp_path, notes):
    found = read(tmp_path, *(booked(number, note) for number, note in enumerate(notes, start=1)))
    assert told(found) == [(f"A{number}", "T1", 50, None) for number in range(1, len(notes) + 1)]
    assert (found.opened.record_count, found.opened.blank_count) == (len(notes), 0)


def test_a_lone_quote_that_opens_a_value_is_named_by_record_and_column(tmp_path):
    with pytest.raises(Refused, match="has a quote in record 2, column 'note', that is never closed"):
        read(tmp_path, booked(1), booked(2, '"inch'), booked(3), booked(4))


def test_lone_quotes_are_read_alike_wherever_the_chunks_are_cut(tmp_path):
    lines = [booked(1, '12" ruler'), "", booked(2, '"two\nlines"'), booked(3, 'the 5" one')]
    whole = told(read(tmp_path, *lines))
    (tmp_path / "export.csv").write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    for size in (1, 7, 50, 90):
        opened = open_table(tmp_path / "export.csv", chunk=size)
        opened.need(["appointment_id", "therapist_id"])
        rows = [row for frame in opened.chunks for row in frame.select("appointment_id", "therapist_id").iter_rows()]
        assert (rows, opened.record_count, opened.blank_count) == ([row[:2] for row in whole], 4, 1)


@pytest.mark.parametrize("mark", ["\ufeff", "\ufeff\ufeff", "\ufeff\ufeff\ufeff", "ï»¿", "\ufeffï»¿"])
@pytest.mark.parametrize("header", [HEADER, "therapist_id,appointment_id,client_id,starts_at,status"])
def test_any_number_of_byte_order_marks_is_stripped_before_required_and_optional_columns(tmp_path, mark, header):
    row = booked(1) if header == HEADER else "T1,A1,1,2026-03-01T10:00,attended"
    found = read(tmp_path, row, mark=mark, header=header)
    assert told(found)[0][:2] == ("A1", "T1")


def test_two_marks_are_stripped_from_utf_16_and_from_json_too(tmp_path):
    text = "\ufeff\ufeff" + "\n".join([HEADER, booked(1), ""])
    assert told(Reading(tmp_path, CLINIC, text.encode("utf-16-le"), "appointments")) == [("A1", "T1", 50, None)]
    one = '{"id": "1", "starts_at": "2026-03-02T15:00:00Z", "patient": {"links": {"self": "p/7"}}}\n'
    cliniko = '[sources.it]\nformat = "cliniko"\nfiles = "*"\n'
    assert Reading(tmp_path, cliniko, ("\ufeff\ufeff" + one).encode(), "it").rows("appointments").height == 1


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;"])
@pytest.mark.parametrize("more", ["", "header_row = 2\n"])
def test_a_line_that_tells_excel_the_separator_is_no_header(tmp_path, first, more):
    lines = [first, HEADER.replace(",", ";"), booked(1).replace(",", ";"), ""]
    found = Reading(tmp_path, CLINIC + more, "\r\n".join(lines).encode(), "appointments")
    assert told(found) == [("A1", "T1", 50, None)]
    assert (found.opened.header_count, found.opened.record_count) == (2, 1)


def test_a_record_shorter_than_its_header_is_held_and_so_is_what_was_cut_off_it(tmp_path):
    found = read(tmp_path, booked(1), "A2,2,2026-03-02T10:00,attended,called mother", "back at noon,T1,50", booked(3))
    assert [row[3] for row in told(found)] == [None, SHORT, ["starts_at", *SHORT], None]


def test_a_blank_last_value_makes_no_record_short(tmp_path):
    found = read(tmp_path, booked(1, rest=",,"), booked(2, '"a, b"', ",T1,"), "", booked(3, '"two\nlines, or 3"', ",,"))
    assert [row[3] for row in told(found)] == [None, None, None]


def test_a_record_is_not_short_where_only_columns_that_nobody_uses_are_left_out(tmp_path):
    found = read(tmp_path, "A1,1,2026-03-01T10:00,attended", header="appointment_id,client_id,starts_at,status,note")
    assert told(found) == [("A1", None, None, None)]


@pytest.mark.parametrize("quoted", ["", '"'])
def test_a_short_record_is_held_beside_lone_quotes_and_quoted_values(tmp_path, quoted):
    lines = [booked(1, f"{quoted}ok{quoted}"), booked(2, '12" ruler'), "A3,3,2026-03-03T10:00,attended"]
    assert [row[3] for row in told(read(tmp_path, *lines))] == [None, None, SHORT]


def test_a_short_record_of_a_response_holds_the_response(tmp_path):
    data = "response_id,client_id,instrument,rater,completed_at,item,value\n"
    data += "".join(f"R{n},C1,srs,client,2026-03-02T10:50,{item},{item}\n" for n in (1, 2) for item in (1, 2, 3, 4))
    clinic = '[sources.r]\nformat = "plain"\nrecords = "responses"\nfiles = "*"\n'
    found = Reading(tmp_path, clinic, data.replace(",3,3\n", ",3\n", 1).encode(), "r").rows("responses")
    assert found.select("response_id", "unreadable").rows() == [("R1", SHORT), ("R2", None)]


RENAMED = {
    "capitals": "Appointment_ID,Client_ID,Starts_At,Status,Note,Therapist_ID,Duration_Minutes",
    "blanks": "appointment id,client  id, starts at ,status,note,Therapist Id,duration\u00a0minutes",
    "marks": "appointment-id,client.id,starts_at:,status*,note,therapist\u2011id,duration_minutes?",
    "invisible": "appointment_id\u200b,\u2060client_id,starts_at,status,note,therapist_id\ufeff,duration_minutes",
}


@pytest.mark.parametrize("header", RENAMED.values(), ids=RENAMED)
def test_required_and_optional_columns_are_found_whatever_programs_change_in_their_names(tmp_path, header):
    assert told(read(tmp_path, booked(1), header=header)) == [("A1", "T1", 50, None)]


def test_names_that_differ_in_more_than_that_are_other_columns(tmp_path):
    """Q1_1 is not Q11, and box___1 (ticked: 1) is not box____1 (ticked: -1)."""
    (tmp_path / "clinic.toml").write_text('time_zone = "UTC"\n' + CLINIC, encoding="utf-8")
    (tmp_path / "export.csv").write_text("Q11,box___1,Client ID,client-id\n1,2,3,4\n", encoding="utf-8")
    opened = open_delivery(tmp_path / "export.csv", read_clinic(tmp_path / "clinic.toml").sources[0])
    assert not any(map(opened.has, ["Q1_1", "box____1", "client_id"]))
    assert (opened.place("q11"), opened.place("Box___1"), opened.place("client-id")) == (0, 1, 3)
    with pytest.raises(Refused, match=r"has no column 'client_id' but 'Client ID', 'client-id'; say in clinic.toml"):
        opened.need(["client_id"])


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (
            "RECORD_ID,Redcap_Event_Name,REDCAP_REPEAT_INSTRUMENT,Redcap_Repeat_Instance,SRS_Timestamp,A,B,C,D",
            "1,e,,,{}",
        ),
        ("Record ID,Event Name,Repeat Instrument,Repeat Instance,srs timestamp,a,b,c,d", "1,e,,,{}"),
    ],
)
def test_redcap_s_own_columns_are_found_so_too(tmp_path, header, row):
    clinic = (
        '[sources.it]\nformat = "redcap"\nfiles = "*"\n[sources.it.forms.srs]\ninstrument = "srs"\nrater = "client"\n'
    )
    clinic += 'items = ["a", "b", "c", "d"]\n'
    data = f"{header}\n{row.format('2026-03-02 10:50,1,2,3,4')}\n"
    (made,) = Reading(tmp_path, clinic, data.encode(), "it").rows("responses").select("response_id", "answers").rows()
    assert made == ("it/1/e/srs/", [1, 2, 3, 4])
