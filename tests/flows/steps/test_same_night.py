"""What a night does with what it knows already: the same again, an older one late, a corrected reading."""

import os
import shutil

import pytest

from tests.clinics.nights import APPOINTMENTS, LONG_AGO, Place, differences, held, open_place

UNDATED = 'time_zone = "America/Chicago"\n[sources.appointments]\nfiles = "appointments.csv"\n'
DATED = 'time_zone = "America/Chicago"\n[sources.appointments]\nfiles = "appointments_%Y-%m-%d*.csv"\n'
WIDE = """\
time_zone = "America/Chicago"

[sources.surveys]
format = "wide"
files = "surveys.csv"
id_space = "surveys"
instrument = "srs"
rater = "client"
items = ["q1", "q2", "q3", "q4"]
completed_at = "day"
client_id = "{client}"
"""
STATUS = "SELECT status, count(*) FROM appointments GROUP BY status ORDER BY status"


@pytest.fixture
def place(tmp_path, short_nights):
    return open_place(tmp_path / "clinic", DATED)


def kept(place: Place):
    """A copy of the published file, as it is now."""
    return shutil.copy(place.published, place.folder / "kept.duckdb")


def delivered(place: Place, name: str, *rows: str) -> None:
    place.deliver(name, APPOINTMENTS, list(rows))


def missed(client: int, day: int) -> str:
    return held(client, day).replace("attended", "no_show")


def test_the_same_night_again_loads_nothing_and_changes_no_table(demo, tmp_path):
    place = demo.copied_to(tmp_path / "clinic")
    assert place.night("2026-11-21T03:00").publication.computed.client_count == 40
    before = kept(place)
    assert place.night("2026-11-21T03:00").publication.computed.client_count == 0
    assert place.ask("SELECT count(*) FROM load.files WHERE load_id = 2") == [(0,)]
    assert differences(before, place.published, ("main", "history", "dashboard")) == {}


def test_everything_read_again_under_another_clinic_file_changes_no_table(demo, tmp_path):
    place = demo.copied_to(tmp_path / "clinic")
    place.night("2026-11-21T03:00")
    before = kept(place)
    place.clinic.write_text(place.clinic.read_text().replace('id_space = "', 'nulls = ["-99"]\nid_space = "'))
    again = place.night("2026-11-21T03:00")
    assert (len(again.intake.found.deliveries), again.publication.computed.client_count) == (12, 0)
    read = "SELECT sum(loaded_count), sum(unchanged_count) > 1000 FROM load.files WHERE load_id = 2"
    assert place.ask(read) == [(0, True)]
    assert differences(before, place.published) == {}
    assert place.ask("SELECT count(*) FROM load.quarantine WHERE state = 'released' OR load_id = 2") == [(0,)]


def test_a_file_only_touched_or_copied_loads_nothing(short_yesterday):
    short_yesterday.night("2026-11-19T12:00")
    before = kept(short_yesterday)
    for path in list(short_yesterday.exports.iterdir()):
        os.utime(path, (LONG_AGO + 5, LONG_AGO + 5))
    shutil.copy2(
        short_yesterday.exports / "responses_2026-11-19.csv", short_yesterday.exports / "responses_2026-11-19 (1).csv"
    )
    assert short_yesterday.night("2026-11-19T12:00").publication.computed.client_count == 0
    assert short_yesterday.ask("SELECT loaded_count FROM load.files WHERE load_id = 3") == [(0,)]
    assert differences(before, short_yesterday.published, ("main",)) == {}


@pytest.mark.parametrize(("clinic", "name"), [(UNDATED, "appointments.csv"), (DATED, "appointments_2026-11-18.csv")])
def test_deliveries_a_b_a_under_one_name_end_as_a(place, clinic, name):
    place.clinic.write_text(clinic)
    one, other = [held(1, 16), held(2, 17)], [missed(1, 16), held(2, 17)]
    for hour, rows in enumerate((one, other, one), start=12):
        delivered(place, name, *rows)
        place.night(f"2026-11-18T{hour}:00")
        assert place.ask(STATUS)[-1] == (("attended", 2) if rows is one else ("no_show", 1))
    versions = "SELECT known_from, known_to, status FROM history.appointments ORDER BY starts_at, known_from"
    assert place.ask(versions) == [(1, 2, "attended"), (2, 3, "no_show"), (3, None, "attended"), (1, None, "attended")]


def test_a_corrected_time_zone_reads_the_files_again(short_yesterday):
    right = short_yesterday.clinic.read_text()
    short_yesterday.clinic.write_text(right.replace('csv"\n\n', 'csv"\ntime_zone = "Europe/London"\n\n', 1))
    short_yesterday.night("2026-11-19T12:00")
    shifted = "SELECT count(*) FROM appointments WHERE hour(starts_at - INTERVAL 6 HOUR) <> hour(starts_local)"
    assert short_yesterday.ask(f"SET TimeZone = 'UTC'; {shifted}")[0][0] > 0
    short_yesterday.clinic.write_text(right)
    short_yesterday.night("2026-11-19T12:00")
    fresh = short_yesterday.twin()
    fresh.night("2026-11-19T12:00")
    assert differences(fresh.published, short_yesterday.published, ("main",)) == {}


