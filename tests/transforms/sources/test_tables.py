"""Any system's table: columns named in clinic.toml, words translated, dates in the order that all rows agree on."""

import io
import zipfile

import polars as pl
import pytest

from rapport.warehouse.errors import Refused
from tests.clinics.drawn import lines, seen
from tests.clinics.reading import Reading
from tests.clinics.spreadsheets import xlsx

BOOKED = """
[sources.practice]
format = "table"
records = "appointments"
files = "*"
"""
COLUMNS = """
[sources.practice.columns]
appointment_id = "Ref"
client_id = "Client no."
starts_at = ["Day", "From"]
ends_at = ["Day", "To"]
therapist_id = "Seen by"
status = "Outcome"
cancelled_at = "Cancelled"
"""
SURVEY = """
[sources.survey]
format = "wide"
files = "*"
client_id = "id"
instrument = "{}"
rater = "client"
undated = true
items = {}
{}
"""


def booked(tmp_path, data: str | bytes, more: str = "", columns: str = COLUMNS) -> Reading:
    return Reading(tmp_path, BOOKED + more + columns, data, "practice")


def survey(tmp_path, data: str | bytes, instrument: str, items: list[str], more: str = "") -> Reading:
    return Reading(tmp_path, SURVEY.format(instrument, items, more).replace("'", '"'), data, "survey")


DRAWN = """
Ref | Client no. | Day        | From  | To    | Seen by | Outcome   | Cancelled
007 | 0012       | 2026-03-02 | 09:00 | 09:50 | Lee     | attended  |
008 | 0012       | 2026-03-03 | 10:00 | 09:00 | Lee     | no_show   |
009 | 0013       | 2026-03-04 |       |       | Lee     | late_cancel | 2026-03-03
"""
READ = """
appointment_id | client_id | therapist_id | starts_local     | duration_minutes | status      | status_basis
007            | 0012      | Lee          | 2026-03-02 09:00 | 50               | attended    | stated
008            | 0012      | Lee          | 2026-03-03 10:00 |                  | no_show     | stated
009            | 0013      | Lee          | 2026-03-04 12:00 |                  | late_cancel | stated
"""


def test_columns_have_the_clinics_names_and_a_day_and_its_time_may_stand_apart(tmp_path):
    found = booked(tmp_path, DRAWN)
    assert seen(found.rows("appointments"), READ) == lines(READ)
    cancelled = found.rows("appointments")["cancelled_at"].drop_nulls().item()
    assert cancelled.isoformat() == "2026-03-04T05:59:59+00:00"  # the end of that day in Chicago


def cells() -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")] for line in DRAWN.strip().splitlines()]


def as_parquet() -> bytes:
    names, *rows = cells()
    buffer = io.BytesIO()
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(buffer)
    return buffer.getvalue()


