"""A value that nobody can read is its record's fault: that record is held under a rule's name, and the others go on."""

import json

import pytest

from rapport.transforms.sources import open_delivery, read
from rapport.transforms.sources.canonical.tallies import Tallies
from rapport.transforms.sources.openemr import MOST
from rapport.warehouse.errors import Refused
from rapport.warehouse.schema.records import OUT_OF_TIME, held_by
from tests.breaking.damage import FORMATS, clinic_of
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import APPOINTMENTS, RESPONSES, but_for_finished_tables, held, open_place
from tests.clinics.reading import AS_OF, Reading
from tests.transforms.sources.test_fhir import ANSWERS, NINE, answered, appointment, encounter
from tests.transforms.sources.test_systems import OPENEMR, booking

LONE = "\ud800"  # half of a pair: JSON can write it, and no text holds it
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def read_as(tmp_path, name: str, text: str) -> tuple[int, list[list[str]]]:
    """How many rows a file of a format becomes; and of those with an unreadable column, which."""
    (source,) = clinic_of(name).sources
    path = tmp_path / "export"
    path.write_bytes(text.encode("utf-16" if name == "table" else "utf-8"))
    task = Tallies(AS_OF, clinic_of(name).lists, clinic_of(name).instruments)
    frames = [frame for _, frame in read(open_delivery(path, source), source, task)]
    named = [columns for frame in frames for columns in frame["unreadable"].to_list() if columns]
    return sum(frame.height for frame in frames), named


# A date of one record of each format, the columns that cannot be read then, and rows more or fewer. A response of
# several records parts in two, which contradict each other; a series of three days is one row.
DATES = {
    "plain": ("2026-03-02T", ["starts_at"], 0),
    "plain responses": ("2026-03-02 ", ["completed_at"], 1),
    "table": ("2026-03-02T", ["starts_at"], 0),
    "wide": ("15/02/2026", ["when"], 0),
    "REDCap": ("2026-03-02 ", ["srs_timestamp"], 0),
    "Qualtrics": ("2026-01-02 10:05:00", ["endDate"], 0),
    "SurveyMonkey": ("01/02/2026 10:05:00", ["End Date"], 0),
    "SimplePractice": ("02/03/2026", ["starts_at"], 0),
    "FHIR NDJSON": ("2026-03-02T09", ["starts_at"], 0),
    "FHIR Bundle": ("2026-03-02T09", ["starts_at"], 0),
    "Cliniko": ("2026-03-02T15", ["starts_at"], 0),
    "OpenEMR": ("2026-02-23", ["starts_at", "pc_eventDate"], -2),
    "HL7": ("20260303110000", ["starts_at"], 0),
}


@pytest.mark.parametrize("name", DATES)
def test_a_date_in_digits_of_another_script_holds_its_record_and_no_other(tmp_path, name):
    written, columns, more = DATES[name]
    text = FORMATS[name][1].decode("utf-16" if name == "table" else "utf-8")
    assert written in text
    whole, before = read_as(tmp_path, name, text)  # before: a cancellation by somebody unknown, in some of them
    rows, named = read_as(tmp_path, name, text.replace(written, written.translate(ARABIC), 1))
    assert {len(each) for each in before} <= {1}
    assert (rows, sorted(named)) == (whole + more, sorted([*before, columns]))


def appointments(tmp_path, row: str, zone: str = "America/Chicago"):
    header = "appointment_id,client_id,starts_at,status,duration_minutes,cancelled_at"
    clinic = f'[sources.a]\nformat = "plain"\nrecords = "appointments"\nfiles = "*"\ntime_zone = "{zone}"\n'
    return Reading(tmp_path, clinic, f"{header}\n{row}\n", "a").rows("appointments")


