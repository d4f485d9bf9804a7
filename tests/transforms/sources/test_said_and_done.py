"""What a section says is done, or it is refused: constants, dates of surveys, words for finished, scores of FHIR."""

import json

import pytest

from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.errors import Unusable
from tests.clinics.reading import Reading
from tests.transforms.sources.test_fhir import answered

SURVEY = """
[sources.it]
format = "{}"
files = "*"
client_id = "id"
instrument = "srs"
rater = "client"
items = ["a", "b", "c", "d"]
{}
"""
TABLE = """
[sources.it]
format = "table"
records = "appointments"
files = "*"
columns = { client_id = "Client", starts_at = "When" }
constants = { status = "attended", site = "north" }

[lists]
site = ["north"]
"""


def refusal(tmp_path, clinic: str) -> str:
    (tmp_path / "clinic.toml").write_text(f'time_zone = "UTC"\n{clinic}', encoding="utf-8")
    with pytest.raises(Unusable) as refused:
        read_clinic(tmp_path / "clinic.toml")
    return str(refused.value)


def test_a_constant_is_the_same_in_every_record_also_a_status(tmp_path):
    data = b"Client,When,site\nA,2026-01-05 10:00,south\nB,2026-05-05 11:00,south\n"
    rows = Reading(tmp_path, TABLE, data, "it").rows("appointments")
    told = rows.select("client_id", "status", "status_basis", "site").rows()
    assert told == [("A", "attended", "stated", "north"), ("B", "scheduled", "derived", "north")]


def test_a_constant_status_is_one_of_rapport_s_own_and_stands_once(tmp_path):
    assert "[sources.it] constants status = 'Held' is not one of attended" in refusal(
        tmp_path, TABLE.replace('"attended"', '"Held"')
    )
    both = TABLE.replace('starts_at = "When"', 'starts_at = "When", status = "State"')
    assert "[sources.it] has 'status' among its columns and its constants; keep one" in refusal(tmp_path, both)


def test_a_survey_without_a_date_is_refused_unless_nobody_knows_it(tmp_path):
    told = refusal(tmp_path, SURVEY.format("wide", ""))
    assert all(key in told for key in ("'completed_at'", "'completed_on'", "undated = true"))
    two = 'forms.x = { undated = true }\nforms.y = { completed_on = "2026-01-05" }\nforms.z = { seconds = "s" }'
    assert "forms.z] has neither 'completed_at'" in refusal(tmp_path, SURVEY.format("wide", two))


def test_an_undated_survey_says_so_and_nothing_else(tmp_path):
    found = Reading(tmp_path, SURVEY.format("wide", "undated = true"), b"id,a,b,c,d\n1,1,2,3,4\n", "it")
    assert found.rows("responses").select("completed_at", "completed_on", "unreadable").rows() == [(None, None, None)]
    both = SURVEY.format("wide", 'undated = true\ncompleted_at = "when"')
    assert "has both 'completed_at' and 'undated'; keep one" in refusal(tmp_path, both)


WORDS = {
    "": True, "0": True, "FALSE": True, "No": True, "Incomplete": True, "N/A": True,
    "1": False, "TRUE": False, "yes": False, "Complete": False, "2": False, "2026-01-05 10:00": False,
    "05/01/2026": False, "WAHR": None, "FALSCH": None, "FALSO": None, "maybe": None, "50": None,
}  # fmt: skip


@pytest.mark.parametrize(("word", "is_partial"), WORDS.items())
def test_whether_a_survey_was_finished_is_not_known_where_nobody_knows_its_word(tmp_path, word, is_partial):
    clinic = SURVEY.format("wide", 'undated = true\nfinished = "Done"')
    found = Reading(tmp_path, clinic, f"id,Done,a,b,c,d\n1,{word},1,2,3,4\n".encode(), "it")
    assert found.rows("responses")["is_partial"].to_list() == [is_partial]
    assert len(found.task.told) == (is_partial is None)
    assert all("column 'Done'" in told and "finished = {" in told for told in found.task.told)


def test_the_words_for_finished_can_be_said(tmp_path):
    words = 'finished = { column = "Fertig", words = { WAHR = "yes", FALSCH = "no" } }'
    clinic = SURVEY.format("wide", "undated = true\n" + words)
    data = "id,Fertig,a,b,c,d\n" + "".join(
        f"{n},{word},1,2,3,4\n" for n, word in enumerate(["wahr", "FALSCH", "?", ""])
    )
    found = Reading(tmp_path, clinic, data.encode(), "it")
    assert found.rows("responses")["is_partial"].to_list() == [False, True, None, True]
    assert "words = 'maybe' is not one of yes, no" in refusal(tmp_path, clinic.replace('"yes"', '"maybe"'))


NINE = [str(number) for number in range(1, 10)]
FHIR = """
[sources.it]
format = "fhir"
files = "*"
[sources.it.forms.phq9]
instrument = "phq9"
rater = "client"
scores = { total = "10" }
"""


@pytest.mark.parametrize("items", [True, False])
def test_a_score_that_a_fhir_response_brings_is_read_with_its_items_or_alone(tmp_path, items):
    answers = [{"valueInteger": number % 4} for number in range(9)]
    resource = answered("r1", answers)
    resource["item"] = [{"linkId": link, "answer": [answer]} for link, answer in zip(NINE, answers, strict=True)]
    resource["item"] = [*(resource["item"] if items else []), {"linkId": "10", "answer": [{"valueDecimal": 12}]}]
    clinic = FHIR + (f"items = {json.dumps(NINE)}\n" if items else "")
    (row,) = Reading(tmp_path, clinic, json.dumps(resource).encode(), "it").rows("responses").iter_rows(named=True)
    assert row["given_scores"] == [{"scale": "total", "score": 12.0}]
    assert (row["answers"] is not None) == items
