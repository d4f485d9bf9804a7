"""What a REDCap project says about its clients, and forms that share a row."""

from tests.clinics.drawn import lines, seen
from tests.clinics.reading import Reading

CLINIC = """
[sources.surveys]
format = "redcap"
files = "*"
[sources.surveys.clients]
birth_date = "dob"
sex = { column = "sex", words = { "0" = "female", "1" = "male" } }
[sources.surveys.forms.ors]
instrument = "ors"
rater = "client"
items = ["o1", "o2", "o3", "o4"]
completed_at = "visit"
therapist_id = "seen_by"
[sources.surveys.forms.phq9]
form = "moods"
instrument = "phq9"
rater = "client"
items = ["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"]
completed_on = 2026-03-01
"""
ITEMS = "o1 | o2 | o3 | o4 | p1 | p2 | p3 | p4 | p5 | p6 | p7 | p8 | p9"


def surveys(tmp_path, drawn: str) -> Reading:
    return Reading(tmp_path, CLINIC, drawn, "surveys")


def test_a_row_that_says_nothing_about_the_client_makes_no_client_row(tmp_path):
    found = surveys(
        tmp_path,
        f"""
record_id | redcap_repeat_instrument | dob        | sex | visit | seen_by | {ITEMS}
1         |                          | 2010-03-05 | 0   |       |         | {" |" * 12}
1         | ors                      |            |     |       |         | {" |" * 12}
2         |                          | 2027-01-01 | 9   |       |         | {" |" * 12}
3         |                          |            |     |       |         | {" |" * 12}
""",
    )
    expected = """
        client_id | birth_date | sex     | unreadable
        1         | 2010-03-05 | female  |
        2         |            | unknown | dob
        """
    assert seen(found.rows("clients"), expected) == lines(expected)


def test_two_forms_on_one_row_are_two_responses_each_with_its_own_time_and_therapist(tmp_path):
    found = surveys(
        tmp_path,
        f"""
record_id | dob | sex | visit            | seen_by | {ITEMS}
1         |     |     | 2026-03-02 10:00 | 012     | 9|9|9|9|1|1|1|1|1|1|1|1|1
""",
    )
    expected = """
        response_id | instrument | completed_at     | completed_on | therapist_id | answers
        surveys/1//ors/     | ors        | 2026-03-02 16:00 | 2026-03-02   | 012          | 9 9 9 9
        surveys/1//phq9/    | phq9       |                  | 2026-03-01   |              | 1 1 1 1 1 1 1 1 1
        """
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_a_form_may_be_read_from_a_repeating_form_of_another_name(tmp_path):
    found = surveys(
        tmp_path,
        f"""
record_id | redcap_repeat_instrument | redcap_repeat_instance | dob | sex | visit | seen_by | {ITEMS}
1         | moods                    | 1                      |     |     |       |         | 9|9|9|9|1|1|1|1|1|1|1|1|1
1         | phq9                     | 1                      |     |     |       |         | 9|9|9|9|1|1|1|1|1|1|1|1|1
""",
    )
    expected = "record_number | instrument\n1 | phq9"
    assert seen(found.rows("responses"), expected) == lines(expected)
