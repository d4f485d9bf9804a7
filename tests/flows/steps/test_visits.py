"""A visit on several lines, a line for each service or therapist: one session where the source says so, else told."""

import duckdb
import pytest

from tests.clinics.few_tables import few_tables
from tests.clinics.nights import RESPONSES, Place, but_for_finished_tables, open_place, writable

HEADER = "appointment_id,client_id,starts_at,status,therapist_id,duration_minutes"
CO_LED = [
    "C1,1001,2026-11-02T10:00,attended,T1,50",
    "C1,1001,2026-11-02T10:00,attended,T2,50",
    "C2,1001,2026-11-09T10:00,attended,T1,50",
]
BILLED = [
    "1011,2026-11-02 10:00,attended,T1,90837",
    "1011,2026-11-02 10:00,attended,T1,90785",
    "1011,2026-11-09 10:00,attended,T1,90837",
    "1011,2026-11-09 10:00,attended,T1,90837",
    "1012,2026-11-03 10:00,attended,T1,90847",
    "1012,2026-11-03 10:00,attended,T2,90847",
]
PLAIN = """\
time_zone = "America/Chicago"
licences = ["srs"]
quarantine_limit = 1.0
vanished_limit = 0.9

[sources.appointments]
files = "appointments_%Y-%m-%d*.csv"
{more}
"""
TABLE = PLAIN.replace('files = "appointments', 'format = "table"\nrecords = "appointments"\nfiles = "appointments') + (
    "\n[sources.appointments.status]\nwords = {{ attended = 'attended', Off = 'cancelled_by_client' }}\n"
)
WITH_RESPONSES = PLAIN + '\n[sources.responses]\nfiles = "responses_%Y-%m-%d*.csv"\nid_space = "clinic"\n'
VISITS, WHOLE = 'lines = "visits"', 'covers = "all"'
COUNTS = "SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM session_therapists)"


@pytest.fixture(autouse=True)
def short_nights():
    with few_tables():
        yield


def opened(tmp_path, clinic: str, *more: str) -> Place:
    return open_place(tmp_path / "clinic", clinic.format(more="\n".join(more)))


def night(place: Place, day: int, rows: list[str], header: str = HEADER) -> tuple[str, ...]:
    place.deliver(f"appointments_2026-11-{day}.csv", header, rows)
    return place.night(f"2026-11-{day}T03:00").troubles.warnings


def test_one_slot_with_two_therapists_is_one_session_of_the_first_with_both_beside_it(tmp_path):
    place = opened(tmp_path, PLAIN, VISITS)
    assert night(place, 20, CO_LED) == ()
    assert place.ask(COUNTS) == [(2, 3)]
    both = "FROM session_therapists GROUP BY session_id HAVING count(*) = 2"
    assert place.ask(f"SELECT count(DISTINCT therapist_id), count(*) FILTER (is_lead) {both}") == [(2, 1)]
    assert place.ask("SELECT count(DISTINCT therapist_id) FROM sessions") == [(1,)]
    assert place.ask("SELECT count(*) FROM load.quarantine") == [(0,)]


@pytest.mark.parametrize("more", [(VISITS,), ('appointment_ids = "one_client"',)])
def test_a_source_may_have_any_name(tmp_path, more):
    section = "[sources.\"it's\"]\nrecords = 'appointments'"
    place = opened(tmp_path, PLAIN.replace("[sources.appointments]", section), *more)
    night(place, 20, CO_LED)
    night(place, 21, [*CO_LED, CO_LED[-1].replace("2026-11-0", "2026-11-1")])
    assert place.ask("SELECT DISTINCT source FROM load.files") == [("it's",)]


def test_three_visits_on_six_billing_lines_are_three_sessions(tmp_path):
    place = opened(tmp_path, TABLE, VISITS)
    assert night(place, 20, BILLED, "client_id,starts_at,status,therapist_id,service") == ()
    assert place.ask(COUNTS) == [(3, 4)]
    assert place.ask("SELECT session_count FROM clients ORDER BY 1") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("clinic", "header", "rows", "said"),
    [
        (PLAIN, HEADER, CO_LED, ["1 appointments of the source appointments stand on lines that differ"]),
        (
            TABLE,
            "client_id,starts_at,status,therapist_id,service",
            BILLED,
            ["2 starts of the source appointments have one client twice with one therapist"],
        ),
        (TABLE, "client_id,starts_at,status,therapist_id,service", [BILLED[0], BILLED[1].replace("att", "Off,x")], []),
    ],
    ids=["held lines", "counted lines", "a cancelled line beside"],
)
def test_without_the_key_lines_of_one_visit_are_told_with_the_key_that_mends_it(tmp_path, clinic, header, rows, said):
    rows = [row.replace("Off,xended", "Off") for row in rows]
    place = opened(tmp_path, clinic)
    place.deliver("appointments_2026-11-20.csv", header, rows)
    checked = place.night("2026-11-20T03:00", is_check=True).troubles.warnings
    told = night(place, 20, rows, header)
    assert [each for each in checked if each in told] == [*told]
    assert [each for each, start in zip(told, said, strict=True) if not each.startswith(start)] == []
    assert all("write lines = 'visits' in [sources.appointments]" in each for each in told)


