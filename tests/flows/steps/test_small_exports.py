"""How much of a small export may be held back: cases of few records, where one bad row is a large share."""

import pytest

from rapport.flows.intake.held_too_much import refusal
from rapport.flows.messages.report import print_report, report_of
from rapport.flows.ops.inbox import discard
from rapport.flows.order import place_change
from rapport.warehouse.clinic_file.clinic import clinic_of
from rapport.warehouse.errors import Refused
from rapport.warehouse.intake.held_shares import HeldShare, held_by_source
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import Place, but_for_finished_tables, open_place

PLAIN = """\
time_zone = "America/Chicago"
[sources.appointments]
files = "appointments_%Y-%m-%d*.csv"
"""
TABLE = """\
time_zone = "UTC"
[sources.t]
format = "table"
records = "appointments"
files = "t*.csv"
[sources.t.columns]
client_id = "Client"
starts_at = "When"
status = "State"
[sources.t.status]
words = { "Held" = "attended" }
"""
HEADER = "appointment_id,client_id,starts_at,status,therapist_id,duration_minutes"
ONE_OF_THREE = [f"G{day},1,2026-11-{day:02d}T10:00,attended,T1,50" for day in (2, 3, 31)]
ONE_OF_FOUR = ["A,2026-01-05 10:00,Held", "B,2026-01-05 11:00,Held", "C,,Held", "D,2026-01-06 10:00,Held"]
ROUNDED = [f"2.98725E+13,2026-01-05 1{n}:00,Held" for n in range(3)]
NIGHT = "2026-11-20T03:00"


@pytest.fixture(autouse=True)
def short_nights():
    with few_tables():
        yield


@pytest.mark.parametrize(
    ("held", "records", "more", "is_source", "stops"),
    [
        (1, 3, "", True, None),  # case 13
        (18, 19, "", True, None),
        (4, 20, "", True, None),  # a fifth, no more
        (5, 20, "", True, "more than 20%"),
        (5, 20, "", False, None),  # a file is judged with its source
        (5, 20, "quarantine_minimum = 21", True, None),
        (5, 9, "quarantine_minimum = 9", True, "more than 20%"),
        (5, 20, "quarantine_limit = 0.25", True, None),
        (3, 3, "", False, "no record is readable"),
        (1, 1, "", True, "no record is readable"),
        (3, 3, "quarantine_limit = 0.9", False, "no record is readable"),  # case 20
        (3, 3, "quarantine_limit = 1.0", True, None),
        (0, 0, "", True, None),  # nothing that clinic.toml asks for
    ],
)
def test_a_night_stops_for_an_unreadable_file_and_for_a_source_with_too_many_held_records(
    tmp_path, held, records, more, is_source, stops
):
    clinic = clinic_of({"time_zone": "UTC", **_toml(more)}, tmp_path)
    said = refusal(
        HeldShare("t", ("f",), held, records, ("unreadable (starts_at)",)), clinic, is_whole_source=is_source
    )
    assert said is None if stops is None else stops in said


def _toml(text: str) -> dict[str, float]:
    key, _, value = text.partition(" = ")
    return {key: float(value) if "." in value else int(value)} if text else {}


def test_the_limit_counts_the_records_of_a_source_and_not_of_the_whole_clinic():
    files = [
        HeldShare("a", ("1",), 4, 5, ("x",)),
        HeldShare("b", ("2",), 0, 500, ()),
        HeldShare("a", ("3",), 1, 15, ("y",)),
    ]
    assert held_by_source(files) == [HeldShare("a", ("1", "3"), 5, 20, ("x", "y")), HeldShare("b", ("2",), 0, 500, ())]


def test_one_bad_row_of_three_is_held_and_the_night_goes_on(tmp_path):
    place = open_place(tmp_path / "clinic", PLAIN)
    place.deliver("appointments_2026-11-19.csv", HEADER, ONE_OF_THREE)
    done = place.night(NIGHT, but_for_finished_tables)
    assert done.troubles.status == 0
    assert place.ask("SELECT rule, column_name, record_number FROM load.quarantine") == [("unreadable", "starts_at", 3)]
    assert place.ask("SELECT count(*) FROM appointments") == [(2,)]


def test_one_bad_row_of_four_of_another_source_is_held_and_the_night_goes_on(tmp_path):
    place = open_place(tmp_path / "clinic", TABLE)
    place.deliver("t.csv", "Client,When,State", ONE_OF_FOUR)
    assert place.night(NIGHT, but_for_finished_tables).troubles.status == 0
    assert place.ask("SELECT count(*) FROM appointments") == [(3,)]


