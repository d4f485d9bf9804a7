"""How long a questionnaire was being filled in: an optional column, of a plain file or named by a form."""

import pytest

from tests.clinics.reading import Reading

HEAD = "response_id|client_id|instrument|rater|completed_at|item|value|seconds"
FORM = """
[sources.surveys]
format = "{format}"
files = "surveys.csv"
{section}
instrument = "srs"
rater = "client"
items = ["q1", "q2", "q3", "q4"]
completed_on = 2026-03-02
seconds = "duration"
"""
WIDE = FORM.format(format="wide", section='client_id = "patient"')
REDCAP = FORM.format(format="redcap", section="[sources.surveys.forms.srs]")


def test_plain_responses_say_it_in_any_or_all_of_their_rows_and_agree(tmp_path):
    rows = [("r1", 1, "40"), ("r1", 2, "40"), ("r2", 1, "12.5"), ("r2", 2, ""), ("r3", 1, "40"), ("r3", 2, "41")]
    drawn = "\n".join([HEAD, *(f"{r} | c1 | srs | client | 2026-03-02 | {i} | 9 | {s}" for r, i, s in rows)])
    found = Reading(tmp_path, "", drawn, "responses").rows("responses")
    assert found.select("response_id", "seconds", "unreadable").rows() == [
        ("r1", 40.0, None),
        ("r2", 12.5, None),
        ("r3", None, None),
    ]


def test_plain_responses_without_the_column_do_not_say_it(tmp_path):
    drawn = HEAD.removesuffix("|seconds") + "\nr1 | c1 | srs | client | 2026-03-02 | 1 | 9"
    assert Reading(tmp_path, "", drawn, "responses").rows("responses")["seconds"].to_list() == [None]


@pytest.mark.parametrize(("clinic", "key"), [(WIDE, "patient"), (REDCAP, "record_id")], ids=["wide", "redcap"])
def test_a_form_names_its_column_and_a_value_that_is_no_number_is_named(tmp_path, clinic, key):
    drawn = f"""
{key} | q1 | q2 | q3 | q4 | duration
1 | 9 | 9 | 9 | 9 | 31
2 | 9 | 9 | 9 | 9 |
3 | 9 | 9 | 9 | 9 | a while
4 |   |   |   |   | 31
"""
    found = Reading(tmp_path, clinic, drawn, "surveys").rows("responses")
    assert found.select("client_id", "seconds", "unreadable").rows() == [
        ("1", 31.0, None),
        ("2", None, None),
        ("3", None, ["duration"]),
    ]