@pytest.mark.parametrize(
    ("row", "zone", "columns"),
    [
        ("A1,C1,9999-12-31T23:59,scheduled,,", "America/Chicago", ["starts_at"]),
        ("A1,C1,9999-12-31T23:59,scheduled,,", "UTC", [held_by(OUT_OF_TIME, "starts_at")]),
        ("A1,C1,9999-12-31T23:59Z,scheduled,,", "Asia/Tokyo", ["starts_at"]),
        ("A1,C1,0001-01-01T00:01,scheduled,,", "Asia/Tokyo", ["starts_at"]),
        ("A1,C1,0000-06-01T00:00,scheduled,,", "UTC", ["starts_at"]),
        ("A1,C1,2026-11-12T10:00,cancelled_by_client,,9999-12-31T23:59", "America/Chicago", ["cancelled_at"]),
        ("A1,C1,2026-11-12T10:00:00+٠٦:٠٠,scheduled,,", "UTC", ["starts_at"]),
        ("A1,C1,2026-11-12T10:00,scheduled,٥٠,", "UTC", ["duration_minutes"]),
        ("A1,C1,2026-11-12T10:00+99:99,scheduled,,", "UTC", ["starts_at"]),
        ("A1,C1,2026-11-12T10:00-1500,scheduled,,", "UTC", ["starts_at"]),
        ("A1,C1,2026-11-12T10:00+05:60,scheduled,,", "UTC", ["starts_at"]),
        ("A1,C1,2026-11-12T10:00+14:00,scheduled,,", "UTC", None),
        ("A1,C1,2026-11-12T10:00-09:30,scheduled,,", "UTC", None),
    ],
)
def test_a_time_that_leaves_the_years_1_to_9999_where_it_is_converted_is_not_read(tmp_path, row, zone, columns):
    assert appointments(tmp_path, row, zone)["unreadable"].to_list() == [columns]


def test_a_length_that_no_integer_holds_is_out_of_range_and_not_forgotten(tmp_path):
    rows = appointments(tmp_path, "A1,C1,2026-11-12T10:00,scheduled,1e300,\nA2,C1,2026-11-12T10:00,scheduled,-1e12,")
    assert rows["duration_minutes"].to_list() == [1_000_000_000, -1_000_000_000]  # the column's rule holds them


FHIR = f"""
[sources.it]
format = "fhir"
files = "*"
forms.phq9 = {{ instrument = "phq9", rater = "client", items = {NINE} }}
"""
BOOKED = [{"reference": f"Appointment/{LONE}"}]
PERSON = {"resourceType": "Patient", "id": f"p{LONE}", "birthDate": "2001-02-03"}