def zipped(name: str, data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._" + name, b"no data")
        archive.writestr(name, data)
    return made.getvalue()


TSV = "\n".join("\t".join(row) for row in [*cells(), []]).encode()


@pytest.mark.parametrize(
    "data",
    [xlsx(Booked=cells(), Empty=[]), as_parquet(), TSV, TSV.replace(b"\n", b"\r"), zipped("booked.tsv", TSV)],
    ids=["XLSX", "Parquet", "TSV", "carriage returns", "ZIP"],
)
def test_a_spreadsheet_parquet_tsv_and_zip_are_read_alike(tmp_path, data):
    assert seen(booked(tmp_path, data).rows("appointments"), READ) == lines(READ)


def test_numbers_in_a_spreadsheet_are_ids_as_they_are_seen(tmp_path):
    data = xlsx(
        One=[["appointment_id", "client_id", "starts_at", "status"], [329000000012, 7, "2026-03-02", "no_show"]]
    )
    found = booked(tmp_path, data, columns="").rows("appointments")
    assert found.select("appointment_id", "client_id").row(0) == ("329000000012", "7")


def test_of_two_sheets_the_clinic_says_which(tmp_path):
    two = xlsx(One=cells(), Two=cells()[:2])
    with pytest.raises(Refused, match=r"2 sheets with something in them; say which \(sheet"):
        booked(tmp_path, two)
    assert booked(tmp_path, two, 'sheet = "Two"').rows("appointments").height == 1
    with pytest.raises(Refused, match="no sheet 'Three'"):
        booked(tmp_path, two, 'sheet = "Three"')


def test_an_archive_of_several_files_is_refused(tmp_path):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
        archive.writestr("b.csv", "b\n1\n")
    with pytest.raises(Refused, match="archive of 2 files"):
        booked(tmp_path, made.getvalue())


def test_titles_above_the_header_and_footers_below_are_counted_and_no_records(tmp_path):
    data = "Appointments of March\n\n" + "\n".join(",".join(row) for row in cells()) + "\nTotal: 3,,,\n,Total,\n"
    found = booked(tmp_path, data.encode(), 'header_row = 3\nfooters = ["Total"]')
    assert seen(found.rows("appointments"), READ) == lines(READ)
    assert (found.opened.header_count, found.opened.record_count, found.opened.blank_count) == (3, 5, 2)


def test_of_columns_with_one_name_the_clinic_says_which_by_place(tmp_path):
    data = b"id,Paid,q,Paid\nc1,1,2,3\n"
    answers = survey(tmp_path, data, "srs", ["Paid#1", "#3", "Paid#2", "q"]).rows("responses")["answers"]
    assert answers.to_list() == [[1, 2, 3, 2]]
    with pytest.raises(Refused, match=r"'Paid' 2 times; say which \('Paid#1'\)"):
        survey(tmp_path, data, "srs", ["Paid", "q", "q", "q"])


def test_what_keeps_a_spreadsheet_from_computing_is_no_part_of_a_value(tmp_path):
    data = b'id,a,b,c,d\n"=""0012""",\'-1, 2,3,4\n=""x,1,2,3,4\n'
    found = survey(tmp_path, data, "srs", ["a", "b", "c", "d"]).rows("responses")
    assert found["client_id"].to_list() == ["0012", '=""x']
    assert found["answers"].to_list()[0] == [-1, 2, 3, 4]


def test_ids_are_made_for_records_that_have_none_and_two_alike_are_two(tmp_path):
    data = "client_id | starts_at | status\nc1 | 2026-03-02 09:00 | attended\nc1 | 2026-03-02 09:00 | attended"
    found = booked(tmp_path, data, columns="").rows("appointments")
    assert found["appointment_id"].n_unique() == 2
    assert (
        found["appointment_id"].to_list()
        == booked(tmp_path, data, columns="").rows("appointments")["appointment_id"].to_list()
    )


def test_a_long_table_of_answers_is_read_with_its_own_words(tmp_path):
    clinic = """
        [sources.long]
        format = "table"
        records = "responses"
        files = "*"
        [sources.long.columns]
        client_id = "Who"
        completed_at = "When"
        item = "Question"
        value = "Answer"
        [sources.long.constants]
        instrument = "srs"
        rater = "client"
        [sources.long.words.item]
        "Relationship" = "1"
        "Goals" = "2"
        "Approach" = "3"
        "Overall" = "4"
        """
    rows = [f"c1,27/02/2026,{item},{n}" for n, item in enumerate(("goals ", "relationship", "Approach", "Overall"))]
    found = Reading(tmp_path, clinic, "\n".join(["Who,When,Question,Answer", *rows, ""]).encode(), "long")
    expected = "instrument | rater | completed_on | answers | record_count\nsrs | client | 2026-02-27 | 1 0 2 3 | 4"
    assert seen(found.rows("responses"), expected) == lines(expected)


@pytest.mark.parametrize(
    ("days", "first", "order"),
    [
        (["08/07/2025", "13/07/2025"], "2025-07-08", ""),
        (["08/07/2025", "08/27/2025 7:29:02 PM"], "2025-08-07", ""),
        (["08/08/2025", "09/09/2025"], "2025-08-08", ""),
        (["08.07.25", "09.07.25"], "2025-07-08", 'dates = "day_first"'),
        (["2025/08/07 3:04:05 PM GMT-5", "2025-08-07"], "2025-08-07", ""),
    ],
)
def test_the_order_of_day_and_month_is_decided_from_all_rows(tmp_path, days, first, order):
    rows = [f"a{n},c1,{day},no_show" for n, day in enumerate(days)]
    data = "\n".join(["appointment_id,client_id,starts_at,status", *rows, ""]).encode()
    found = booked(tmp_path, data, order, columns="").rows("appointments")
    assert found["starts_local"].dt.date().to_list()[0].isoformat() == first
    assert found["unreadable"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("written", "clock"),
    [
        ("12:05 AM", "00:05"),
        ("12:05 PM", "12:05"),
        ("1:05 pm", "13:05"),
        ("13:05", "13:05"),
        ("13:05 PM", "13:05"),
        ("13:05 AM", None),
        ("27:05 PM", None),
        ("24:05", None),
        ("10:05 GMT+99:99", None),
    ],
)
def test_an_hour_that_no_clock_shows_is_not_read(tmp_path, written, clock):
    """27:05 PM was taken for 15:05, and 13:05 AM for 01:05."""
    data = f"appointment_id,client_id,starts_at,status\na1,c1,27/08/2025 {written},no_show\n".encode()
    found = booked(tmp_path, data, columns="").rows("appointments")
    assert found["starts_local"].dt.strftime("%H:%M").to_list() == [clock]
    assert found["unreadable"].to_list() == [None if clock else ["starts_at"]]


def test_the_order_is_decided_from_rows_far_below_the_first_chunk(tmp_path, monkeypatch):
    monkeypatch.setattr("rapport.transforms.sources.CHUNK", 64)
    rows = [f"a{n},c1,0{n % 9 + 1}/02/2026,no_show" for n in range(40)] + ["a40,c1,28/02/2026,no_show"]
    data = "\n".join(["appointment_id,client_id,starts_at,status", *rows, ""]).encode()
    found = booked(tmp_path, data, columns="").rows("appointments")
    assert found["starts_local"].dt.month().unique().to_list() == [2]


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        (["08/07/2025", "09/07/2025"], "day first and month first; say which"),
        (["27/08/2025", "08/27/2025"], "dates of both orders"),
    ],
)
def test_dates_that_fit_two_orders_or_none_are_refused(tmp_path, days, reason):
    rows = [f"a{n},c1,{day},no_show" for n, day in enumerate(days)]
    with pytest.raises(Refused, match=reason):
        booked(tmp_path, "\n".join(["appointment_id,client_id,starts_at,status", *rows, ""]).encode(), columns="")


