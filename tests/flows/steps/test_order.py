"""The order of what came: the message's time, the export's, the file's at its first loading, the first loading."""

import json
import os
import tempfile
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clinics.few_tables import few_tables
from tests.clinics.nights import LONG_AGO, Place, but_for_finished_tables, differences, open_place, writable

DIARY = """\
time_zone = "UTC"
quarantine_limit = 0.9
{top}
[sources.diary]
format = "table"
records = "appointments"
files = "{files}"
{more}

[sources.diary.columns]
appointment_id = "Ref"
client_id = "Client"
starts_at = "When"
status = "State"

[sources.diary.status]
words = {{ "Held" = "attended", "Booked" = "scheduled", "DNA" = "no_show" }}
"""
UNDATED, DATED = "diary*.csv", "diary_%Y-%m-%d*.csv"
HL7 = """\
time_zone = "UTC"

[sources.siu]
format = "hl7_siu"
files = "*.hl7"

[sources.siu.status]
cancelled_by = "client"
"""
STATUS = "SELECT status FROM appointments"
HELD = "SELECT rule, state, count(*)::INTEGER FROM load.quarantine GROUP BY ALL"


@pytest.fixture(autouse=True)
def short_nights():
    with few_tables():
        yield


@pytest.fixture
def place(tmp_path) -> Place:
    return open_place(tmp_path / "clinic", diary())


def diary(files: str = UNDATED, more: str = "", top: str = "") -> str:
    return DIARY.format(files=files, more=more, top=top)


def deliver(place: Place, name: str, state: str, hour: int, number: int = 1) -> None:
    """A file that says one thing of one slot, written at an hour of one day."""
    path = place.deliver(name, "Ref,Client,When,State", [f"{number},A,2026-01-05 10:00,{state}"])
    os.utime(path, (LONG_AGO + 3600 * hour,) * 2)


def night(place: Place, as_of: str) -> tuple[str, ...]:
    return place.night(as_of, but_for_finished_tables).troubles.warnings


def told(sentences: tuple[str, ...], part: str) -> str:
    (found,) = [each for each in sentences if part in each]
    return found


def message(event: str, sent: str, word: str, hour: int = 10) -> bytes:
    return "\r".join(
        (
            rf"MSH|^~\&|APP|FAC|||{sent}||SIU^{event}|1|P|2.5",
            f"SCH||555||||{event}||REG|50|min|^^^20260110{hour}0000||||||||||||||{word}",
            "PID|||P1||DOE^A",
            "RGS|1|",
            "AIP|1||T1^X^Y",
            "",
        )
    ).encode()


BOOKED, CANCELLED = message("S12", "20260101120000", "Booked"), message("S15", "20260105120000", "Cancelled")


@pytest.mark.parametrize("first", ["diary.csv", "diary (1).csv"])
@pytest.mark.parametrize("nights", [1, 2])
def test_of_files_without_a_time_of_export_the_one_written_later_counts_whatever_its_name(place, first, nights):
    second = {"diary.csv": "diary (1).csv", "diary (1).csv": "diary.csv"}[first]
    deliver(place, first, "Booked", 10)
    if nights == 2:
        night(place, "2026-11-20T03:00")
    deliver(place, second, "DNA", 11)
    night(place, "2026-11-21T03:00")
    assert place.ask(STATUS) == [("no_show",)]


def test_files_of_one_time_that_say_different_things_are_held_and_both_are_named(place):
    deliver(place, "diary.csv", "Booked", 10)
    deliver(place, "diary (1).csv", "DNA", 10)
    said = told(night(place, "2026-11-20T03:00"), "conflicting_duplicate")
    assert said.count("(diary*.csv)") == 2
    assert "say different things of 1 records" in said
    assert place.ask(STATUS) == []
    assert place.ask(HELD) == [("conflicting_duplicate", "waiting", 2)]


def test_files_of_one_time_that_say_the_same_are_one_record(place):
    deliver(place, "diary.csv", "DNA", 10)
    deliver(place, "diary (1).csv", "DNA", 10)
    assert night(place, "2026-11-20T03:00") == ()
    assert place.ask(STATUS) == [("no_show",)]


