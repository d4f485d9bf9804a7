"""FHIR: what a release writes, however deep, becomes appointments, clients and responses; log.ndjson is passed over."""

import json

import pytest

from rapport.warehouse.errors import Refused
from rapport.warehouse.presets import load_presets
from tests.clinics.drawn import lines, seen
from tests.clinics.nights import but_for_finished_tables, open_place
from tests.clinics.reading import Reading

SOURCE = '[sources.record]\nformat = "fhir"\nfiles = "*"\n'
PHQ9 = '[sources.record.forms.phq9]\ninstrument = "phq9"\nrater = "client"\nform = "phq-9"\nitems = {}\n'


def read(tmp_path, *resources: dict, more: str = "", lines: bool = True) -> Reading:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}
    data = "\n".join(map(json.dumps, resources)) if lines else json.dumps(bundle, indent=1)
    return Reading(tmp_path, SOURCE + more, data.encode(), "record")


def actor(kind: str, number: str) -> dict:
    return {"actor": {"reference": f"{kind}/{number}"}, "status": "accepted"}


def appointment(number: str, status: str, *patients: str, **more: object) -> dict:
    taking_part = [actor("Patient", each) for each in patients or ("12",)]
    made = {"resourceType": "Appointment", "id": number, "status": status, "start": "2026-03-02T09:00:00-06:00"}
    made["end"] = "2026-03-02T09:50:00-06:00"
    return made | {"participant": [*taking_part, actor("Practitioner", "7"), actor("Location", "1")]} | more


def coded(code: str) -> dict:
    return {"coding": [{"code": code}]}


def encounter(number: str, status: str, **more: object) -> dict:
    made = {"resourceType": "Encounter", "id": number, "status": status, "subject": {"reference": "Patient/12"}}
    seen_by = {"individual": {"reference": "Practitioner?identifier=http://example.com/npi|7"}}
    return made | {"participant": [seen_by], "period": {"start": "2026-03-02"}} | more


BOOKED = [
    appointment("1", "fulfilled"),
    appointment("2", "cancelled", cancelationReason=coded("pat-crs")),
    appointment("3", "cancelled", cancellationReason=coded("prov-pers")),
    appointment("4", "cancelled"),
    appointment("5", "noshow", "12", "13"),
    appointment("6", "booked", end=None, minutesDuration=30),
    appointment("7", "proposed", start=None),
    appointment("8", "arrived"),
    encounter("9", "finished"),
    encounter("10", "in-progress", period=None, actualPeriod={"start": "2026-03-02T10:00:00-06:00"}),
    encounter("11", "finished", appointment=[{"reference": "Appointment/1"}]),
    {"resourceType": "Observation", "id": "12"},
]
BECAME = """
    appointment_id | client_id | therapist_id | starts_local     | duration_minutes | status              | status_basis
    1              | 12        | 7            | 2026-03-02 09:00 | 50               | attended            | stated
    2              | 12        | 7            | 2026-03-02 09:00 | 50               | cancelled_by_client | stated
    3              | 12        | 7            | 2026-03-02 09:00 | 50               | cancelled_by_clinic | stated
    4              | 12        | 7            | 2026-03-02 09:00 | 50               |                     |
    5              | 12        | 7            | 2026-03-02 09:00 | 50               | no_show             | stated
    5              | 13        | 7            | 2026-03-02 09:00 | 50               | no_show             | stated
    6              | 12        | 7            | 2026-03-02 09:00 | 30               | scheduled           | stated
    8              | 12        | 7            | 2026-03-02 09:00 | 50               | attended            | derived
    9              | 12        | 7            | 2026-03-02 12:00 |                  | attended            | stated
    10             | 12        | 7            | 2026-03-02 10:00 |                  | attended            | derived
    """


@pytest.mark.parametrize("is_lines", [True, False], ids=["NDJSON", "Bundle"])
def test_appointments_and_encounters_of_any_release_and_an_encounter_of_an_appointment_once(tmp_path, is_lines):
    found = read(tmp_path, *BOOKED, lines=is_lines)
    assert seen(found.rows("appointments"), BECAME) == lines(BECAME)
    assert (found.opened.record_count, found.ignored_count) == (12, 3)