def test_lines_of_one_start_with_two_ends_are_two_sessions_and_told(tmp_path):
    place = opened(tmp_path, PLAIN, VISITS)
    other = CO_LED[1].replace(",50", ",90").replace("C1", "C9")
    (told,) = night(place, 20, [CO_LED[0], other])
    assert told.startswith("1 starts of the source appointments have attended lines with different ends")
    assert place.ask("SELECT count(*) FROM sessions") == [(2,)]


GROUP = [f"G1,{client},2026-11-02T18:00,attended,{therapist},90" for client in (1, 2, 3) for therapist in ("T1", "T2")]


def test_a_group_that_two_lead_is_one_session_a_client(tmp_path):
    place = opened(tmp_path, PLAIN, VISITS)
    assert night(place, 20, GROUP) == ()
    assert place.ask("SELECT count(*), count(DISTINCT client_id), count(DISTINCT therapist_id) FROM sessions") == [
        (3, 3, 1)
    ]
    assert place.ask("SELECT count(DISTINCT appointment_id) FROM sessions") == [(1,)]


def test_a_merge_moves_lines_of_one_therapist_with_several_services_one_by_one(tmp_path):
    place = opened(tmp_path, PLAIN.replace("{more}", "{more}\n[lists]\nservice = ['therapy', 'play']"), VISITS, WHOLE)
    header = f"{HEADER},service"
    others = [f"D{at},1002,2026-11-{at:02d}T10:00,attended,T1,50,therapy" for at in range(3, 9)]
    lines = [f"C1,1001,2026-11-02T10:00,attended,T1,50,{service}" for service in ("therapy", "play")]
    night(place, 19, [*lines, *others], header)
    night(place, 20, [*(row.replace("1001", "1002") for row in lines), *others], header)
    known = place.ask(
        "SELECT service, count(*), count(DISTINCT session_id) FROM history.appointments "
        "WHERE starts_at < TIMESTAMPTZ '2026-11-03' GROUP BY 1 ORDER BY 1"
    )
    assert known == [("play", 2, 1), ("therapy", 2, 1)]
    assert place.ask("SELECT count(*), count(DISTINCT client_id) FROM sessions") == [(7, 1)]


@pytest.mark.parametrize("ids", ["one id", "an id each"])
@pytest.mark.parametrize("goes", [0, 1])
def test_the_id_of_a_session_stays_when_one_of_its_lines_goes(tmp_path, ids, goes):
    lines = [row if ids == "one id" else row.replace("C1,", f"L{at},") for at, row in enumerate(CO_LED)]
    place = opened(tmp_path, PLAIN, VISITS, WHOLE)
    night(place, 19, lines)
    before = place.ask("SELECT session_id, appointment_id FROM sessions ORDER BY starts_at")
    night(place, 20, [row for at, row in enumerate(lines) if at != goes])
    assert place.ask("SELECT session_id, appointment_id FROM sessions ORDER BY starts_at") == before
    assert place.ask(COUNTS) == [(2, 2)]
    assert place.ask("SELECT count(DISTINCT therapist_id) FROM sessions") == [(1 + (goes == 0),)]


def test_the_id_stays_when_a_known_warehouse_says_that_its_lines_are_visits(tmp_path):
    place = opened(tmp_path, PLAIN)
    lines = [row.replace("C1,", f"L{at},") for at, row in enumerate(CO_LED)]
    night(place, 19, lines)
    first = place.ask("SELECT min(session_id) FROM history.appointments GROUP BY starts_at HAVING count(*) = 1")
    known = {each for (each,) in place.ask("SELECT session_id FROM sessions")}
    place.clinic.write_text(PLAIN.format(more=VISITS))
    night(place, 20, lines)
    now = {each for (each,) in place.ask("SELECT session_id FROM sessions")}
    assert (len(known), len(now)) == (3, 2)
    assert now < known
    assert {each for (each,) in first} < now


def answered(response: str, appointment: str, therapist: str, at: str) -> list[str]:
    return [f"{response},1001,srs,client,{at},{item},8,{appointment},{therapist}" for item in (1, 2, 3, 4)]