def test_a_contradiction_stays_held_when_one_of_its_files_is_read_again(place):
    deliver(place, "diary.csv", "Booked", 10)
    deliver(place, "diary (1).csv", "DNA", 10)
    night(place, "2026-11-20T03:00")
    place.clinic.write_text(diary(more='every = "1 day"'))
    night(place, "2026-11-21T03:00")
    assert (place.ask(STATUS), place.ask(HELD)) == ([], [("conflicting_duplicate", "waiting", 2)])


def test_a_newer_export_settles_a_contradiction(place):
    deliver(place, "diary.csv", "Booked", 10)
    deliver(place, "diary (1).csv", "DNA", 10)
    night(place, "2026-11-20T03:00")
    deliver(place, "diary (2).csv", "Held", 12)
    night(place, "2026-11-21T03:00")
    assert place.ask(STATUS) == [("attended",)]
    assert place.ask(HELD) == [("conflicting_duplicate", "released", 2)]


@pytest.mark.parametrize("first", ["diary_2026-11-19.csv", "diary_2026-11-19 (1).csv"])
def test_of_two_files_of_one_export_time_the_newer_download_counts_and_it_is_told(place, first):
    place.clinic.write_text(diary(DATED))
    second = {"diary_2026-11-19.csv": "diary_2026-11-19 (1).csv", "diary_2026-11-19 (1).csv": "diary_2026-11-19.csv"}
    deliver(place, first, "Booked", 10)
    deliver(place, second[first], "DNA", 11)
    said = told(night(place, "2026-11-20T03:00"), "have the same time of export")
    assert said.count("(diary_%Y-%m-%d*.csv)") == 2
    assert place.ask(STATUS) == [("no_show",)]


def test_the_time_of_export_goes_before_the_files_time(place):
    place.clinic.write_text(diary(DATED))
    deliver(place, "diary_2026-11-18.csv", "Booked", 11)
    deliver(place, "diary_2026-11-19.csv", "DNA", 10)
    assert night(place, "2026-11-20T03:00") == ()
    assert place.ask(STATUS) == [("no_show",)]


def test_a_file_of_an_older_time_that_comes_on_a_later_night_changes_nothing(place):
    place.clinic.write_text(diary(DATED))
    deliver(place, "diary_2026-11-19 (1).csv", "DNA", 11)
    night(place, "2026-11-20T03:00")
    deliver(place, "diary_2026-11-19.csv", "Booked", 10)
    night(place, "2026-11-21T03:00")
    assert place.ask(STATUS) == [("no_show",)]


def test_a_section_that_changed_makes_files_be_read_again_in_the_order_in_which_they_came(place):
    place.clinic.write_text(diary(DATED))
    deliver(place, "diary_2026-11-18.csv", "Booked", 10)
    night(place, "2026-11-18T03:00")
    deliver(place, "diary_2026-11-18 (1).csv", "Held", 11)
    night(place, "2026-11-19T03:00")
    for name in ("diary_2026-11-18 (1).csv", "diary_2026-11-18.csv"):  # copied back by a restored backup
        deliver(place, name, "Held" if "(1)" in name else "Booked", 12 if "(1)" in name else 13)
    place.clinic.write_text(diary(DATED, 'every = "1 day"'))
    night(place, "2026-11-19T04:00")
    assert place.ask(STATUS) == [("attended",)]


def test_files_of_one_time_loaded_on_two_nights_keep_the_order_of_their_first_loading(place):
    deliver(place, "diary (1).csv", "Booked", 10)
    night(place, "2026-11-20T03:00")
    deliver(place, "diary.csv", "DNA", 10)
    night(place, "2026-11-21T03:00")
    place.clinic.write_text(diary(more='every = "1 day"'))
    night(place, "2026-11-22T03:00")
    assert place.ask(STATUS) == [("no_show",)]


MESSAGES = {
    "the cancellation's name comes first": ("a.hl7", "b.hl7"),
    "the cancellation's name comes last": ("b.hl7", "a.hl7"),
}


