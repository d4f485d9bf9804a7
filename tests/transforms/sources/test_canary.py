"""People's data: what must not be in anything that a night leaves is planted in its exports and searched for."""

import sqlite3
from pathlib import Path

import duckdb
import pytest

from tests.attacks.canaries import search
from tests.clinics.nights import Place, open_place

NAME, SURNAME, EMAIL, NOTE = "Waldburga", "Quintessenz", "wq@kanarie.example", "dreamt of a lentil orchard"
RECORD, BORN, THERAPIST = "MRN-77120045", "2009-02-27", "Dr-Ottokar"
FILE, STATUS, REFERRAL, BROKEN = "Zippelius", "status-brunhilde", "aunt-kunigunde", "Xaveria"
NOWHERE = (NAME, SURNAME, EMAIL, NOTE, FILE, STATUS, REFERRAL, BROKEN)
CROSSWALK_ONLY = (
    RECORD,
    BORN,
    THERAPIST,
)  # record numbers and birth dates are what it is for; the worklist has numbers
CLINIC = """\
time_zone = "America/Chicago"
licences = ["srs", "ors", "wai_sr"]

[lists]
referral_source = ["school"]

[sources.appointments]
files = "appointments_%Y-%m-%d*.csv"

[sources.episodes]
files = "episodes_%Y-%m-%d.csv"

[sources.surveys]
format = "redcap"
files = "surveys_%Y-%m-%d.csv"
id_space = "clinic"

[sources.surveys.clients]
birth_date = "dob"

[sources.surveys.forms.srs]
instrument = "srs"
rater = "client"
items = ["srs1", "srs2", "srs3", "srs4"]
completed_at = "srs_timestamp"
"""
SURVEYS = (
    "record_id,redcap_repeat_instrument,redcap_repeat_instance,redcap_survey_identifier,"
    "first_name,last_name,email,dob,notes,srs_timestamp,srs1,srs2,srs3,srs4"
)


def deliver(place: Place, clients: int = 8) -> None:
    """One client's data are canaries; the rest make the file long enough."""
    ids = [RECORD, *(f"C{number}" for number in range(1, clients))]
    born = [BORN, *(f"2008-0{number}-11" for number in range(1, clients))]
    booked = [f"A{at},{who},2026-11-1{at}T10:00,attended,{THERAPIST},{NOTE}" for at, who in enumerate(ids)]
    booked.append(f"A99,{RECORD},2026-11-17T10:00,{STATUS},{THERAPIST},{NOTE}")
    header = "appointment_id,client_id,starts_at,status,therapist_id,note"
    place.deliver(f"appointments_2026-11-18 {FILE}.csv", header, booked)
    given = [f"E{at},{who},2026-11-01,{REFERRAL if at == 0 else 'school'}" for at, who in enumerate(ids)]
    place.deliver("episodes_2026-11-18.csv", "episode_id,client_id,opened_on,referral_source", given)
    people = [f"{who},,,{EMAIL},{NAME},{SURNAME},{EMAIL},{dob},{NOTE},,,,," for who, dob in zip(ids, born, strict=True)]
    forms = [f"{who},srs,1,,,,,,,2026-11-1{at} 10:50:00,8,9,8,9" for at, who in enumerate(ids)]
    place.deliver("surveys_2026-11-18.csv", SURVEYS, [*people, *forms])


def spoiled(place: Place) -> None:
    """A second night's file that polars cannot parse: its own message would quote the record."""
    rows = ["A100,C1,2026-11-18T10:00,attended,T1,fine", f"A101,{RECORD},{BROKEN},{NAME},{NOTE},too,many,values"]
    header = "appointment_id,client_id,starts_at,status,therapist_id,note"
    place.deliver(f"appointments_2026-11-19 {FILE}.csv", header, rows)


def trees(place: Place) -> list[Path]:
    return [place.warehouse / "analysts", place.warehouse / "shared", place.warehouse / "private"]


def crosswalk(place: Place) -> set[Path]:
    return set((place.warehouse / "private/versions").glob("*/crosswalk.parquet"))


def test_no_canary_is_in_anything_that_nights_leave(run_night, surroundings, tmp_path):
    place = open_place(tmp_path / "clinic", CLINIC)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    deliver(place)
    good = run_night(place, "2026-11-18T12:00", TMPDIR=str(temporary))
    assert good.returncode == 0
    spoiled(place)
    failed = run_night(place, "2026-11-19T12:00", TMPDIR=str(temporary))
    assert failed.returncode == 1
    assert "has 8 values in record 2" in failed.stderr
    checked = "SELECT (SELECT count(*) FROM scores WHERE score IS NOT NULL), (SELECT count(*) FROM load.quarantine)"
    assert place.ask(checked) == [(8, 1)]  # the canaries' own records were read
    # The terminal may name files, and nothing else.
    outputs = [good.stdout, good.stderr, failed.stdout, failed.stderr]
    told = [word for word in (*NOWHERE, *CROSSWALK_ONLY) for text in outputs if word.lower() in text.lower()]
    assert set(told) <= {FILE}
    left = [*trees(place), temporary, Path(surroundings["PREFECT_HOME"])]
    assert search(left, NOWHERE) == set()
    worklist = place.warehouse / "private/worklist.csv"
    assert {path for _, path in search(left, CROSSWALK_ONLY)} == {*crosswalk(place), worklist}
    assert {word for word, _ in search(left, CROSSWALK_ONLY)} == set(CROSSWALK_ONLY)
    assert {word for word, path in search(left, [BORN]) if path == worklist} == set()