def test_a_response_that_names_any_line_or_any_therapist_is_of_the_session(tmp_path):
    place = opened(tmp_path, WITH_RESPONSES, VISITS)
    lines = [row.replace("C1,", f"L{at},") for at, row in enumerate(CO_LED)]
    responses = [
        *answered("R1", "L0", "", "2026-11-02T12:50"),
        *answered("R2", "L1", "", "2026-11-02T12:51"),
        *answered("R3", "", "T1", "2026-11-02T10:52"),
        *answered("R4", "", "T2", "2026-11-02T10:53"),
        *answered("R5", "", "T2", "2026-11-02"),
    ]
    place.deliver("responses_2026-11-20.csv", f"{RESPONSES},appointment_id,therapist_id", responses)
    night(place, 20, lines)
    found = place.ask("SELECT matched_by, count(DISTINCT session_id), count(*) FROM responses GROUP BY 1 ORDER BY 1")
    assert found == [("appointment", 1, 2), ("day", 1, 1), ("time", 1, 2)]
    assert place.ask("SELECT count(DISTINCT session_id) FROM responses") == [(1,)]


def test_lines_in_two_files_of_one_night_are_as_in_two_nights(tmp_path):
    rows = [
        "L1,1001,2026-11-02T10:00,attended,T1,50",
        "L2,1001,2026-11-02T10:00,attended,T2,50",
        "L3,1001,2026-11-09T10:00,attended,T2,50",
    ]
    asked = "SELECT session_id, therapist_id, is_lead FROM session_therapists ORDER BY ALL"
    place = opened(tmp_path, PLAIN, VISITS)
    place.deliver("appointments_2026-11-18.csv", HEADER, rows[:1])
    place.deliver("appointments_2026-11-19.csv", HEADER, rows)
    other = place.twin()
    place.night("2026-11-20T03:00", but_for_finished_tables)
    (other.exports / "appointments_2026-11-19.csv").rename(tmp_path / "later.csv")
    other.night("2026-11-18T03:00", but_for_finished_tables)
    (tmp_path / "later.csv").rename(other.exports / "appointments_2026-11-19.csv")
    other.night("2026-11-20T03:00", but_for_finished_tables)
    assert place.ask(asked) == other.ask(asked)


def test_a_line_that_is_read_again_beside_known_lines_keeps_its_place(tmp_path):
    """Whole exports of one appointment a line are read line by line: unchanged lines are not read again."""
    place = opened(tmp_path, PLAIN, VISITS, WHOLE)
    whole = [*CO_LED, *(f"D{at},1002,2026-11-{at:02d}T10:00,attended,T1,50" for at in range(2, 18))]
    asked = "SELECT session_id, therapist_id, is_lead FROM session_therapists ORDER BY ALL"
    night(place, 18, whole)
    before = place.ask(asked)
    night(place, 19, [*whole, "E1,1002,2026-11-18T10:00,attended,T1,50"])
    assert [row for row in place.ask(asked) if row in before] == before
    night(place, 20, [whole[0].replace(",T1,", ",T3,"), *whole[1:]])
    assert len(place.ask("SELECT DISTINCT therapist_id FROM session_therapists")) == 3


def test_a_merge_moves_each_line_of_a_slot_to_its_own(tmp_path):
    place = opened(tmp_path, PLAIN, VISITS, WHOLE)
    lines = [*CO_LED[:2], "C3,1002,2026-11-03T10:00,attended,T1,50", "C4,1002,2026-11-04T10:00,attended,T1,50"]
    night(place, 19, lines)
    night(place, 20, [row.replace("1001", "1002") for row in lines])
    assert place.ask("SELECT count(*), count(DISTINCT client_id) FROM sessions") == [(3, 1)]
    assert place.ask("SELECT count(*), count(DISTINCT (source, session_id)) FROM history.appointments") == [(6, 4)]


def test_an_upgraded_warehouse_without_visits_is_unchanged_beside_the_new_table(tmp_path):
    place = opened(tmp_path, WITH_RESPONSES)
    place.deliver_day(17, first=2)
    place.night("2026-11-18T12:00", but_for_finished_tables)
    before = place.published.resolve()
    with duckdb.connect(str(writable(before))) as older:
        older.execute("DROP TABLE session_therapists")
        older.execute("UPDATE load.definitions SET fingerprint = 'of 0.1' WHERE kind = 'table'")
    place.night("2026-11-18T13:00", but_for_finished_tables)
    with duckdb.connect(str(place.published), read_only=True) as con:
        con.execute(f"ATTACH '{before}' AS older (READ_ONLY)")
        tables = [
            name
            for (name,) in con.sql(
                "SELECT table_name FROM duckdb_tables() WHERE database_name = 'older' AND schema_name = 'main'"
            ).fetchall()
        ]
        own = con.sql("SELECT current_database()").fetchone()[0]
        for one, other in (("older", own), (own, "older")):
            for name in tables:
                assert con.sql(f"FROM {one}.main.{name} EXCEPT ALL FROM {other}.main.{name}").fetchall() == [], name
    assert {"sessions", "appointments", "alliance"} <= {*tables}
    assert place.ask("""
        SELECT count(*), count(*) FILTER (is_lead) FROM session_therapists
        JOIN sessions USING (session_id, therapist_id, client_id, episode_id)""") == place.ask(
        "SELECT count(*), count(*) FROM sessions WHERE therapist_id IS NOT NULL"
    )