@pytest.mark.parametrize("names", MESSAGES)
@pytest.mark.parametrize("nights", ["one night", "the booking first", "the cancellation first"])
def test_of_messages_in_several_files_the_one_sent_later_decides(place, names, nights):
    place.clinic.write_text(HL7)
    cancelled, booked = MESSAGES[names]
    files = [(cancelled, CANCELLED), (booked, BOOKED)]
    for number, (name, content) in enumerate(reversed(files) if nights == "the booking first" else files):
        place.drop(name, content)
        if nights != "one night":
            night(place, f"2026-11-2{number}T03:00")
    night(place, "2026-11-23T03:00")
    assert place.ask(STATUS) == [("cancelled_by_client",)]
    place.clinic.write_text(HL7.replace('"client"', '"clinic"'))
    night(place, "2026-11-24T03:00")
    assert place.ask(STATUS) == [("cancelled_by_clinic",)]


def test_a_message_sent_after_the_nights_clock_has_the_time_of_its_file_and_is_told(place):
    place.clinic.write_text(HL7)
    place.drop("a.hl7", message("S12", "20620101120000", "Booked"))
    os.utime(place.drop("b.hl7", CANCELLED), (LONG_AGO + 1,) * 2)
    result = place.night("2026-11-20T03:00", but_for_finished_tables)
    assert any("sent after the night's clock" in each for each in result.troubles.warnings)


FHIR = """\
time_zone = "UTC"
quarantine_limit = 0.9

[sources.records]
format = "fhir"
files = "records_%Y-%m-%d*.ndjson"
{more}
"""


def resource(status: str) -> bytes:
    actors = [{"actor": {"reference": f"{kind}/1"}, "status": "accepted"} for kind in ("Patient", "Practitioner")]
    times = {"start": "2026-11-02T10:00:00Z", "end": "2026-11-02T10:50:00Z"}
    booked = {"resourceType": "Appointment", "id": "1", "status": status, "participant": actors, **times}
    return json.dumps(booked).encode()


@pytest.mark.parametrize("nights", ["one night", "the booking first", "the retraction first"])
def test_what_was_taken_back_stays_so_in_any_order_of_coming_and_after_any_reading_again(place, nights):
    place.clinic.write_text(FHIR.format(more=""))
    files = [(17, "fulfilled"), (18, "entered-in-error")]
    for number, (day, status) in enumerate(reversed(files) if nights == "the retraction first" else files):
        place.drop(f"records_2026-11-{day}.ndjson", resource(status))
        if nights != "one night":
            night(place, f"2026-11-2{number}T03:00")
    night(place, "2026-11-22T03:00")
    assert place.ask(STATUS) == []
    place.clinic.write_text(FHIR.format(more='every = "1 day"'))
    night(place, "2026-11-23T03:00")
    assert place.ask(STATUS) == []
    place.drop("records_2026-11-24.ndjson", resource("fulfilled"))
    night(place, "2026-11-24T03:00")
    assert place.ask(STATUS) == [("attended",)]


# A warehouse of an earlier Rapport


def as_before(place: Place) -> None:
    """The published file as an earlier Rapport wrote it: without times of files and messages, without new books."""
    with duckdb.connect(str(writable(place.published.resolve()))) as con:
        for column in ("first_modified", "first_load_id"):
            con.execute(f"ALTER TABLE load.files DROP COLUMN {column}")
        for table in ("history.appointments", "history.responses", "load.quarantine"):
            con.execute(f"ALTER TABLE {table} DROP COLUMN sent_at")
        for book in ("export_columns", "shared_appointment_ids", "retractions"):
            con.execute(f"DROP TABLE load.{book}")


