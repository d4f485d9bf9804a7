"""One cast makes an id of a text, in every reader; what names nobody is held, by a rule that says why."""

import io
import json
import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.clinic_file.identifiers import PLAIN, Writing, identified, other_writings, plain
from rapport.warehouse.errors import Unusable
from tests.clinics.reading import Reading
from tests.clinics.spreadsheets import xlsx

WRITTEN = [
    ("137", "137"),
    ("137.0", "137"),
    ("137.000", "137"),
    ("-5.0", "-5"),
    ("007.0", "007"),
    ("137.5", "137.5"),
    ("1.2.0", "1.2.0"),
    ("A.0", "A.0"),
    (" 137 ", "137"),
    ("13\u200b7", "137"),
    ("\ufeff137", "137"),
    ("137\u00ad", "137"),
    ("13\u20607\ufe0f", "137"),
    ("Jane\u00a0Smith", "Jane Smith"),
    ("Jane \t Smith", "Jane Smith"),
    ("Jane\u202f\u200bSmith", "Jane Smith"),
    ("Jose\u0301", "José"),
    ("NULL", None),
    ("\\N", None),
    ("None", None),
    ("nan", None),
    ("#N/A", None),
    ("<NA>", None),
    ("#REF!", None),
    ("\u200b", None),
    ("", None),
    ("Null", "Null"),
    ("Nullum", "Nullum"),
    ("12E45", "12E45"),
    ("#1001", "#1001"),
]


@pytest.mark.parametrize(("written", "number"), WRITTEN)
def test_what_tells_two_writings_of_one_number_apart_is_no_part_of_it(written, number):
    beside = ["C1", None, written]  # a column that is clean but for one text is read as one that is not
    for column in ([written], beside, [written] * 3):
        found = identified(pl.Series(column, dtype=pl.String))
        assert (found.ids[-1], found.refusals) == (number, None)


@pytest.mark.parametrize("written", ["1.39073E+18", "1.39073E18", "2.98725e13", "1,39073E+18", "1E+18", " 1.4E+100 "])
def test_what_a_spreadsheet_rounded_is_no_id_and_is_told_apart_from_a_missing_one(written):
    found = identified(pl.Series([written, "137", None]))
    assert (found.ids.to_list(), found.refusals.to_list()) == ([None, "137", None], ["rounded_id", None, None])


def test_a_reference_is_local_to_its_document_only_where_its_format_has_such_references():
    assert identified(pl.Series(["#p"])).ids.to_list() == ["#p"]
    found = identified(pl.Series(["#p", "137"]), may_be_local=True)
    assert (found.ids.to_list(), found.refusals.to_list()) == ([None, "137"], ["local_reference", None])


@pytest.mark.parametrize(
    ("writing", "written", "number"),
    [
        (Writing(case="upper"), "ab1", "AB1"),
        (Writing(case="lower"), "AB1", "ab1"),
        (Writing(zero_pad=5), "137", "00137"),
        (Writing(zero_pad=5), "137.0", "00137"),
        (Writing(zero_pad=5), "A137", "A137"),
        (Writing(zero_pad=2), "137", "137"),
        (Writing(pattern="[0-9]+"), "137", "137"),
        (Writing(pattern=r".*\(([0-9]+)\)"), "Smith, J (137)", "137"),
        (Writing(r".*\(([0-9]+)\)", None, 5), "Smith, J (137)", "00137"),
    ],
)
def test_a_section_may_say_how_its_clients_numbers_are_written(writing, written, number):
    assert identified(pl.Series([written]), writing).ids.to_list() == [number]


def test_a_number_that_is_not_written_as_its_section_says_is_refused():
    found = identified(pl.Series(["Smith", None, ""]), Writing("[0-9]+"))
    assert (found.ids.to_list(), found.refusals.to_list()) == ([None] * 3, ["id_pattern", None, None])


@given(st.lists(st.text(st.sampled_from("a1.0E+ #\u00a0\u200b\u0301é\t\x1f\\N")) | st.text() | st.none()))
def test_an_id_is_read_once_and_reading_it_again_changes_nothing(texts):
    once = identified(pl.Series(texts, dtype=pl.String)).ids
    again = identified(once)
    assert again.ids.to_list() == once.to_list() and again.refusals is None
    for each in once.drop_nulls():
        assert unicodedata.is_normalized("NFC", each) and "  " not in each and each == each.strip()
        assert not any(unicodedata.category(mark) in ("Cf", "Cc") for mark in each)


@given(st.text(st.sampled_from("a1 é"), min_size=1))
def test_whatever_an_earlier_version_may_have_kept_is_the_same_number(text):
    number = plain(text)
    assert {plain(each) for each in other_writings(number)} <= {number}


# In every reader

