"""Names are names: of columns, whatever Rapport or polars call their own; of files, whatever bytes they are made of."""

import json
import os
import re

import pytest

from rapport.flows.messages.report import print_report, report_of
from rapport.flows.ops.forget import Person, still_holding
from rapport.flows.ops.inbox import main, show
from rapport.flows.order import place_change, place_order
from rapport.flows.steps import discover
from rapport.transforms.sources.__main__ import main as draft
from rapport.transforms.sources.structures.fhir_resources import COLUMNS
from rapport.warehouse.errors import Refused, Unusable, escaped
from tests.breaking.damage import survey_as_parquet, survey_as_xlsx
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import APPOINTMENTS, CLINIC, Place, but_for_finished_tables, held, open_place
from tests.clinics.reading import Reading
from tests.transforms.sources.test_fhir import ANSWERS, answered


def section(kind: str, items: list[str], more: str = "") -> str:
    form = f'instrument = "srs"\nrater = "client"\nitems = {json.dumps(items)}\n{more}'
    form = form if kind == "wide" else f"[sources.it.forms.srs]\n{form}"
    return f'[sources.it]\nformat = "{kind}"\nfiles = "*"\n{form}'


def answers(reading: Reading) -> list[list[float]]:
    return reading.rows("responses")["answers"].to_list()


LINES = {"LF": "\n", "CRLF": "\r\n", "CR": "\r"}
FOUR = ["a", "b", "c", "d"]
LABELS = {
    "one label of 200 kB": ['"' + "How was it? " * 17_000 + '"'],
    "one label of 4 MB": ['"' + "How was it? " * 340_000 + '"'],
    "two thousand labels of 2 kB": [f'"{number} ' + "How, " * 400 + '"' for number in range(2000)],
    "a label with a lone carriage return": ['"How\rwas' + " it?" * 20_000 + '"'],
}


@pytest.mark.parametrize(
    ("label", "ends"),
    [
        ("one label of 200 kB", "CR"),
        ("one label of 4 MB", "LF"),
        ("two thousand labels of 2 kB", "CRLF"),
        ("a label with a lone carriage return", "LF"),
        ("a label with a lone carriage return", "CRLF"),
    ],
)
def test_a_header_line_of_megabytes_is_read_and_its_line_ends_are_seen(tmp_path, label, ends):
    """Beyond 131,072 bytes none was; beyond 65,536 one of carriage returns was empty, others had too many records."""
    header = ",".join(["id", *FOUR, *LABELS[label]])
    rows = [f"c{n},1,2,3,4{',' * len(LABELS[label])}" for n in (1, 2)]
    text = "".join(line + LINES[ends] for line in (header, *rows))
    found = Reading(tmp_path, section("wide", FOUR, 'client_id = "id"\ncompleted_on = 2026-03-01'), text.encode(), "it")
    assert answers(found) == [[1, 2, 3, 4]] * 2
    assert (found.opened.record_count, found.opened.blank_count) == (2, 0)


def test_labels_of_megabytes_in_the_header_of_a_redcap_project_are_read(tmp_path):
    text = f"Record ID,{','.join(FOUR)},{','.join(LABELS['two thousand labels of 2 kB'])}\n7,1,2,3,4{',' * 2000}\n"
    found = Reading(tmp_path, section("redcap", FOUR, "completed_on = 2026-03-01"), text.encode(), "it")
    assert found.rows("responses").select("client_id", "answers").rows() == [("7", [1, 2, 3, 4])]


ALIKE = [
    ["record_number", "record_count", "unreadable", "client_id"],
    ["response_id", "record", "answers", "is_touched"],
    ["*", "^a$", "a", "^.*$"],
    ["redcap_event_name2", "field", "told", "field_name2"],
]


@pytest.mark.parametrize("write", [str.encode, survey_as_xlsx, survey_as_parquet], ids=["CSV", "XLSX", "Parquet"])
@pytest.mark.parametrize("items", ALIKE, ids=lambda items: items[0])
def test_items_may_be_called_as_rapport_s_own_columns_are(tmp_path, items, write):
    text = f"id,{','.join(items)}\nc1,1,2,3,4\nc2,5,6,7,8\n"
    found = Reading(tmp_path, section("wide", items, 'client_id = "id"\ncompleted_on = 2026-03-01'), write(text), "it")
    assert found.rows("responses").select("record_number", "record_count", "client_id", "answers").rows() == [
        (1, 1, "c1", [1, 2, 3, 4]),
        (2, 1, "c2", [5, 6, 7, 8]),
    ]


