"""The wide format: one row per response, one column per item, mapped in clinic.toml."""

import pytest

from rapport.warehouse.errors import Refused
from tests.clinics.drawn import lines, seen
from tests.clinics.reading import Reading

ITEMS = '["a", "b", "c", "d"]'
WIDE = f"""
[sources.wave_1]
format = "wide"
files = "*"
instrument = "srs"
rater = "client"
client_id = "id"
items = {ITEMS}
"""


def wave(tmp_path, drawn: str | bytes, more: str = "") -> Reading:
    undated = "" if "completed" in more else "undated = true\n"
    return Reading(tmp_path, WIDE + undated + more, drawn, "wave_1")


def test_items_land_in_the_order_of_the_clinic_file_not_of_the_export(tmp_path):
    found = wave(tmp_path, "d | id | name | a | c | b\n4 | c1 | Smith | 1 | 3 | 2")
    expected = "client_id | instrument | rater | answers | record_count\nc1 | srs | client | 1 2 3 4 | 1"
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_a_constant_day_of_completion_is_every_responses_day(tmp_path):
    found = wave(tmp_path, "id | a | b | c | d\nc1 | 1 | 2 | 3 | 4", 'completed_on = "2026-03-01"')
    expected = "completed_at | completed_on\n | 2026-03-01"
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_a_response_is_known_by_client_form_and_time_unless_it_has_an_id(tmp_path):
    drawn = "id | when | no | a | b | c | d\nc1 | 2026-03-02 10:00 | r9 | 1 | 2 | 3 | 4"
    made = wave(tmp_path, drawn, 'completed_at = "when"').rows("responses")["response_id"].item()
    given = wave(tmp_path, drawn, 'completed_at = "when"\nresponse_id = "no"').rows("responses")["response_id"].item()
    assert (made, given) == ("wave_1/c1/wave_1/2026-03-02 10:00", "r9")


def test_two_waves_of_one_client_with_constant_days_are_two_responses(tmp_path):
    drawn = "id | a | b | c | d\nc1 | 1 | 2 | 3 | 4"
    ids = {
        wave(tmp_path, drawn, f"completed_on = {day}").rows("responses")["response_id"].item()
        for day in ("2026-03-01", "2026-04-01")
    }
    assert len(ids) == 2


def test_rows_without_an_answer_are_ignored_and_a_blank_client_is_not_mixed_with_another(tmp_path):
    found = wave(tmp_path, "id | a | b | c | d\nc1 |  |  |  |\n | 1 | 2 | 3 | 4\n | 1 | 2 | 3 | 4")
    assert found.rows("responses")["client_id"].to_list() == [None, None]
    assert found.rows("responses")["response_id"].n_unique() == 2
    assert found.ignored_count == 1


def test_null_words_are_no_answers_and_values_that_are_no_numbers_are_named(tmp_path):
    more = 'nulls = [7, "NA"]'
    found = wave(tmp_path, "id | a | b | c | d\nc1 | 7 | NA | 3 | 4\nc2 | 7.0 | four | 3 | x", more)
    expected = "client_id | answers | unreadable\nc1 | - - 3 4 |\nc2 | - - 3 - | b d"
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_several_forms_may_stand_in_one_row(tmp_path):
    forms = """
[sources.w]
format = "wide"
files = "*"
undated = true
forms.before = { instrument = "ors", rater = "client", client_id = "id", items = ["a", "b", "c", "d"] }
forms.after = { instrument = "srs", rater = "client", client_id = "id", items = ["e", "f", "g", "h"] }
"""
    found = Reading(tmp_path, forms, "id|a|b|c|d|e|f|g|h\nc1|1|1|1|1|2|2|2|2\nc2|1|1|1|1||||", "w")
    expected = """
        client_id | instrument | answers
        c1        | ors        | 1 1 1 1
        c2        | ors        | 1 1 1 1
        c1        | srs        | 2 2 2 2
        """
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_an_item_column_that_is_missing_is_named(tmp_path):
    with pytest.raises(Refused, match="has no column 'd'"):
        wave(tmp_path, "id | a | b | c\nc1 | 1 | 2 | 3")