PLAIN_APPOINTMENTS = "appointment_id,client_id,therapist_id,starts_at,status\n"
TABLE = """\
[sources.t]
format = "table"
records = "appointments"
files = "t*"
{more}
[sources.t.status]
words = {{ "held" = "attended" }}
"""
WIDE = """\
[sources.w]
format = "wide"
files = "w*"
client_id = "who"
completed_at = "when"
instrument = "srs"
rater = "client"
therapist_id = "by"
rater_id = "rated"
appointment_id = "slot"
items = ["a", "b", "c", "d"]
"""
REDCAP = """\
[sources.r]
format = "redcap"
files = "r*"
[sources.r.forms.srs]
instrument = "srs"
rater = "client"
items = ["a", "b", "c", "d"]
"""
FHIR = """\
[sources.f]
format = "fhir"
files = "f*"
"""


def booked(patient: str, practitioner: str = "Practitioner/7.0") -> bytes:
    actors = [{"actor": {"reference": reference}} for reference in (patient, practitioner)]
    parts = [{"resourceType": "Patient", "id": "p"}, {"resourceType": "Practitioner", "id": "q"}]
    facts = {
        "contained": parts,
        "id": "A1\u200b",
        "status": "fulfilled",
        "start": "2026-03-02T10:00:00Z",
        "participant": actors,
    }
    return json.dumps({"resourceType": "Appointment", **facts}).encode()


def test_every_id_of_the_plain_format_is_read_so(tmp_path):
    found = Reading(
        tmp_path, "", f"{PLAIN_APPOINTMENTS}9001.0,137.0,7.0,2026-03-02T10:00,attended".encode(), "appointments"
    )
    row = found.rows("appointments").row(0, named=True)
    assert [row[f"{kind}_id"] for kind in ("appointment", "client", "therapist")] == ["9001", "137", "7"]
    lines = "response_id,client_id,instrument,rater,rater_id,therapist_id,appointment_id,completed_at,item,value\n"
    lines += "".join(f"5.0,137.0,srs,client,3.0,7.0,9001.0,2026-03-02T10:50,{n},8\n" for n in (1, 2, 3, 4))
    row = Reading(tmp_path, "", lines.encode(), "responses").rows("responses").row(0, named=True)
    kinds = ("response", "client", "rater", "therapist", "appointment")
    assert [row[f"{kind}_id"] for kind in kinds] == ["5", "137", "3", "7", "9001"]
    row = Reading(tmp_path, "", b"episode_id,client_id,opened_on\n4.0,137.0,2026-01-01\n", "episodes").rows("episodes")
    assert row.select("episode_id", "client_id").row(0) == ("4", "137")
    assert Reading(tmp_path, "", b"client_id\n137.0\n", "clients").rows("clients")["client_id"].to_list() == ["137"]


def test_a_table_whose_records_have_no_id_makes_one_of_the_client_as_it_is_read(tmp_path):
    data = b"client_id,starts_at,status\n137.0,2026-03-02 10:00,held\n 138 ,2026-03-02 11:00,held\n"
    found = Reading(tmp_path, TABLE.format(more=""), data, "t")
    rows = found.rows("appointments")
    assert rows["client_id"].to_list() == ["137", "138"]
    assert rows["appointment_id"].to_list()[0] == "t\x1f137\x1f2026-03-02T10:00:00\x1f0"
    (former,) = found.task.former_texts["appointment"]
    before = dict(former.select("now", "before").iter_rows())
    assert before == {
        "t\x1f137\x1f2026-03-02T10:00:00\x1f0": "t\x1f137.0\x1f2026-03-02T10:00:00\x1f0",
        "t\x1f138\x1f2026-03-02T11:00:00\x1f0": "t\x1f 138 \x1f2026-03-02T11:00:00\x1f0",
    }


def test_every_id_of_a_form_is_read_so_and_the_one_that_is_made_of_the_client_follows(tmp_path):
    data = b"who,when,by,rated,slot,a,b,c,d\n137.0,2026-03-02 10:50,7.0,3.0,9001.0,8,8,8,8\n"
    found = Reading(tmp_path, WIDE, data, "w")
    row = found.rows("responses").row(0, named=True)
    assert [row[f"{kind}_id"] for kind in ("client", "therapist", "rater", "appointment")] == ["137", "7", "3", "9001"]
    assert row["response_id"] == "w/137/w/2026-03-02 10:50"
    before = {kind: frame.select("now", "before").row(0) for kind, (frame,) in found.task.former_texts.items()}
    assert before == {
        "client": ("137", "137.0"),
        "therapist": ("7", "7.0"),
        "rater": ("3", "3.0"),
        "appointment": ("9001", "9001.0"),
        "response": ("w\x1f137\x1fw\x1f2026-03-02 10:50", "w\x1f137.0\x1fw\x1f2026-03-02 10:50"),
    }