def test_files_of_an_earlier_rapport_keep_their_times_and_of_one_time_the_order_of_loading(place):
    place.clinic.write_text(diary(DATED))
    deliver(place, "diary_2026-11-18.csv", "Booked", 11)
    deliver(place, "diary_2026-11-18 (1).csv", "DNA", 10, number=2)
    night(place, "2026-11-18T03:00")
    deliver(place, "diary_2026-11-18 (2).csv", "Held", 11)
    deliver(place, "diary_2026-11-18 (3).csv", "Booked", 9, number=2)
    night(place, "2026-11-19T03:00")
    assert place.ask(f"{STATUS} ORDER BY ALL") == [("attended",), ("no_show",)]
    as_before(place)
    place.clinic.write_text(diary(DATED, 'every = "1 day"'))
    assert night(place, "2026-11-19T04:00") == ()
    assert place.ask(f"{STATUS} ORDER BY ALL") == [("attended",), ("no_show",)]
    missing = "SELECT count(*) FROM load.files WHERE first_modified IS NULL OR first_load_id IS NULL"
    assert place.ask(missing) == [(0,)]


# Any split over nights, and any reading again

SOURCES = ("dated", "whole", "undated", "messages")
WORDS = ["Held", "Booked", "DNA"]


def section(source: str, days: int) -> str:
    """The clinic file of a source. Another number of days is another section: its files are read again."""
    every = f'every = "{days} days"'
    if source == "messages":
        return HL7.replace('"*.hl7"', f'"*.hl7"\n{every}')
    covers = 'covers = "all"\n' if source == "whole" else ""
    return diary(UNDATED if source == "undated" else DATED, covers + every, "vanished_limit = 1.0")


@st.composite
def histories(draw) -> tuple[str, list[tuple[str, bytes, int]], list[int], list[bool]]:
    """A source, its files (name, content, hour of writing) in the order of coming, the night of each, and the nights
    on which all are read again. Files without a time of export come in the order in which they were written."""
    source = draw(st.sampled_from(SOURCES))
    count = draw(st.integers(2, 4))
    hours = sorted(draw(st.permutations(range(count)))) if source == "undated" else draw(st.permutations(range(count)))
    files = [(*_file(draw, source, number), hour) for number, hour in enumerate(hours)]
    nights = sorted(draw(st.lists(st.integers(0, 2), min_size=count, max_size=count)))
    return source, files, nights, draw(st.lists(st.booleans(), min_size=3, max_size=3))


def _file(draw, source: str, number: int) -> tuple[str, bytes]:
    letter = draw(st.sampled_from("abc"))
    if source == "messages":
        sent = f"202601{10 + draw(st.integers(0, 9)):02d}1200{number:02d}"
        event, word = draw(st.sampled_from([("S12", "Booked"), ("S15", "Cancelled")]))
        return f"{letter}{number}.hl7", message(event, sent, word, 10 + number)
    day = "" if source == "undated" else f"_2026-11-1{draw(st.integers(0, 2))}"
    said = draw(st.lists(st.sampled_from([*WORDS, None]), min_size=2, max_size=2))
    lines = [f"{at},A,2026-01-0{at + 1} 10:00,{word}" for at, word in enumerate((*said, "Held")) if word]
    return f"diary{day}{letter}{number}.csv", "\n".join(["Ref,Client,When,State", *lines, ""]).encode()


def _written(place: Place, name: str, content: bytes, hour: int) -> None:
    os.utime(place.drop(name, content), (LONG_AGO + 3600 * hour,) * 2)


@given(history=histories())
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_any_split_of_the_files_over_nights_and_any_reading_again_gives_the_same_tables(history):
    source, files, nights, again = history
    with tempfile.TemporaryDirectory() as folder:
        place = open_place(Path(folder) / "clinic", section(source, 1))
        for each in files:
            _written(place, *each)
        at_once = place.twin()
        for path in place.exports.iterdir():
            path.unlink()
        at_once.night("2026-11-23T03:00", but_for_finished_tables)
        for number in range(3):
            for file, of_night in zip(files, nights, strict=True):
                if of_night == number:
                    _written(place, *file)
            if any(place.exports.iterdir()):
                if again[number]:
                    place.clinic.write_text(section(source, 2 + number))
                place.night(f"2026-11-2{number}T03:00", but_for_finished_tables)
        place.night("2026-11-23T03:00", but_for_finished_tables)
        assert differences(at_once.published, place.published, ("main",)) == {}