def test_every_status_of_the_standard_has_a_meaning():
    words = load_presets()["fhir"].section["status"]["words"]
    booked = {"proposed", "pending", "booked", "arrived", "fulfilled", "noshow", "entered-in-error", "checked-in"}
    visits = {"planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error"}
    visits |= {"on-hold", "discharged", "completed", "discontinued"}  # R5
    known = {word.rpartition(" + ")[0] for word in words}
    stated = {f"Appointment + {each}" for each in booked | {"cancelled", "waitlist"}}
    assert stated | {f"Encounter + {each}" for each in visits} <= known


def answered(number: str, values: list[dict], **more: object) -> dict:
    items = [{"linkId": f"/g/q{n}", "answer": [value]} for n, value in enumerate(values, start=1)]
    nested = [{"linkId": "g", "item": items[:2], "answer": [{"valueBoolean": True, "item": items[2:]}]}]
    made = {"resourceType": "QuestionnaireResponse", "id": number, "status": "completed", "item": nested}
    made |= {"questionnaire": "http://example.com/phq-9|2.0", "subject": {"reference": "Patient/12"}}
    return made | {"authored": "2026-03-02T09:55:00-06:00", "encounter": {"reference": "Encounter/9"}} | more


def choice(code: str, **more: object) -> dict:
    return {"valueCoding": {"system": "http://loinc.org", "code": code, **more}}


NINE = [f"q{n}" for n in range(1, 10)]
WEIGHED = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": 3}]}
ANSWERS = [
    *(choice("LA6568-5"), choice("LA6569-3"), choice("LA6570-1"), choice("LA6571-9")),
    *({"valueInteger": 2}, {"valueDecimal": 1.0}, {"valueBoolean": True}, {"valueString": " 0 "}),
    choice("very", **WEIGHED),
]


def test_answers_of_every_type_are_found_at_any_depth_and_loinc_codes_are_points(tmp_path):
    found = read(tmp_path, answered("r1", ANSWERS), more=PHQ9.format(json.dumps(NINE)))
    expected = """
        response_id | client_id | appointment_id | completed_at     | answers           | is_partial
        r1          | 12        | 9              | 2026-03-02 15:55 | 0 1 2 3 2 1 1 0 3 | no
        """
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_the_older_release_names_questionnaire_and_visit_otherwise(tmp_path):
    stu3 = answered("r1", ANSWERS, questionnaire={"reference": "Questionnaire/phq-9"}, encounter=None)
    stu3["context"] = {"reference": "Encounter/9"}
    found = read(tmp_path, stu3, more=PHQ9.format(json.dumps(NINE)))
    assert found.rows("responses").select("response_id", "appointment_id").rows() == [("r1", "9")]


def test_a_partial_response_keeps_what_was_asked_and_another_questionnaire_is_ignored(tmp_path):
    adaptive = answered("r1", ANSWERS[:3], status="in-progress")
    other = answered("r2", ANSWERS, questionnaire="http://example.com/gad-7")
    found = read(tmp_path, adaptive, other, more=PHQ9.format(json.dumps(NINE)))
    expected = "response_id | answers | is_partial\nr1 | 0 1 2 - - - - - - | yes"
    assert seen(found.rows("responses"), expected) == lines(expected)
    assert found.ignored_count == 1


def test_a_choice_that_nobody_gives_points_is_named_and_the_clinic_may_give_them(tmp_path):
    values = [choice("never"), *ANSWERS[1:]]
    found = read(tmp_path, answered("r1", values), more=PHQ9.format(json.dumps(NINE)))
    assert found.rows("responses")["unreadable"].to_list() == [["q1"]]
    more = PHQ9.format(json.dumps(NINE)) + "points = { never = 0 }\n"
    assert read(tmp_path, answered("r1", values), more=more).rows("responses")["unreadable"].to_list() == [None]


