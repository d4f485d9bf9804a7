"""Answers in words, in codes and with their points; a code that contradicts its points holds its response."""

import json

import duckdb
import pytest

from rapport.warehouse.schema.records import CONTRADICTED, held_by
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import ROOT, but_for_finished_tables, open_place
from tests.clinics.reading import Reading
from tests.transforms.sources.test_fhir import NINE, answered

CODES = ["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"]  # LOINC's list LL358-3, in the order of its points
URL = "http://hl7.org/fhir/StructureDefinition/"
NAMES = [f"{URL}ordinalValue", f"{URL}itemWeight", f"{URL}iso21090-CO-value"]
FHIR = f"""
[sources.it]
format = "fhir"
files = "*"
id_space = "it"
[sources.it.forms.it]
instrument = "{{}}"
rater = "client"
items = {json.dumps(NINE)}
"""
POINTS = [0, 1, 2, 3, 0, 1, 2, 3, 0]


def choice(points: int, extension: str | None, on_answer: bool = False, code: str | None = None) -> dict:
    told = [{"url": extension, "valueDecimal": points}] if extension else []
    coding = {"system": "http://loinc.org", "code": code or CODES[points], "display": "x"}
    if on_answer:
        return {"valueCoding": coding, "extension": told}
    return {"valueCoding": coding | ({"extension": told} if told else {})}


def fhir(tmp_path, answers: list[dict], instrument: str = "phq9"):
    (row,) = Reading(
        tmp_path, FHIR.format(instrument), json.dumps(answered("r", answers)).encode(), "it"
    ).rows("responses").iter_rows(named=True)  # fmt: skip
    return row["answers"], row["unreadable"]


@pytest.mark.parametrize("on_answer", [True, False])
@pytest.mark.parametrize("extension", [*NAMES, None])
def test_points_of_a_fhir_choice_are_read_from_each_extension_and_from_its_public_code(tmp_path, extension, on_answer):
    assert fhir(tmp_path, [choice(each, extension, on_answer) for each in POINTS]) == (POINTS, None)


@pytest.mark.parametrize("extension", NAMES)
def test_a_code_that_contradicts_its_points_holds_the_response(tmp_path, extension):
    answers = [choice(each, extension, code=CODES[0] if at == 3 else None) for at, each in enumerate(POINTS)]
    assert fhir(tmp_path, answers) == (POINTS, [held_by(CONTRADICTED, NINE[3])])


def test_a_code_that_is_not_of_the_questionnaire_s_public_list_contradicts_nothing(tmp_path):
    """LOINC uses LA6568-5 in lists that count it otherwise."""
    answers = [choice(1, NAMES[0], code="LA0000-0"), *(choice(each, NAMES[0]) for each in POINTS[1:])]
    assert fhir(tmp_path, answers) == ([1, *POINTS[1:]], None)


WORDS = ["Not at all", " several  days ", "More than half the days", "NEARLY EVERY DAY"] * 2 + ["0"]
SAID = [0, 1, 2, 3, 0, 1, 2, 3, 0]
WIDE = """
[sources.it]
format = "wide"
files = "*"
client_id = "id"
instrument = "phq9"
rater = "client"
completed_on = "2026-01-05"
items = ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
"""


def test_the_public_words_of_a_questionnaire_s_answers_are_known_in_a_survey(tmp_path):
    data = "id,a,b,c,d,e,f,g,h,i\n1," + ",".join(WORDS) + "\n2," + ",".join(["often", *WORDS[1:]]) + "\n"
    rows = Reading(tmp_path, WIDE, data.encode(), "it").rows("responses")
    assert rows.select("answers", "unreadable").rows() == [(SAID, None), ([None, *SAID[1:]], ["a"])]


def test_what_the_clinic_says_of_a_word_counts_more_than_its_public_meaning(tmp_path):
    clinic = WIDE.replace("items =", 'points = { "Not at all" = 3 }\nitems =')
    data = "id,a,b,c,d,e,f,g,h,i\n1," + ",".join(WORDS) + "\n"
    assert Reading(tmp_path, clinic, data.encode(), "it").rows("responses")["answers"].to_list() == [
        [3, 1, 2, 3, 3, 1, 2, 3, 0]
    ]


def test_the_public_words_are_known_in_the_plain_format_and_only_of_their_own_questionnaire(tmp_path):
    clinic = '[sources.it]\nformat = "plain"\nrecords = "responses"\nfiles = "*"\n'
    data = "response_id,client_id,instrument,rater,completed_at,item,value\n"
    data += "".join(f"R1,1,PHQ9,client,2026-01-05,{n},{word}\n" for n, word in enumerate(WORDS, start=1))
    data += "R2,1,srs,client,2026-01-05,1,Several days\n"
    rows = Reading(tmp_path, clinic, data.encode(), "it").rows("responses").sort("response_id")
    assert rows.select("answers", "unreadable").rows() == [(SAID, None), ([None] * 4, ["value"])]


def test_phq_9_on_another_range_is_read_by_the_range_that_the_clinic_declares(tmp_path):
    clinic = WIDE.replace("items =", "range = [1, 4]\nitems =")
    rows = ["1,1,1,1,1,1,1,1,1,1", "2,1,2,1,1,2,1,1,1,1", "3,2,3,2,3,2,2,3,2,1"]
    found = Reading(tmp_path, clinic, ("id,a,b,c,d,e,f,g,h,i\n" + "\n".join(rows) + "\n").encode(), "it")
    assert [sum(answers) for answers in found.rows("responses")["answers"].to_list()] == [0, 2, 11]


def test_a_fhir_response_whose_codes_contradict_is_held_by_the_rule_and_the_night_goes_on(tmp_path):
    clinic = 'time_zone = "UTC"\nquarantine_limit = 0.9\n' + FHIR.format("phq9").replace(
        "items", 'form = "phq9"\nitems'
    )
    place = open_place(tmp_path / "clinic", clinic.replace('"*"', '"*.ndjson"'))
    good = answered("r1", [choice(each, NAMES[0]) for each in POINTS]) | {"questionnaire": "Questionnaire/phq9"}
    bad = answered("r2", [choice(each, NAMES[0], code=CODES[0]) for each in POINTS]) | {"questionnaire": "q/phq9"}
    place.drop("a.ndjson", "\n".join(map(json.dumps, [good, bad])).encode())
    with few_tables():
        place.night("2026-11-18T03:00", but_for_finished_tables)
    assert place.ask("SELECT rule, count(*) FROM load.quarantine GROUP BY rule") == [(CONTRADICTED, 6)]
    assert place.ask("SELECT count(*) FROM responses") == [(1,)]


def test_the_readme_s_query_counts_a_response_with_a_given_and_a_computed_score_once():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (query,) = [each for each in readme.split("```sql\n")[1:] if "FROM score_bands" in each]
    with duckdb.connect() as con:
        con.execute("""
            CREATE TABLE score_bands AS SELECT 'r' AS response_id, 'total' AS scale, 'severity' AS threshold,
                'Kroenke' AS scheme, 'phq9' AS instrument, true AS is_used, unnest(['mild', 'moderate']) AS band,
                unnest(['given', 'computed']) AS basis""")
        assert con.sql(query.partition("```")[0]).fetchall() == [("Kroenke", "moderate", 1)]