def test_prefect_s_home_holds_both_nights_so_that_the_search_there_means_something(surroundings, run_night, tmp_path):
    place = open_place(tmp_path / "clinic", CLINIC)
    place.drop("surveys_2026-11-18.csv", b"")
    assert run_night(place, "2026-11-18T12:00").returncode == 1
    reason, folder = "is empty (0 bytes)", str(place.exports)
    found = search([Path(surroundings["PREFECT_HOME"])], [reason, folder])
    assert {word for word, _ in found} == {reason, folder}


def through_the_gate(monkeypatch) -> None:
    """Switch the allow-list off: texts that are not listed pass, and raw ids are carried in allowed columns."""
    from rapport.flows.steps import read  # noqa: PLC0415
    from rapport.transforms.sources import plain  # noqa: PLC0415
    from rapport.transforms.sources.canonical.casts import text  # noqa: PLC0415

    gate = read.pseudonymise

    def open_gate(kind, frame, *given):
        safe = gate(kind, frame, *given)
        raw = {"appointments": {"service": "client_id", "site": "therapist_id"}, "clients": {"sex": "birth_date"}}
        kept = {column: frame[name].cast(str) for column, name in raw.get(kind, {}).items()}
        return safe.with_columns(**kept)

    monkeypatch.setattr(read, "pseudonymise", open_gate)
    monkeypatch.setattr(plain, "listed", lambda column, allowed, dialect: text(column, dialect))


def test_with_the_allow_list_switched_off_the_same_search_finds_what_came_through(monkeypatch, tmp_path):
    from rapport.expectations import records  # noqa: PLC0415

    place = open_place(tmp_path / "clinic", CLINIC)
    deliver(place)
    through_the_gate(monkeypatch)
    rules = records.record_rules  # the checks of words would hold the records back: they are not what is tried here
    monkeypatch.setattr(records, "record_rules", lambda *given: [r for r in rules(*given) if r.name != "sex_unknown"])
    monkeypatch.setattr("rapport.expectations.table_suites.table_rules", lambda table: [])
    place.night("2026-11-18T12:00")
    found = search([place.warehouse / "analysts"], (*NOWHERE, *CROSSWALK_ONLY))
    assert {word for word, _ in found} == {REFERRAL, RECORD, THERAPIST, BORN}


@pytest.mark.parametrize("is_open", (False, True))
def test_no_canary_is_in_a_safe_file_that_has_figures_and_with_the_allow_list_off_one_is(
    monkeypatch, tmp_path, is_open
):
    place = open_place(tmp_path / "clinic", CLINIC)
    booked = [f"A{at},C{at},2026-10-{at % 28 + 1:02d}T10:00,attended,{THERAPIST},{NOTE}" for at in range(30)]
    place.deliver("appointments_2026-11-18.csv", "appointment_id,client_id,starts_at,status,therapist_id,note", booked)
    if is_open:
        through_the_gate(monkeypatch)
        monkeypatch.setattr("rapport.expectations.table_suites.table_rules", lambda table: [])
    place.night("2026-11-18T12:00")
    with duckdb.connect(str(place.warehouse / "shared/rapport_safe.duckdb"), read_only=True) as con:
        assert con.sql("SELECT max(booked_count) FROM dashboard.attendance_by_month").fetchall() == [(30,)]
    found = {word for word, _ in search([place.warehouse / "shared"], (*NOWHERE, *CROSSWALK_ONLY))}
    assert found == ({THERAPIST} if is_open else set())


@pytest.mark.parametrize("kind", ("duckdb", "db", "parquet", "log"))
def test_the_search_finds_every_canary_in_every_kind_of_file(tmp_path, kind):
    path, words = tmp_path / f"left.{kind}", (*NOWHERE, *CROSSWALK_ONLY)
    with duckdb.connect() as con:
        con.execute("CREATE TABLE said (list VARCHAR[], one STRUCT(a VARCHAR, b INTEGER))")
        rows = [([word] * 3, {"a": word, "b": at}) for at in range(500) for word in words]
        con.executemany("INSERT INTO said VALUES (?, ?)", rows[: len(words)])
        con.execute("INSERT INTO said SELECT said.* FROM said, range(3000)")
        if kind == "parquet":
            con.execute(f"COPY said TO '{path}' (COMPRESSION zstd)")
        elif kind == "duckdb":
            con.execute(f"ATTACH '{path}' AS left_over; CREATE TABLE left_over.said AS FROM said")
    if kind == "db":
        with sqlite3.connect(path) as con:
            con.execute("CREATE TABLE said (words BLOB)")
            con.executemany("INSERT INTO said VALUES (?)", [(word.encode(),) for word in words])
        con.close()
    if kind == "log":
        path.write_text("\n".join(words))
    assert {word for word, _ in search([tmp_path], words)} == set(words)