@pytest.mark.parametrize(
    ("clinic", "name", "header", "rows"),
    [
        (TABLE, "t.csv", "Client,When,State", ROUNDED),
        (
            "quarantine_limit = 0.9\n" + PLAIN,
            "appointments_2026-11-19.csv",
            "appointment_id,client_id,starts_at,status",
            [f"P{day},1.39073E+18,2026-11-0{day}T10:00,attended" for day in (2, 3, 4)],
        ),
    ],
    ids=("case 38", "case 20"),
)
def test_a_file_of_rounded_ids_has_no_readable_record_and_stops_the_night(tmp_path, clinic, name, header, rows):
    place = open_place(tmp_path / "clinic", clinic)
    place.deliver(name, header, rows)
    with pytest.raises(
        Refused,
        match=r"3 of 3 records quarantined \(rounded_id \(client_id\)\), so no record is readable: a spreadsheet ",
    ):
        place.night(NIGHT, but_for_finished_tables)


def test_more_than_half_of_a_file_held_is_told_in_one_sentence_and_the_night_publishes(tmp_path, capsys):
    place = open_place(tmp_path / "clinic", TABLE)
    place.deliver("t.csv", "Client,When,State", [*ONE_OF_FOUR[2:], "E,,Held"])
    done = place.night(NIGHT, but_for_finished_tables)
    (sentence,) = done.troubles.to_look_at.values()
    assert sentence.endswith(
        "(t*.csv) has 2 of 3 records quarantined (starts_at_missing (starts_at)), more than half; rapport check "
        "says which keys of clinic.toml to correct, and see the records with rapport inbox"
    )
    assert "t.csv" not in sentence.replace("(t*.csv)", "")
    assert done.troubles.status == 4
    print_report(report_of(done))
    assert "2 of 3 records quarantined" in capsys.readouterr().out
    place.deliver("t2.csv", "Client,When,State", [*ONE_OF_FOUR[2:], "F,,Held"])
    (later,) = place.night("2026-11-21T03:00", but_for_finished_tables).troubles.to_look_at.values()
    assert "more than half; correct a renamed column or word" in later  # a first load cannot know that one was renamed


def test_a_rule_about_a_whole_record_is_told_without_a_column(tmp_path):
    place = open_place(tmp_path / "clinic", PLAIN)
    rows = [ONE_OF_THREE[0], "B,2,2026-11-03T10:00,attended", "C,3,2026-11-04T10:00,attended"]
    place.deliver("appointments_2026-11-19.csv", HEADER, rows)
    (sentence,) = place.night(NIGHT, but_for_finished_tables).troubles.to_look_at.values()
    assert "has 2 of 3 records quarantined (record_too_short), more than half" in sentence


def test_a_bad_file_of_one_record_does_not_stop_a_source_that_writes_a_file_for_each_record(tmp_path):
    place = open_place(tmp_path / "clinic", TABLE)
    for number, row in enumerate(ONE_OF_FOUR):
        place.deliver(f"t{number}.csv", "Client,When,State", [row])
    done = place.night(NIGHT, but_for_finished_tables)
    assert (done.troubles.status, len(done.troubles.to_look_at)) == (4, 1)
    place.deliver("t4.csv", "Client,When,State", ["E,,Held"])
    with pytest.raises(Refused, match="1 of 1 records quarantined"):
        place.night("2026-11-21T03:00", but_for_finished_tables)


def test_records_that_somebody_discarded_do_not_count(tmp_path):
    place = open_place(tmp_path / "clinic", TABLE)
    _deliver_whole(place, "t.csv")
    assert place.night(NIGHT, but_for_finished_tables).troubles.status == 4
    discard(place_change(place.clinic, place.warehouse), [1, 2])
    _deliver_whole(place, "t1.csv", "F,2026-01-07 10:00,Held")
    assert place.night("2026-11-21T03:00", but_for_finished_tables).troubles.status == 0


def _deliver_whole(place: Place, name: str, *more: str) -> None:
    place.deliver(
        name, "Client,When,State", ["A,2026-01-05 10:00,Gone", "B,2026-01-05 11:00,Gone", ONE_OF_FOUR[3], *more]
    )


def test_a_cancellation_by_somebody_unknown_is_held_by_a_rule_of_its_own_and_by_no_other(tmp_path):
    """Before: status_unknown, as if the word were not known."""
    words = '{ "Held" = "attended", "Off" = "cancelled" }'
    place = open_place(tmp_path / "clinic", TABLE.replace('{ "Held" = "attended" }', words))
    place.deliver("t.csv", "Client,When,State", [*ONE_OF_FOUR[:2], "E,2026-01-07 10:00,Off", "F,2026-01-07 11:00,Lost"])
    place.night(NIGHT, but_for_finished_tables)
    held = place.ask("SELECT record_number, rule, column_name FROM load.quarantine ORDER BY ALL")
    assert held == [(3, "cancelled_by_unknown", "status"), (4, "status_unknown", "status")]
    place.clinic.write_text(
        place.clinic.read_text().replace("[sources.t.status]\n", '[sources.t.status]\ncancelled_by = "client"\n')
    )
    place.night(NIGHT, but_for_finished_tables)
    assert place.ask("SELECT rule FROM load.quarantine WHERE state = 'waiting'") == [("status_unknown",)]
    assert place.ask("SELECT count(*) FROM history.appointments WHERE status = 'cancelled_by_client'") == [(1,)]
