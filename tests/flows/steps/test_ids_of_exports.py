"""Ids of real exports, by whole nights: floats of Parquet are a CSV file's numbers, and rounded ids are nobody's."""

import io

import polars as pl
import pytest

from rapport.warehouse.errors import Refused
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import APPOINTMENTS, Place, but_for_finished_tables, open_place

PRACTICE = """\
time_zone = "America/Chicago"
licences = ["srs"]
[sources.pd_appointments]
records = "appointments"
files = "pd_appointments_%Y-%m-%d.csv"
id_space = "pd"
[sources.pd_responses]
records = "responses"
files = "pd_responses_%Y-%m-%d.parquet"
id_space = "pd"
"""
TABLE = """\
time_zone = "UTC"
[sources.t]
format = "table"
records = "appointments"
files = "t.csv"
columns = { client_id = "Client", starts_at = "When", status = "State" }
status.words = { Held = "attended" }
"""
PLAIN = """\
time_zone = "America/Chicago"
quarantine_limit = 0.9
[sources.appointments]
files = "appointments.csv"
"""
ROUNDED = {
    "in a column that is named": (TABLE, "t.csv", "Client,When,State", "{},2026-01-05 1{}:00,Held", "2.98725E+13"),
    "in the plain format": (
        PLAIN,
        "appointments.csv",
        APPOINTMENTS,
        "P{1},{0},2026-01-05T1{1}:00,attended,",
        "1.39073E+18",
    ),
    "of an appointment": (PLAIN, "appointments.csv", APPOINTMENTS, "{},C{},2026-01-05T10:00,attended,", "1.39073E+18"),
    "of a therapist": (
        PLAIN,
        "appointments.csv",
        APPOINTMENTS,
        "P{1},C{1},2026-01-05T10:00,attended,{0}",
        "1.39073E+18",
    ),
}


@pytest.fixture(autouse=True)
def short_nights():
    with few_tables():
        yield


def test_a_whole_float_of_a_parquet_file_is_the_client_of_the_csv_file_and_the_response_meets_its_session(tmp_path):
    place = open_place(tmp_path / "clinic", PRACTICE)
    slots = [f"P{n},13{n + 6},2026-11-0{n + 1}T10:00,attended,T1" for n in (1, 2)]
    place.deliver("pd_appointments_2026-11-20.csv", APPOINTMENTS, slots)
    answers = pl.DataFrame(
        {
            "response_id": [float(n) for n in (1, 2) for _ in range(4)],
            "client_id": [136.0 + n for n in (1, 2) for _ in range(4)],
            "instrument": "srs",
            "rater": "client",
            "completed_at": [f"2026-11-0{n + 1}T10:50" for n in (1, 2) for _ in range(4)],
            "item": [1, 2, 3, 4] * 2,
            "value": [8.0] * 8,
        }
    )
    written = io.BytesIO()
    answers.write_parquet(written)
    place.drop("pd_responses_2026-11-20.parquet", written.getvalue())
    place.night("2026-11-20T03:00", but_for_finished_tables)
    assert place.ask("SELECT count(*) FROM clients") == [(2,)]
    assert place.ask("SELECT count(*), count(session_id) FROM responses") == [(2, 2)]


@pytest.mark.parametrize("where", ROUNDED)
def test_a_file_of_rounded_ids_alone_is_refused_and_two_people_never_become_one(tmp_path, where):
    clinic, name, header, line, rounded = ROUNDED[where]
    place = open_place(tmp_path / "clinic", clinic)
    place.deliver(name, header, [line.format(rounded, n) for n in (1, 2, 3)])
    with pytest.raises(Refused, match=r"3 of 3 records quarantined \(rounded_id \([a-z]+_id\)\)"):
        night(place)


def test_a_rounded_id_among_others_is_held_by_its_rule_and_the_night_goes_on(tmp_path):
    place = open_place(tmp_path / "clinic", PLAIN)
    rows = [f"P{n},C{n},2026-01-05T10:00,attended," for n in range(9)]
    place.deliver("appointments.csv", APPOINTMENTS, [*rows, "P9,1.39073E+18,2026-01-05T10:00,attended,"])
    night(place)
    assert place.ask("SELECT count(*) FROM appointments") == [(9,)]
    assert place.ask("SELECT rule, column_name, record_number FROM load.quarantine") == [
        ("rounded_id", "client_id", 10)
    ]


def night(place: Place) -> None:

    place.night("2026-11-20T03:00", but_for_finished_tables)