@pytest.mark.parametrize(
    ("resource", "kind", "columns"),
    [
        (appointment(f"1{LONE}", "fulfilled"), "appointments", ["appointment_id"]),
        (appointment("1", "fulfilled", f"12{LONE}"), "appointments", ["client_id"]),
        (encounter("1", "finished", appointment=BOOKED), "appointments", ["of_appointment"]),
        (PERSON, "clients", ["client_id"]),
        (answered(f"r{LONE}", ANSWERS), "responses", ["response_id"]),
        (answered("r1", ANSWERS) | {"subject": {"reference": f"Patient/{LONE}"}}, "responses", ["client_id"]),
        (answered("r1", ANSWERS) | {"encounter": {"reference": f"Encounter/{LONE}"}}, "responses", ["encounter"]),
        (answered("r1", ANSWERS) | {"authored": f"2026{LONE}"}, "responses", ["authored"]),
        (answered("r1", [{"valueString": LONE}, *ANSWERS[1:]]), "responses", [NINE[0]]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_lines", [True, False], ids=["NDJSON", "Bundle"])
def test_half_a_character_in_an_id_a_reference_or_an_answer_holds_its_record(
    tmp_path, resource, kind, columns, is_lines
):
    whole = [appointment("2", "fulfilled"), {"resourceType": "Patient", "id": "12", "gender": "female"}]
    together = [*whole, answered("r2", ANSWERS), resource]
    data = "\n".join(map(json.dumps, together)) if is_lines else json.dumps(together)
    rows = Reading(tmp_path, FHIR, data, "it").rows(kind)
    assert [columns for columns in rows["unreadable"].to_list() if columns] == [columns]


def test_beside_half_a_character_another_unreadable_answer_of_that_item_is_named_too(tmp_path):
    spoilt = [answered(f"r{n}", [{"valueString": word}, *ANSWERS[1:]]) for n, word in enumerate((LONE, "often", "1"))]
    rows = Reading(tmp_path, FHIR, json.dumps(spoilt), "it").rows("responses")
    assert rows["unreadable"].to_list() == [[NINE[0]], [NINE[0]], None]


@pytest.mark.parametrize(("field", "column"), [("id", "appointment_id"), ("starts_at", "starts_at")])
def test_half_a_character_in_what_cliniko_gives_holds_its_record(tmp_path, field, column):
    data = json.dumps([booking("1", "12"), booking("2", "12") | {field: f"2{LONE}"}, booking("3", f"12{LONE}")])
    rows = Reading(tmp_path, '[sources.it]\nformat = "cliniko"\nfiles = "*"\n', data, "it").rows("appointments")
    assert rows["unreadable"].to_list() == [None, [column], ["client_id"]]


def test_an_encounter_whose_appointment_cannot_be_read_takes_no_other_s_place(tmp_path):
    booked = [
        appointment(f"1{LONE}", "fulfilled"),
        encounter("9", "finished", appointment=[{"reference": f"Appointment/{LONE}"}]),
    ]
    rows = Reading(tmp_path, FHIR, json.dumps(booked), "it").rows("appointments")
    assert rows["unreadable"].to_list() == [["appointment_id"], ["of_appointment"]]


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (appointment(f"1{LONE}", "entered-in-error"), "appointments"),
        (answered(f"r{LONE}", ANSWERS, status="entered-in-error"), "responses"),
    ],
)
def test_what_takes_back_something_with_an_id_that_nobody_can_read_is_told(tmp_path, resource, kind):
    found = Reading(tmp_path, FHIR, json.dumps([resource]), "it")
    assert [len(columns) for columns in found.rows(kind)["unreadable"].to_list()] == [1]
    assert found.task.retracted == []


def php(**said: str) -> str:
    """A series' rule as PHP writes it, quoted for a CSV."""
    parts = (f's:{len(key)}:"{key}";s:{len(value)}:"{value}";' for key, value in said.items())
    return '"' + f"a:{len(said)}:{{{''.join(parts)}}}".replace('"', '""') + '"'


def series(
    tmp_path, spec: str, kind: int = 1, first: str = "2026-02-23", end: str = "2026-03-20", seconds: str = "3000"
):
    row = f"5,12,7,{first},{end},10:00,{seconds},{kind},{spec},-"
    single = "6,12,7,2026-03-02,,10:00,3000,0,,@"
    return Reading(tmp_path, '[sources.it]\nformat = "openemr"\nfiles = "*"\n', f"{OPENEMR}{row}\n{single}\n", "it")


@pytest.mark.parametrize(
    ("spec", "more", "columns"),
    [
        (php(event_repeat_freq="10000000000"), {}, ["pc_recurrspec"]),
        (php(event_repeat_freq="²"), {}, ["pc_recurrspec"]),
        (php(event_repeat_freq="٢"), {}, ["pc_recurrspec"]),
        (php(event_repeat_freq="-1"), {}, ["pc_recurrspec"]),
        (php(event_repeat_freq="1", event_repeat_freq_type="7"), {}, ["pc_recurrspec"]),
        (php(event_repeat_freq="1", exdate="٢٠٢٦٠٣٠٢"), {}, ["pc_recurrspec"]),
        (php(event_repeat_freq="10000000000"), {"kind": 3}, ["pc_recurrspec"]),
        (php(event_repeat_on_num="²"), {"kind": 2}, ["pc_recurrspec"]),
        ("daily", {}, ["pc_recurrspec"]),
        ("", {}, ["pc_recurrspec"]),
        (php(event_repeat_freq="1"), {"end": "soon"}, ["pc_endDate"]),
        (php(event_repeat_freq="1"), {"first": "2026-13-01"}, ["starts_at", "pc_eventDate"]),
        (php(event_repeat_freq="1"), {"first": "1000-01-01"}, [held_by(OUT_OF_TIME, "starts_at"), "pc_eventDate"]),
        (php(event_repeat_freq="30"), {"seconds": "an hour"}, ["duration_minutes"]),
    ],
)
def test_a_series_that_cannot_be_read_is_one_held_record_and_never_guessed(tmp_path, spec, more, columns):
    rows = series(tmp_path, spec, **more).rows("appointments").sort("record_number")
    assert rows["unreadable"].to_list() == [columns, None]


@pytest.mark.parametrize(
    ("spec", "more", "days"),
    [
        (php(event_repeat_freq="2", event_repeat_freq_type="1"), {}, 2),
        (php(event_repeat_freq="0", event_repeat_freq_type="1"), {"end": "NULL", "first": "2027-03-01"}, 3),
        (php(event_repeat_freq="9999", event_repeat_freq_type="3"), {"end": "0000-00-00"}, 1),
        (php(event_repeat_freq="1", exdate="20260224, 20260225"), {"end": "2026-02-26"}, 2),
    ],
)
def test_a_series_that_can_be_read_becomes_its_days(tmp_path, spec, more, days):
    assert series(tmp_path, spec, **more).rows("appointments").height == days + 1


def test_a_series_of_more_days_than_anybody_books_is_refused_and_one_of_as_many_is_read(tmp_path):
    every_day = php(event_repeat_freq="1")
    assert series(tmp_path, every_day, first="2024-06-19", end="2027-03-15").rows("appointments").height == MOST + 1
    with pytest.raises(Refused, match="more than 1,000 days in record 1; correct its end"):
        series(tmp_path, every_day, first="2024-06-18", end="2027-03-15")


def test_thirty_series_from_the_year_1001_are_refused_at_the_first(tmp_path):
    """Each had 374,000 days, one row each."""
    spec, rows = php(event_repeat_freq="1"), []
    for number in range(30):
        rows.append(f"{number},12,7,1001-01-01,,10:00,3000,1,{spec},-\n")
    with pytest.raises(Refused, match="in record 1;"):
        Reading(tmp_path, '[sources.it]\nformat = "openemr"\nfiles = "*"\n', OPENEMR + "".join(rows), "it")


STRANGE = """
[sources.calendar]
format = "openemr"
id_space = "clinic"
files = "calendar.csv"

[sources.record]
format = "fhir"
id_space = "clinic"
files = "record.ndjson"

[sources.appointments]
files = "appointments_%Y-%m-%d*.csv"

[sources.responses]
files = "responses.csv"
"""


def test_a_night_goes_on_and_each_such_record_waits_under_a_rule_s_name(tmp_path):
    clinic = 'quarantine_limit = 0.9\ntime_zone = "America/Chicago"\nlicences = ["srs"]\n' + STRANGE
    place = open_place(tmp_path / "clinic", clinic)
    end, digits = held(1, 10).replace("2026-11-10T10:00", "9999-12-31T23:59"), held(2, 10).replace("2026", "٢٠٢٦")
    place.deliver(
        "appointments_2026-11-11.csv",
        f"{APPOINTMENTS},duration_minutes",
        [f"{held(3, 10)},", f"{end},", f"{digits},", f"{held(4, 10)},1e300"],
    )
    series = [
        f"5,C1,T1,2026-11-02,2026-11-09,10:00,3000,1,{php(event_repeat_freq='²')},@",
        "6,C2,T1,2026-11-03,,10:00,3000,0,,@",
    ]
    place.deliver("calendar.csv", OPENEMR.strip(), series)
    place.drop(
        "record.ndjson",
        "\n".join(map(json.dumps, [appointment("1", "fulfilled"), appointment("2", "fulfilled", LONE)])).encode(),
    )
    answers = {"R1": 3, "R2": 10**10, "R3": "1e300", "R4": "٣"}
    rows = [f"{response},C3,phq9,client,2026-11-10T11:00,1,{answer}" for response, answer in answers.items()]
    place.deliver("responses.csv", RESPONSES, rows)
    with few_tables():
        place.night("2026-11-11T03:00", but_for_finished_tables)
    assert place.ask("SELECT source, record_number, rule, column_name FROM load.quarantine ORDER BY ALL") == [
        ("appointments", 2, "unreadable", "starts_at"),
        ("appointments", 3, "unreadable", "starts_at"),
        ("appointments", 4, "duration_minutes_out_of_range", "duration_minutes"),
        ("calendar", 1, "unreadable", "pc_recurrspec"),
        ("record", 2, "unreadable", "client_id"),
        ("responses", 2, "value_out_of_range", "value"),
        ("responses", 3, "value_out_of_range", "value"),
        ("responses", 4, "unreadable", "value"),
    ]
    assert place.ask("SELECT source, loaded_count, quarantined_count FROM load.files ORDER BY ALL") == [
        ("appointments", 1, 3),
        ("calendar", 1, 1),
        ("record", 1, 1),
        ("responses", 1, 3),
    ]
