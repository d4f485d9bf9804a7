"""The match report of a night: a source whose clients or responses meet nobody is told, every night, and stops none."""

import duckdb
import pytest

from rapport.flows.messages.report import print_report, report_of
from rapport.flows.ops.forget import find_person, forget
from rapport.flows.order import place_change
from rapport.flows.troubles import MATCH
from rapport.warehouse.places.versions import kept_versions
from rapport.warehouse.store.building_file import open_published
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import APPOINTMENTS, Place, but_for_finished_tables, open_place, writable

PRACTICE = """\
time_zone = "America/Chicago"
licences = ["srs"]
[sources.appointments]
files = "appointments*.csv"
id_space = "practice"
"""
CASE_41 = """
[sources.phq]
preset = "google_forms"
files = "phq.csv"
client_id = "Client"
instrument = "phq9"
rater = "client"
items = ["#3", "#4", "#5", "#6", "#7", "#8", "#9", "#10", "#11"]
id_space = "phq"
"""
SURVEY = """
[sources.survey]
format = "wide"
files = "survey_%Y-%m-%d.csv"
client_id = "user"
completed_at = "when"
instrument = "srs"
rater = "client"
items = ["a", "b", "c", "d"]
id_space = "practice"
"""
CLIENTS = ("101", "102", "103", "104", "105")
UNKNOWN = "The source survey: 0 of 5 clients are known to the appointments"


@pytest.fixture(autouse=True)
def short_nights():
    with few_tables():
        yield


def clinic(folder, more: str = SURVEY, numbers=CLIENTS) -> Place:
    """Clients with a session at 10 o'clock on each of the days 2 to 19 of November."""
    place = open_place(folder / "clinic", PRACTICE + more)
    held = [f"A{n}-{day},{n},2026-11-{day:02d}T10:00,attended,T1" for n in numbers for day in range(2, 20)]
    place.deliver("appointments.csv", APPOINTMENTS, held)
    return place


def answer(place: Place, day: int, *users: str, when: str | None = None) -> None:
    """The answers of a day's session, in that day's file; `when`: of another time."""
    rows = [f"{user},{when or f'2026-11-{day:02d} 10:55'},9,9,9,9" for user in users]
    place.deliver(f"survey_2026-11-{day:02d}.csv", "user,when,a,b,c,d", rows)


def night(place: Place, day: int = 20, **more: bool):
    return place.night(f"2026-11-{day:02d}T12:00", but_for_finished_tables, **more)


def told(done, source: str = "survey") -> str:
    """The one sentence about a source, with exit status 4."""
    assert done.troubles.status == 4
    assert list(done.troubles.to_look_at) == [f"{MATCH}{source}"]
    return done.troubles.to_look_at[f"{MATCH}{source}"]


def printed(done, capsys) -> str:
    print_report(report_of(done))
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("is_check", [True, False])
def test_a_survey_of_another_id_space_knows_none_of_the_clients_and_that_is_loud(tmp_path, capsys, is_check):  # case 41
    place = open_place(tmp_path / "clinic", PRACTICE + CASE_41)
    place.deliver("appointments.csv", "appointment_id,client_id,starts_at,status,service",
                  ["A1,C1,2026-03-04T17:00:00,attended,Therapy 50"])  # fmt: skip
    place.deliver("phq.csv", "Timestamp,Client,a,b,c,d,e,f,g,h,i", ["3/14/2026 17:05:00,C1,1,1,1,1,1,1,1,1,1"])
    done = place.night("2026-07-01T03:00", but_for_finished_tables, is_check=is_check)
    assert told(done, "phq") == (
        "the source phq: 0 of 1 clients are known to the appointments; 1 of 1 unknown numbers is in the id space "
        '"practice" of the appointments too; if they are the same people, write id_space = "practice" in '
        "[sources.phq]; if it is meant so, write stands_alone = true in [sources.phq]"
    )
    assert "source phq: 0 of 1 clients are known to the appointments" in printed(done, capsys)


def test_it_is_told_every_night_in_the_report_and_entered_in_the_books(tmp_path, capsys):
    place = clinic(tmp_path)
    answer(place, 18, "X1", "X2", "X3", "X4", "X5")
    for day in (20, 21):
        assert UNKNOWN in printed(night(place, day), capsys)
    assert place.ask(
        "SELECT load_id, client_count, known_client_count, client_unknown_count, finding FROM load.matches "
        "WHERE source = 'survey' ORDER BY ALL"
    ) == [(load, 5, 0, 5, "nobody_in_common") for load in (1, 2)]
    assert place.ask("SELECT source, finding FROM load.matches WHERE finding IS NULL GROUP BY ALL") == [
        ("appointments", None)
    ]


def test_a_source_that_is_meant_to_stand_alone_is_counted_and_not_told_and_not_read_again(tmp_path):
    place = clinic(tmp_path)
    answer(place, 18, "X1", "X2", "X3", "X4", "X5")
    night(place)
    place.clinic.write_text(PRACTICE + SURVEY + "stands_alone = true\n")
    done = night(place, 21)
    assert (done.troubles.status, done.intake.found.deliveries) == (0, ())
    assert place.ask(
        "SELECT known_client_count, finding FROM load.matches WHERE source = 'survey' AND load_id = 2"
    ) == [(0, None)]


@pytest.mark.parametrize(("known", "status"), [(2, 4), (3, 0)])
def test_fewer_than_half_of_five_clients_are_told(tmp_path, known, status):
    place = clinic(tmp_path)
    answer(place, 18, *("101", "102", "103")[:known], *(f"X{n}" for n in range(5 - known)))
    assert night(place).troubles.status == status