@pytest.mark.parametrize("items", ALIKE, ids=lambda items: items[0])
def test_fields_of_redcap_may_be_called_so_flat_and_as_entities(tmp_path, items):
    clinic = section("redcap", items, "completed_on = 2026-03-01")
    flat = Reading(tmp_path, clinic, f"study_id,{','.join(items)}\n7,1,2,3,4\n", "it")
    assert flat.rows("responses").select("record_number", "client_id", "answers").rows() == [(1, "7", [1, 2, 3, 4])]
    if "record" in items:
        return  # what entities call the record itself
    rows = "".join(f"7,{item},{value}\n" for value, item in enumerate(items, start=1))
    entities = Reading(tmp_path, clinic, f"record,field_name,value\n{rows}", "it").rows("responses")
    assert entities.select("record_count", "client_id", "answers").rows() == [(4, "7", [1, 2, 3, 4])]


def test_every_column_of_a_form_may_be_called_as_another_one_of_rapport_s_is(tmp_path):
    named = {"client_id": "record_number", "response_id": "client_id", "therapist_id": "response_id"}
    named |= {
        "rater_id": "record_count",
        "appointment_id": "record",
        "completed_at": "instrument",
        "seconds": "answers",
    }
    more = "".join(f'{key} = "{column}"\n' for key, column in named.items())
    text = f"study_id,{','.join(FOUR)},{','.join(named.values())}\n9,1,2,3,4,C1,R1,T1,X1,A1,2026-03-02 10:00,30\n"
    rows = Reading(tmp_path, section("redcap", FOUR, more), text, "it").rows("responses")
    assert rows.select([*named][:-2]).row(0) == ("C1", "R1", "T1", "X1", "A1")
    assert rows.select("seconds", "completed_on").row(0)[0] == 30


def test_a_table_may_have_any_names(tmp_path):
    named = {
        "appointment_id": "record_number",
        "client_id": "record_count",
        "starts_at": "*",
        "therapist_id": "status 0",
    }
    columns = "".join(f'{key} = "{column}"\n' for key, column in named.items())
    clinic = f'[sources.it]\nformat = "table"\nrecords = "appointments"\nfiles = "*"\n[sources.it.columns]\n{columns}'
    clinic += 'status = "client_id"\n[sources.it.status]\nwords = { "Held" = "attended" }\n'
    text = "record_number,record_count,*,status 0,client_id\nA7,C1,2026-03-02 10:00,T1,Held\n"
    rows = Reading(tmp_path, clinic, text, "it").rows("appointments")
    told = rows.select("record_number", "record_count", "appointment_id", "client_id", "therapist_id", "status").row(0)
    assert told == (1, 1, "A7", "C1", "T1", "attended")


@pytest.mark.parametrize("first", [0, 9])
def test_a_question_of_fhir_may_have_any_link(tmp_path, first):
    links = COLUMNS[first : first + 9]
    clinic = (
        '[sources.it]\nformat = "fhir"\nfiles = "*"\n[sources.it.forms.phq9]\ninstrument = "phq9"\nrater = "client"\n'
    )
    items = [{"linkId": link, "answer": [answer]} for link, answer in zip(links, ANSWERS, strict=True)]
    data = json.dumps(answered("r1", ANSWERS) | {"item": items})
    rows = Reading(tmp_path, f"{clinic}items = {json.dumps(links)}\n", data, "it").rows("responses")
    told = rows.select("response_id", "client_id", "appointment_id", "is_partial", "answers").row(0)
    assert told == ("r1", "12", "9", False, [0, 1, 2, 3, 2, 1, 1, 0, 3])


def test_a_form_of_fhir_may_still_name_what_a_resource_says_and_a_column_that_nobody_has_is_refused(tmp_path):
    clinic = (
        '[sources.it]\nformat = "fhir"\nfiles = "*"\n[sources.it.forms.phq9]\ninstrument = "phq9"\nrater = "client"\n'
    )
    clinic += f"items = {json.dumps([f'q{n}' for n in range(1, 10)])}\n"
    data = json.dumps(answered("r1", ANSWERS))
    rows = Reading(tmp_path, f'{clinic}completed_at = "authored"\n', data, "it").rows("responses")
    assert f"{rows['completed_at'].item():%H:%M}" == "15:55"
    with pytest.raises(Refused, match="has no column 'when'"):
        Reading(tmp_path, f'{clinic}completed_at = "when"\n', data, "it")


