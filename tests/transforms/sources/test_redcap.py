"""REDCap's raw flat export (formats.md 1.1)."""

import pytest

from rapport.warehouse.errors import Refused
from tests.clinics.drawn import lines, seen
from tests.clinics.reading import Reading

SRS = """
[sources.surveys]
format = "redcap"
files = "*"
[sources.surveys.forms.srs]
instrument = "srs"
rater = "client"
items = ["srs_1", "srs_2", "srs_3", "srs_4"]
"""
UNTIMED = SRS + 'completed_on = "2026-03-01"\n'
ITEMS = "srs_1 | srs_2 | srs_3 | srs_4"


def surveys(tmp_path, drawn, clinic: str = UNTIMED) -> Reading:
    return Reading(tmp_path, clinic, drawn, "surveys")


def test_parent_rows_hold_their_own_forms_and_repeat_rows_only_their_own(tmp_path):
    found = surveys(
        tmp_path,
        f"""
record_id | redcap_repeat_instrument | redcap_repeat_instance | name  | {ITEMS}
1         |                          |                        | Smith |   |   |   |
1         | srs                      | 1                      |       | 9 | 9 | 9 | 9
1         | srs                      | 2                      |       | 8 | 8 | 8 | 8
1         | ors                      | 1                      |       | 1 | 1 | 1 | 1
2         |                          |                        | Jones | 7 | 7 | 7 | 7
""",
    )
    expected = """
        record_number | client_id | response_id | answers
        2             | 1         | surveys/1//srs/1 | 9 9 9 9
        3             | 1         | surveys/1//srs/2 | 8 8 8 8
        5             | 2         | surveys/2//srs/  | 7 7 7 7
        """
    assert seen(found.rows("responses"), expected) == lines(expected)
    assert found.ignored_count == 2


def test_repeat_columns_that_are_absent_are_no_drift(tmp_path):
    found = surveys(tmp_path, f"study_id | {ITEMS}\n1 | 9 | 9 | 9 | 9")
    expected = "client_id | response_id\n1 | surveys/1//srs/"
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_the_event_is_part_of_the_key_and_a_repeating_event_has_an_instance_alone(tmp_path):
    found = surveys(
        tmp_path,
        f"""
record_id | redcap_event_name | redcap_repeat_instrument | redcap_repeat_instance | {ITEMS}
1         | intake_arm_1      |                          |                        | 9 | 9 | 9 | 9
1         | week_1_arm_1      |                          |                        | 8 | 8 | 8 | 8
1         | visit_arm_1       |                          | 2                      | 7 | 7 | 7 | 7
""",
    )
    expected = "response_id\nsurveys/1/intake_arm_1/srs/\nsurveys/1/week_1_arm_1/srs/\nsurveys/1/visit_arm_1/srs/2"
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_a_form_that_nobody_touched_is_ignored_and_one_answered_in_part_is_not(tmp_path):
    found = surveys(
        tmp_path,
        f"""
record_id | srs_timestamp       | {ITEMS}         | srs_complete
1         |                     |   |   |   |     | 0
2         |                     |   | 0 |   |     | 0
3         | 2026-03-02 15:50:00 |   |   |   |     | 2
4         | [not completed]     |   |   |   |     | 0
5         |                     |   |   |   |     |
""",
        SRS,
    )
    expected = "client_id | answers\n2 | - 0 - -\n3 | - - - -"
    assert seen(found.rows("responses"), expected) == lines(expected)
    assert found.ignored_count == 3


def test_a_timestamp_is_server_time_and_blank_or_not_completed_is_no_time(tmp_path):
    found = surveys(
        tmp_path,
        f"""
record_id | srs_timestamp       | {ITEMS}
1         | 2026-03-02 20:50:00 | 9 | 9 | 9 | 9
2         | [not completed]     | 9 | 9 |   |
3         |                     | 9 | 9 | 9 | 9
4         | 2026-02-30 20:50:00 | 9 | 9 | 9 | 9
""",
        SRS,
    )
    expected = """
        client_id | completed_at     | completed_on | unreadable
        1         | 2026-03-03 02:50 | 2026-03-02   |
        2         |                  |              |
        3         |                  |              |
        4         |                  |              | srs_timestamp
        """
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_record_ids_are_text_with_their_leading_zeros_and_words(tmp_path):
    found = surveys(
        tmp_path, f"record_id | {ITEMS}\n007 | 9 | 9 | 9 | 9\n331-1 | 9 | 9 | 9 | 9\nAMC Javelin | 9 | 9 | 9 | 9"
    )
    assert found.rows("responses")["client_id"].to_list() == ["007", "331-1", "AMC Javelin"]


def test_a_missing_data_code_is_no_answer_in_an_item_and_stays_an_id(tmp_path):
    clinic = UNTIMED.replace('files = "*"', 'files = "*"\nnulls = ["7", "UNK"]')
    found = surveys(tmp_path, f"record_id | {ITEMS}\n7 | 7 | UNK | 9 | 9", clinic)
    expected = "client_id | answers | unreadable\n7 | - - 9 9 |"
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_a_blank_that_guards_a_spreadsheet_and_decimal_commas_and_points_are_read(tmp_path):
    clinic = UNTIMED.replace('files = "*"', 'files = "*"\ndecimal = ","')
    data = b'record_id,srs_1,srs_2,srs_3,srs_4\n1,"9,5",9.5, 9,"9,0"\n'
    assert surveys(tmp_path, data, clinic).rows("responses")["answers"].to_list() == [[9.5, 9.5, 9.0, 9.0]]