def test_a_redcap_record_is_read_so(tmp_path):
    found = Reading(tmp_path, REDCAP, b"record_id,srs_timestamp,a,b,c,d\n137.0,2026-03-02 10:50,8,8,8,8\n", "r")
    assert found.rows("responses").select("client_id", "response_id").row(0) == ("137", "r/137//srs/")
    assert found.task.former_texts["response"][0].row(0) == ("r\x1f137\x1f\x1fsrs\x1f", "r\x1f137.0\x1f\x1fsrs\x1f")


def test_a_fhir_reference_is_read_so_and_one_to_a_part_of_its_own_document_is_held(tmp_path):
    row = Reading(tmp_path, FHIR, booked("Patient/137"), "f").rows("appointments").row(0, named=True)
    assert [row[f"{kind}_id"] for kind in ("appointment", "client", "therapist")] == ["A1", "137", "7"]
    for patient, practitioner, refused in (
        ("Patient/137", "#q", "therapist_id"),
        ("#p", "Practitioner/7", "client_id"),
    ):
        held = Reading(tmp_path, FHIR, booked(patient, practitioner), "f").rows("appointments")
        assert held[refused].to_list() == [None]
        assert held["unreadable"].to_list() == [[f"local_reference\x1f{refused}"]]


def test_what_a_section_says_of_its_clients_numbers_is_not_said_of_other_ids(tmp_path):
    data = b"client_id,therapist_id,starts_at,status\nab1,t1,2026-03-02 10:00,held\n"
    row = Reading(tmp_path, TABLE.format(more='id_case = "upper"'), data, "t").rows("appointments").row(0, named=True)
    assert (row["client_id"], row["therapist_id"]) == ("AB1", "t1")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('id_case = "title"', "id_case = 'title'"),
        ('id_pattern = "["', "id_pattern is no regular expression"),
        ('id_pattern = "(a)(b)"', "id_pattern has 2 groups"),
    ],
)
def test_a_wrong_word_about_numbers_is_refused_by_its_key(tmp_path, line, reason):
    (tmp_path / "clinic.toml").write_text('time_zone = "UTC"\n' + TABLE.format(more=line))
    with pytest.raises(Unusable, match=reason):
        read_clinic(tmp_path / "clinic.toml")


def test_a_section_that_says_nothing_writes_numbers_plainly(tmp_path):
    (tmp_path / "clinic.toml").write_text('time_zone = "UTC"\n' + TABLE.format(more=""))
    assert read_clinic(tmp_path / "clinic.toml").sources[0].writing == PLAIN


LONG = 1390731234567890123  # a number cell, and a float of 64 bits, hold 1390731234567890176 in its place


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([LONG, LONG + 300, 137], ["rounded_id", "rounded_id", "137"]),
        ([1390731234567890000, 138], ["rounded_id", "138"]),
        ([str(LONG), str(LONG + 1)], [str(LONG), str(LONG + 1)]),
        ([9007199254740991, "C1"], ["9007199254740991", "C1"]),
    ],
    ids=["numbers", "Excel's own fifteen digits", "texts", "the last whole number that is exact"],
)
def test_a_workbook_s_number_that_has_too_many_digits_is_no_id(tmp_path, cells, expected):
    rows = [["client_id", "appointment_id", "starts_at", "status"]]
    rows += [[each, n + 1, "2026-01-05 10:00", "attended"] for n, each in enumerate(cells)]
    assert clients_or_rules(Reading(tmp_path, PLAIN_SECTION, xlsx(a=rows), "it")) == expected


def test_a_parquet_number_of_32_bits_that_leaves_out_others_is_no_id(tmp_path):
    numbers = pl.Series([137.0, 16777215.0, 16777216.0, 33554433.0, None], dtype=pl.Float32)
    frame = pl.DataFrame({"client_id": numbers, "appointment_id": range(5)})
    made = io.BytesIO()
    frame.with_columns(starts_at=pl.lit("2026-01-05 10:00"), status=pl.lit("attended")).write_parquet(made)
    found = clients_or_rules(Reading(tmp_path, PLAIN_SECTION, made.getvalue(), "it"))
    assert found == ["137", "16777215", "rounded_id", "rounded_id", None]


def clients_or_rules(found: Reading) -> list[str | None]:
    """Each record's client, or the rule that holds it."""
    rows = found.rows("appointments").select("client_id", "unreadable").rows()
    return [client or (rules and rules[0].split("\x1f")[0]) for client, rules in rows]


PLAIN_SECTION = '[sources.it]\nformat = "plain"\nrecords = "appointments"\nfiles = "*"\n'