LATIN = [os.fsdecode(name) for name in (b"appointments_Zo\xe9_2026-11-11.csv", b"appointments_\xff\xfe_2026-11-12.csv")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A clinic whose exports have names that are no UTF-8; one record is held back."""
    clinic = CLINIC.replace('"appointments_%Y-%m-%d*.csv"', '"appointments_*_%Y-%m-%d.csv"\nid_space = "clinic"')
    place = open_place(tmp_path_factory.mktemp("names") / "clinic", "quarantine_limit = 0.9\n" + clinic)
    rows = [held(1, 10), held(2, 10).replace("attended", "atended")]
    place.deliver(LATIN[0], f"{APPOINTMENTS},record_number,note,note", [f"{row},9,one,two" for row in rows])
    with few_tables():
        place.night("2026-11-11T03:00", but_for_finished_tables)
    return place


def test_an_export_may_have_a_name_that_is_no_utf_8_and_is_known_by_it(place):
    assert place.ask("SELECT loaded_count, quarantined_count FROM load.files") == [(1, 1)]
    with few_tables():
        assert place.night("2026-11-11T04:00", but_for_finished_tables, is_check=True).intake.found.deliveries == ()


def test_what_is_held_of_it_is_shown_with_every_column_under_its_own_name(place, capsys):
    given = ["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]
    assert main(["show", "1", "--exports", str(place.exports), *given]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-3:] == ["record_number: 9", "note#1: one", "note#2: two"]
    assert show(place_change(place.clinic, place.warehouse), place.exports, 1)["client_id"] == "C2"


def test_it_is_named_where_it_still_holds_a_person_who_was_taken_out(place):
    order = place_change(place.clinic, place.warehouse)
    person = Person((("clinic", "C1"),), None, ())
    assert list(still_holding(order, place.exports, person)) == ["appointments_Zo\\xe9_2026-11-11.csv"]


def test_it_is_named_where_it_waits_and_where_it_is_refused(place, monkeypatch, capsys):
    path = place.deliver(LATIN[1], APPOINTMENTS, [])
    try:
        with few_tables():
            monkeypatch.setattr(discover, "_growing", lambda paths: {path})
            print_report(report_of(place.night("2026-11-12T03:00", but_for_finished_tables, is_check=True)))
            assert "appointments_\\xff\\xfe_2026-11-12.csv is still being written" in capsys.readouterr().out
            monkeypatch.undo()
            place.drop(path.name, b"")
            with pytest.raises(
                Refused, match=r"^file [0-9a-f]{8} \(appointments_\*_%Y-%m-%d\.csv\) is empty"
            ) as refused:
                place.night("2026-11-12T03:00", but_for_finished_tables)
    finally:
        path.unlink()
    assert refused.value.told == "appointments_\\xff\\xfe_2026-11-12.csv is empty (0 bytes); export it again"


def test_the_draft_s_pattern_is_text_and_takes_it(place, capsys):
    assert draft([str(place.exports / LATIN[0])]) == 0
    told = capsys.readouterr()
    assert 'files = "appointments_Zo*_%Y-%m-%d.csv"' in told.out
    assert told.err.startswith("appointments_Zo\\xe9_2026-11-11.csv: ")


@pytest.mark.parametrize(
    "name", ["appointments_0001-01-01.csv", "appointments_9999-12-31.csv", "appointments_٢٠٢٦-١١-١١.csv"]
)
def test_a_name_that_tells_a_day_no_clock_can_hold_is_refused_or_no_export(tmp_path, name):
    place = open_place(tmp_path / "clinic", CLINIC.replace("America/Chicago", "Asia/Tokyo"))
    place.deliver("appointments_2026-11-11.csv", APPOINTMENTS, [held(1, 10)])
    place.deliver(name, APPOINTMENTS, [held(1, 10)])
    order = place_order(place.exports, place.clinic, place.warehouse, "2026-11-12T03:00")
    (source, _) = order.clinic.sources
    if name.endswith("0001-01-01.csv"):
        with pytest.raises(Refused, match="has no date in its name where its pattern expects one"):
            list(discover.matching(place.exports, source))
    else:
        count = 2 if name.isascii() else 1
        assert len(list(discover.matching(place.exports, source))) == count


def test_a_folder_whose_name_is_no_utf_8_is_refused_with_what_to_do(tmp_path):
    place = Place(open_place(tmp_path / "clinic").folder.rename(tmp_path / os.fsdecode(b"\xe9")))
    with pytest.raises(
        Unusable, match=re.escape(r"\xe9/exports is not UTF-8; rename it, or make a link to it with a UTF-8 name")
    ):
        place_order(place.exports, place.clinic, place.warehouse)


@pytest.mark.parametrize(("name", "told"), [(b"Zo\xe9.csv", "Zo\\xe9.csv"), ("Zoé 東京.csv".encode(), "Zoé 東京.csv")])
def test_a_name_is_shown_as_text_that_anything_can_write(name, told):
    assert escaped(os.fsdecode(name)) == told