def test_appointments_that_do_not_come_are_told_and_no_count_is_zero(tmp_path, capsys):
    place = clinic(tmp_path)
    (place.exports / "appointments.csv").unlink()
    answer(place, 18, "101")
    done = night(place)
    assert "0 of 1 clients are known to the appointments; no appointments are known: appointments brought none" in told(
        done
    )
    shown = printed(done, capsys)
    assert "survey practice 1 1 ? " in shown
    assert "survey 1 ? ? ? ? ? ? ? ? " in shown
    assert place.ask("SELECT client_count, known_client_count FROM load.matches") == [(1, None)]


def test_numbers_that_match_by_chance_are_told_where_most_responses_meet_no_session(tmp_path):
    place = clinic(tmp_path, numbers=("1", "2", "3", "4", "5"))
    answer(place, 18, "1", "2", "3", "4", "5", when="2026-10-01 21:00")
    assert told(night(place)) == (
        "the source survey: its numbers are 1 to 5 without a gap, as automatic record numbers are, and 5 of 5 clients "
        "are known to the appointments; by chance two people may be one: make sure that these are the practice's own "
        "numbers; 0 of 5 of its responses meet a session"
    )


def test_numbers_without_a_gap_that_match_well_are_noted_and_change_no_status(tmp_path):
    place = clinic(tmp_path, numbers=("1", "2", "3", "4", "5"))
    answer(place, 18, "1", "2", "3", "4", "5")
    done = night(place)
    assert done.troubles.status == 0
    assert done.matched.notes[0].startswith("the source survey: its numbers are 1 to 5 without a gap")


# A share that falls


def deliver_well(place: Place, days: range) -> None:
    for day in days:
        answer(place, day, *CLIENTS)
        assert night(place, day).troubles.status == 0


def test_a_delivery_of_dates_without_times_falls_against_the_ones_before_until_a_good_one_comes(tmp_path, capsys):
    place = clinic(tmp_path)
    deliver_well(place, range(3, 6))
    answer(place, 6, *CLIENTS, when="2026-10-10")
    said = (
        "the source survey: 0 of the 5 responses that came last meet a session (0%), and usually 100% do; their dates "
        "have no times, so only the day can match; export the time too"
    )
    assert told(night(place, 6, is_check=True)) == said
    assert told(night(place, 6)) == said
    assert told(night(place, 7)) == said  # no new file: it is told every night
    deliver_well(place, range(8, 9))


def test_times_of_another_zone_are_told_as_times_where_the_clients_are_known(tmp_path):
    place = clinic(tmp_path)
    deliver_well(place, range(3, 5))
    answer(place, 5, *CLIENTS, when="2026-10-10 02:00")
    assert "their clients are known, so their times may be wrong; look at its dates, and at time_zone" in told(
        night(place, 5)
    )


def test_without_earlier_deliveries_nothing_is_said_about_a_fall(tmp_path):
    place = clinic(tmp_path)
    answer(place, 5, "101", "102", "103", when="2026-10-10 02:00")
    assert night(place).troubles.status == 0


def test_a_response_that_waits_for_its_appointment_is_no_fall(tmp_path):
    place = clinic(tmp_path)
    deliver_well(place, range(3, 5))
    answer(place, 25, *CLIENTS)
    place.deliver("appointments_2.csv", APPOINTMENTS, ["A9,101,2026-11-25T10:00,scheduled,T1"])
    assert night(place, 26).troubles.status == 4
    rows = [f"B{n},{n},2026-11-25T10:00,scheduled,T1" for n in CLIENTS]
    place.deliver("appointments_3.csv", APPOINTMENTS, rows)
    assert night(place, 27).troubles.status == 0


# The book


def test_a_warehouse_of_yesterday_without_the_book_is_taken_along_and_says_nothing_about_a_fall(tmp_path):
    place = clinic(tmp_path)
    deliver_well(place, range(3, 5))
    with duckdb.connect(str(writable(place.published.resolve()))) as older:
        older.execute("DROP TABLE load.matches")
    answer(place, 5, *CLIENTS, when="2026-10-10 02:00")
    assert night(place, 5).troubles.status == 0
    assert place.ask("SELECT DISTINCT load_id FROM load.matches") == [(3,)]
    deliver_well(place, range(6, 7))


def test_after_an_erasure_no_total_of_an_earlier_night_is_left_to_compare_with(tmp_path):
    place = clinic(tmp_path)
    deliver_well(place, range(3, 6))
    order = place_change(place.clinic, place.warehouse)
    forget(order, find_person(order, "practice", "101", None))
    totals = "SELECT count(*), count(client_count), count(response_count), count(time_count) FROM load.matches"
    for version in kept_versions(order.folders.published):
        with open_published(version) as con:
            rows, *left = con.sql(totals).fetchone()
            assert rows and left == [0, 0, 0]
            deliveries = "SELECT count(delivery_count) FROM load.matches WHERE delivery_load_id = 3"
            assert con.sql(deliveries).fetchone() == (0,)
    assert place.ask("SELECT delivery_count FROM load.matches WHERE delivery_load_id < 3 AND source = 'survey'") == [
        (5,), (5,)
    ]  # fmt: skip
    night(place, 6)
    assert place.ask(
        "SELECT client_count, delivery_count FROM load.matches WHERE source = 'survey' AND load_id = 5"
    ) == [(4, 4)]