def test_rows_of_a_wrong_reading_leave_every_table_when_clinic_toml_is_corrected(tmp_path):
    place = open_place(tmp_path / "clinic", WIDE.format(client="counsellor"))
    rows = [f"P{client},T{client},2026-11-{day},7,8,9,10" for client in range(4) for day in (10, 11)]
    place.deliver("surveys.csv", "patient,counsellor,day,q1,q2,q3,q4", rows)
    place.night("2026-11-18T12:00")
    wrong = place.ask("SELECT client_id FROM clients")
    place.clinic.write_text(WIDE.format(client="patient"))
    place.night("2026-11-18T12:00")
    now = place.ask("SELECT client_id FROM clients")
    assert (len(wrong), len(now)) == (4, 4)
    assert not set(wrong) & set(now)
    fresh = place.twin()
    fresh.night("2026-11-18T12:00")
    assert differences(fresh.published, place.published, ("main",)) == {}
    reason = "SELECT DISTINCT closed_because FROM history.responses WHERE known_to IS NOT NULL"
    assert place.ask(reason) == [("no longer read from its file",)]


@pytest.mark.parametrize("comes_again", (False, True), ids=("once", "and its copy a day later"))
def test_a_future_attended_becomes_a_session_once_its_time_has_passed(place, comes_again):
    delivered(place, "appointments_2026-11-18.csv", held(1, 17), held(1, 20))
    place.night("2026-11-18T12:00")
    assert place.ask(STATUS) == [("attended", 1), ("scheduled", 1)]
    if comes_again:
        delivered(place, "appointments_2026-11-19.csv", held(1, 17), held(1, 20))
    assert place.night("2026-11-19T12:00").publication.computed.client_count == 0
    assert place.ask("SELECT count(*) FROM sessions") == [(1,)]
    place.night("2026-11-20T12:00")
    assert place.ask(STATUS) == [("attended", 2)]
    assert place.ask("SELECT count(*) FROM sessions") == [(2,)]
    assert place.night("2026-11-20T13:00").intake.found.deliveries == ()


def test_an_old_export_that_comes_late_adds_and_overwrites_nothing_newer(place):
    delivered(place, "appointments_2026-11-17.csv", held(1, 10), missed(2, 10), held(3, 10))
    # Of the newer export the first row is a correction, the second only confirms, the third is absent.
    delivered(place, "appointments_2026-11-19.csv", missed(1, 10), missed(2, 10))
    place.night("2026-11-19T12:00")
    before = kept(place)
    delivered(place, "appointments_2026-11-18.csv", held(1, 10), held(2, 10), held(4, 10))
    place.night("2026-11-19T13:00")
    assert place.ask(STATUS) == [("attended", 2), ("no_show", 2)]
    came = "SELECT unchanged_count, loaded_count FROM load.files WHERE load_id = 2"
    assert place.ask(came) == [(2, 1)]
    assert differences(before, place.published)["history.appointments"] == 1


def test_a_newer_copy_byte_for_byte_confirms_against_an_older_export_that_comes_late(place):
    delivered(place, "appointments_2026-11-17.csv", held(1, 10), missed(2, 10))
    place.night("2026-11-17T12:00")
    shutil.copy2(place.exports / "appointments_2026-11-17.csv", place.exports / "appointments_2026-11-19.csv")
    place.night("2026-11-19T12:00")
    delivered(place, "appointments_2026-11-18.csv", missed(1, 10), held(2, 10))
    place.night("2026-11-19T13:00")
    assert place.ask("SELECT status FROM appointments ORDER BY starts_at") == [("attended",), ("no_show",)]


def test_a_copy_of_the_latest_export_beside_another_says_what_is_so_now(place):
    delivered(place, "appointments_2026-11-17.csv", held(1, 10))
    place.night("2026-11-17T12:00")
    delivered(place, "appointments_2026-11-18.csv", missed(1, 10))
    shutil.copy2(place.exports / "appointments_2026-11-17.csv", place.exports / "appointments_2026-11-19.csv")
    place.night("2026-11-19T12:00")
    assert place.ask(STATUS) == [("attended", 1)]


def test_a_copy_of_the_latest_export_under_an_older_name_does_not_make_it_older(place):
    delivered(place, "appointments_2026-11-18.csv", held(1, 10))
    place.night("2026-11-18T12:00")
    shutil.copy2(place.exports / "appointments_2026-11-18.csv", place.exports / "appointments_2026-11-16.csv")
    place.night("2026-11-18T13:00")
    delivered(place, "appointments_2026-11-17.csv", missed(1, 10))
    place.night("2026-11-18T14:00")
    assert place.ask(STATUS) == [("attended", 1)]


def test_a_copy_of_one_of_two_exports_made_at_once_is_read(place):
    delivered(place, "appointments_2026-11-17a.csv", held(1, 10))
    os.utime(place.deliver("appointments_2026-11-17b.csv", APPOINTMENTS, [missed(1, 10)]), (LONG_AGO + 1,) * 2)
    place.night("2026-11-17T12:00")
    assert place.ask(STATUS) == [("no_show", 1)]
    shutil.copy2(place.exports / "appointments_2026-11-17a.csv", place.exports / "appointments_2026-11-19.csv")
    place.night("2026-11-19T12:00")
    assert place.ask(STATUS) == [("attended", 1)]