NINE = [f"q{n}" for n in range(1, 10)]


def phq9(*rows: list[int]) -> bytes:
    told = [f"c{n}," + ",".join(map(str, row)) for n, row in enumerate(rows)]
    return "\n".join(["id," + ",".join(NINE), *told, ""]).encode()


def test_answers_on_another_range_are_refused_unless_the_clinic_says_which(tmp_path):
    shifted = phq9(*([[1, 2, 3, 4, 1, 2, 3, 4, 1]] * 4))
    with pytest.raises(Refused, match=r"another range than 0 to 3; say on which \(range"):
        survey(tmp_path, shifted, "phq9", NINE)
    found = survey(tmp_path, shifted, "phq9", NINE, "range = [1, 4]").rows("responses")
    assert found["answers"].to_list()[0] == [0, 1, 2, 3, 0, 1, 2, 3, 0]
    millimetres = b"id,a,b,c,d\n" + b"".join(f"c{n},90,85,100,73\n".encode() for n in range(9))
    with pytest.raises(Refused, match="another range than 0 to 10"):
        survey(tmp_path, millimetres, "srs", ["a", "b", "c", "d"])
    found = survey(tmp_path, millimetres, "srs", ["a", "b", "c", "d"], "range = [0, 100]").rows("responses")
    assert [round(value, 4) for value in found["answers"].to_list()[0]] == [9, 8.5, 10, 7.3]


def test_a_few_answers_out_of_range_are_left_to_the_rules(tmp_path):
    data = phq9(*([[0, 1, 2, 3, 1, 2, 3, 0, 1]] * 9), [4, 1, 1, 1, 1, 1, 1, 1, 1])
    assert survey(tmp_path, data, "phq9", NINE).rows("responses").height == 10


def test_answers_in_words_count_what_the_clinic_says_and_other_words_are_named(tmp_path):
    data = b"id,a,b,c,d\nc1,low, high ,3,odd\n"
    found = survey(tmp_path, data, "srs", ["a", "b", "c", "d"], "points = { low = 0, high = 10 }").rows("responses")
    assert (found["answers"].to_list(), found["unreadable"].to_list()) == ([[0, 10, 3, None]], [["d"]])


def test_tick_boxes_are_one_or_nothing_where_the_clinic_says_that_they_are(tmp_path):
    data = b"id,a,b,c,d\nc1,Choice,,Unchecked,1\nc2,,,,\n"
    with_boxes = survey(tmp_path, data, "srs", ["a", "b", "c", "d"], "ticked = true").rows("responses")
    assert with_boxes["answers"].to_list() == [[1, 0, 0, 1]]
    without = survey(tmp_path, data, "srs", ["a", "b", "c", "d"]).rows("responses")
    assert without["unreadable"].to_list() == [["a", "c"]]


def test_scores_that_arrive_made_stand_in_a_wide_file_too(tmp_path):
    data = b"id,sum,rest\nc1,12.5,x\nc2,,x\n"
    clinic = SURVEY.format("srs", [], 'scores = { total = "sum" }').replace("items = []", "")
    found = Reading(tmp_path, clinic, data, "survey").rows("responses")
    assert found.select("client_id", "answers", "given_scores").rows() == [
        ("c1", None, [{"scale": "total", "score": 12.5}])
    ]


def test_a_survey_left_before_its_end_is_marked(tmp_path):
    data = b"id,a,b,c,d,done\nc1,1,2,3,4,TRUE\nc2,1,2,3,4,False\nc3,1,2,3,4,\n"
    found = survey(tmp_path, data, "srs", ["a", "b", "c", "d"], 'finished = "done"').rows("responses")
    assert found["is_partial"].to_list() == [False, True, True]


@pytest.mark.parametrize("encoding", ["windows-1252", "mac-roman", "utf-16"])
def test_text_in_a_declared_encoding_is_read(tmp_path, encoding):
    data = "id,a,b,c,d\nZoé,1,2,3,4\n".encode(encoding.replace("mac-", "mac"))
    found = survey(tmp_path, data, "srs", ["a", "b", "c", "d"], f'encoding = "{encoding}"')
    assert found.rows("responses")["client_id"].to_list() == ["Zoé"]


def test_utf_16_says_by_its_mark_that_it_is(tmp_path):
    data = "id\ta\tb\tc\td\nZoé\t1\t2\t3\t4\n".encode("utf-16")
    assert survey(tmp_path, data, "srs", ["a", "b", "c", "d"]).rows("responses")["client_id"].to_list() == ["Zoé"]