def test_ticks_of_a_checkbox_may_be_items(tmp_path):
    clinic = UNTIMED.replace('["srs_1", "srs_2", "srs_3", "srs_4"]', '["c___1", "c___2", "c___3", "c____99"]')
    found = surveys(tmp_path, "record_id | c___1 | c___2 | c___3 | c____99\n1 | 0 | 1 | 0 | 0", clinic)
    assert seen(found.rows("responses"), "answers\n0 1 0 0") == lines("answers\n0 1 0 0")


def test_notes_with_line_feeds_and_quotes_cost_no_record(tmp_path):
    data = b'record_id,note,srs_1,srs_2,srs_3,srs_4\n1,"a\n""b"", c\n",9,9,9,9\n2,,8,8,8,8\n'
    assert surveys(tmp_path, data).rows("responses")["record_number"].to_list() == [1, 2]


def test_a_project_without_records_exports_one_line_feed_and_that_is_no_drift(tmp_path):
    found = surveys(tmp_path, b"\n")
    assert (found.rows("responses").height, found.opened.record_count, found.opened.header_count) == (0, 0, 1)


def test_the_nameless_column_of_row_numbers_that_r_writes_is_not_the_record_id(tmp_path):
    found = surveys(tmp_path, b'"",record_id,srs_1,srs_2,srs_3,srs_4\n1,331-1,9,9,9,9\n')
    assert found.rows("responses")["client_id"].to_list() == ["331-1"]


@pytest.mark.parametrize("missing", ["srs_2", "srs_timestamp"])
def test_a_column_that_the_clinic_file_names_and_the_export_lacks_is_refused(tmp_path, missing):
    columns = [name for name in ("srs_timestamp", "srs_1", "srs_2", "srs_3", "srs_4") if name != missing]
    with pytest.raises(Refused, match=f"has no column '{missing}'"):
        surveys(tmp_path, "record_id | " + " | ".join(columns), SRS)


def test_a_coded_rater_is_translated_and_a_code_without_a_word_is_unknown(tmp_path):
    words = 'rater = { column = "who", words = { "1" = "client", "2" = "caregiver" } }'
    clinic = UNTIMED.replace('rater = "client"', words)
    drawn = f"record_id | who | {ITEMS}\n1 | 1 | 9 | 9 | 9 | 9\n2 | 2 | 9 | 9 | 9 | 9\n3 | 3 | 9 | 9 | 9 | 9"
    found = surveys(tmp_path, drawn, clinic)
    assert found.rows("responses")["rater"].to_list() == ["client", "caregiver", "unknown"]


def test_two_projects_with_the_same_record_form_and_instance_are_two_responses(tmp_path):
    drawn = f"record_id | {ITEMS}\n1 | 9 | 9 | 9 | 9"
    other = UNTIMED.replace("[sources.surveys", "[sources.other")
    found = [surveys(tmp_path, drawn), Reading(tmp_path, other, drawn, "other")]
    ids = [each.rows("responses")["response_id"].to_list() for each in found]
    assert ids == [["surveys/1//srs/"], ["other/1//srs/"]]


EAV = """
record | redcap_event_name | redcap_repeat_instrument | redcap_repeat_instance | field_name | value
1      | week_1            |                          |                        | name       | Smith
1      | week_1            | srs                      | 1                      | srs_2      | 8
1      | week_1            | srs                      | 1                      | srs_1      | 9
2      | week_1            | srs                      | 1                      | srs_1      | 7
1      | week_1            | srs                      | 1                      | note       | text
1      | week_1            | srs                      | 1                      | srs_4      | 6
"""


def test_an_eav_export_is_the_flat_one_with_a_row_a_field(tmp_path):
    found = surveys(tmp_path, EAV)
    expected = """
        record_number | record_count | client_id | response_id           | answers
        2             | 4            | 1         | surveys/1/week_1/srs/1 | 9 8 - 6
        4             | 1            | 2         | surveys/2/week_1/srs/1 | 7 - - -
        """
    assert seen(found.rows("responses"), expected) == lines(expected)
    assert (found.opened.record_count, found.ignored_count) == (6, 1)


def test_a_box_without_a_row_is_not_ticked_where_its_record_was_asked(tmp_path):
    clinic = UNTIMED.replace('["srs_1", "srs_2", "srs_3", "srs_4"]', '["a___1", "a___2", "a____9", "srs_1"]')
    found = surveys(tmp_path, "record | field_name | value\n1 | a | 2\n1 | a | -9\n2 | b | 1\n3 | srs_1 | 5", clinic)
    assert found.rows("responses").select("client_id", "answers").rows() == [
        ("1", [0, 1, 1, None]),
        ("3", [0, 0, 0, 5]),
    ]


def test_an_export_with_labels_names_columns_that_stand_twice_by_place_and_answers_in_words(tmp_path):
    data = (
        "Record ID,Event Name,Repeat Instrument,Repeat Instance,Survey Timestamp,How?,Where?,When?,"
        "Boxes (choice=A),Complete?,Survey Timestamp,Complete?\n"
        "1,Week 1,Session Rating,2,2026-03-01 10:00:00,Low,High,3,Checked,Complete,,\n"
    )
    clinic = """
        [sources.surveys]
        format = "redcap"
        files = "*"
        [sources.surveys.forms.srs]
        form = "Session Rating"
        instrument = "srs"
        rater = "client"
        completed_at = "Survey Timestamp#1"
        finished = "Complete?#1"
        items = ["How?", "Where?", "When?", "Boxes (choice=A)"]
        points = { Low = 0, High = 10, Checked = 1, Unchecked = 0 }
        """
    found = surveys(tmp_path, data.encode(), clinic)
    expected = """
        client_id | response_id              | completed_on | answers  | is_partial
        1         | surveys/1/Week 1/srs/2 | 2026-03-01   | 0 10 3 1 | no
        """
    assert seen(found.rows("responses"), expected) == lines(expected)