def test_a_patient_is_a_client_whose_birth_date_may_be_told_in_part(tmp_path):
    patients = [
        {"resourceType": "Patient", "id": "12", "birthDate": "2001-02-03", "gender": "female", "name": [{"text": "A"}]},
        {"resourceType": "Patient", "id": "13", "birthDate": "2001", "gender": "unknown"},
    ]
    rows = read(tmp_path, *patients).rows("clients").select("client_id", "birth_date", "sex").rows()
    assert [(number, str(birth), sex) for number, birth, sex in rows] == [
        ("12", "2001-02-03", "female"),
        ("13", "None", None),
    ]


LOG = [{"exportId": "1", "eventId": "kickoff"}, {"exportId": "1", "eventId": "done"}]


def test_a_bulk_exports_log_is_passed_over_and_counted(tmp_path):
    found = read(tmp_path, *LOG)
    assert (found.opened.record_count, found.ignored_count) == (2, 2)


def test_what_was_entered_in_error_is_taken_back(tmp_path):
    clinic = 'time_zone = "America/Chicago"\n' + SOURCE + PHQ9.format(json.dumps(NINE))
    place = open_place(
        tmp_path / "clinic", clinic.replace('files = "*"', 'files = "export_%Y-%m-%d.ndjson"\nid_space = "record"')
    )
    wrong = {"status": "entered-in-error"}
    right = [appointment("1", "fulfilled"), appointment("2", "fulfilled"), answered("r1", ANSWERS)]
    for day, resources in ((3, right), (4, [appointment("1", **wrong), answered("r1", ANSWERS, **wrong)])):
        place.drop(f"export_2026-03-{day:02d}.ndjson", "\n".join(map(json.dumps, resources)).encode())
        place.night(f"2026-03-{day:02d}T12:00", but_for_finished_tables)
        if day == 3:
            assert place.ask("SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM responses)") == [(2, 1)]
    assert place.ask("SELECT (SELECT count(*) FROM sessions), (SELECT count(*) FROM responses)") == [(1, 0)]
    why = "SELECT closed_because FROM history.{} WHERE known_to = 2"
    assert place.ask(f"{why.format('appointments')} UNION ALL {why.format('responses')}") == [("entered in error",)] * 2


@pytest.mark.parametrize(
    ("whole", "damaged"), [('"entry"', '"antry"'), ('"resource":', '"resourze":')], ids=["entry", "resource"]
)
def test_a_bundle_is_refused_in_which_the_name_of_what_it_holds_is_damaged(tmp_path, whole, damaged):
    entries = [{"resource": appointment("1", "fulfilled")}, {"resource": appointment("2", "fulfilled")}]
    data = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert data.count(whole) > 0
    with pytest.raises(Refused, match="export it again"):
        Reading(tmp_path, SOURCE, data.replace(whole, damaged, 1).encode(), "record")


@pytest.mark.parametrize("bundle", [{"total": 0, "type": "searchset"}, {"entry": [{"response": {"status": "204"}}]}])
def test_a_bundle_that_says_that_it_holds_nothing_holds_nothing(tmp_path, bundle):
    data = json.dumps({"resourceType": "Bundle", "_type": {}, **bundle})
    assert Reading(tmp_path, SOURCE, data.encode(), "record").opened.record_count == 0


def test_responses_of_which_no_form_is_named_are_told(tmp_path):
    found = read(tmp_path, answered("2", []), appointment("1", "fulfilled"), more='id_space = "x"\n')
    assert [each for each in found.task.told if "no form of clinic.toml reads them" in each]


@pytest.mark.parametrize(
    ("status", "is_partial", "is_told"),
    [("completed", False, False), ("amended", False, False), ("in-progress", True, False), ("stopped", True, False),
     ("final", None, True), ("", True, False)],
)  # fmt: skip
def test_a_status_that_fhir_does_not_have_does_not_say_whether_a_response_is_finished(
    tmp_path, status, is_partial, is_told
):
    found = read(tmp_path, answered("r1", ANSWERS, status=status), more=PHQ9.format(json.dumps(NINE)))
    assert found.rows("responses")["is_partial"].to_list() == [is_partial]
    assert any("a status that FHIR does not have" in each for each in found.task.told) == is_told
