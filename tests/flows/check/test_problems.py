"""What `rapport check` says of a file: the column, how many, the shape, and the key that mends it."""

from datetime import UTC, datetime

import pytest

from rapport.flows.check.checked_file import FINE, LOOK, STOP, checked
from rapport.flows.check.read_file import read_file
from rapport.warehouse.clinic_file.clinic import read_clinic

AS_OF = datetime(2026, 3, 15, 9, tzinfo=UTC)
VISITS = """\
[sources.s]
format = "table"
records = "appointments"
files = "*"
{}
[sources.s.columns]
client_id = "Client"
starts_at = "When"
status = "State"
duration_minutes = "Length"
"""
ISO = [f"A{n},2026-02-0{n} 10:00,attended,50" for n in range(1, 7)]
SURVEY = """\
[sources.s]
format = "wide"
files = "*"
client_id = "who"
completed_at = "when"
instrument = "gad7"
rater = "client"
items = ["a", "b", "c", "d", "e", "f", "g"]
id_space = "x"
{}
"""
PLAIN = '[sources.s]\nrecords = "appointments"\nfiles = "*"\n'


def judged(tmp_path, section: str, rows: list[str], header: str, name: str = "export.csv"):
    """A file of these lines, as it is judged under a clinic file with this section."""
    (tmp_path / "clinic.toml").write_text(f'time_zone = "UTC"\n{section}', encoding="utf-8")
    (tmp_path / name).write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    clinic = read_clinic(tmp_path / "clinic.toml")
    return checked(read_file(tmp_path / name, clinic.sources[0], clinic, AS_OF, None), clinic)


def visits(tmp_path, *rows: str, more: str = 'dates = "iso"', header: str = "Client,When,State,Length"):
    return judged(tmp_path, VISITS.format(more), list(rows), header)


def survey(tmp_path, *rows: str, more: str = ""):
    return judged(tmp_path, SURVEY.format(more), list(rows), "who,when,a,b,c,d,e,f,g")


def plain_visits(tmp_path, *rows: str):
    return judged(tmp_path, PLAIN, list(rows), "appointment_id,client_id,starts_at,status")


def with_answers(*answers: str) -> list[str]:
    return [f"A{n},2026-02-0{n} 10:00,{answer},1,1,1,1,1,1" for n, answer in enumerate(answers, start=1)]


def with_states(*states: str) -> list[str]:
    return [f"A{n},2026-02-0{n} 10:00,{state},50" for n, state in enumerate(states, start=1)]


DATES = ["A1,14/02/2026 5:30 PM,attended,50", "A2,3/2/2026 5:30 PM,attended,50"]
# Of each: the function, its rows and keys, then the column, the code, what is told, and what to write.
TOLD = {
    "dates whose order is seen": (
        visits,
        (DATES, {}),
        (
            "When",
            "time_unreadable",
            "2 of 2 could not be read; they look like  99/99/9999 9:99 AA  or  9/9/9999 9:99 AA",
        ),
        'Say   dates = "day_first"   in [sources.s]',
    ),
    "dates that fit both orders": (
        visits,
        (["A1,3/2/2026 10:00,attended,50", "A2,3/4/2026 10:00,attended,50"], {"more": 'dates = "decide"'}),
        ("When", "two_orders", "the dates fit both orders of day and month"),
        'Say   dates = "month_first"   or   "day_first"   in [sources.s]',
    ),
    "dates of the plain format": (
        plain_visits,
        (["1,A1,14/02/2026,attended"], {}),
        ("starts_at", "time_unreadable", "1 of 1 could not be read; they look like  99/99/9999"),
        'The plain format has ISO 8601 alone. Say   format = "table"   in [sources.s]',
    ),
    "a day that no month has": (
        visits,
        ([*ISO, "A7,2026-02-30 10:00,attended,50"], {}),
        ("When", "time_unreadable", "1 of 7 could not be read; they look like  9999-99-99 99:99"),
        "No such day or time of day: correct them in the system",
    ),
    "digits of another script": (
        visits,
        ([*ISO, "A7,٢٠٢٦-٠٢-٠٧ 10:00,attended,50"], {}),
        ("When", "time_unreadable", "1 of 7 could not be read; they look like  9999-99-99 99:99"),
        "Digits of another script: export them as 0 to 9",
    ),
    "a time of day alone": (
        visits,
        (["A1,5:30 PM,attended,50"], {}),
        ("When", "time_unreadable", "1 of 1 could not be read; they look like  9:99 AA"),
        'A time of day without its date. Say   starts_at = ["DATE", "When"]   in [sources.s]',
    ),
    "a length that is none": (
        visits,
        ([*ISO, "A7,2026-02-07 10:00,attended,long"], {}),
        ("Length", "number_unreadable", "1 of 7 could not be read; they look like  A…"),
        "",
    ),
    "a column that is called otherwise": (
        visits,
        (ISO, {"header": "Client,When,Sate,Length"}),
        ("State", "column_missing", "has no column 'State'"),
        'Near:  "Sate"',
    ),
    "words of a known system": (
        visits,
        (with_states("Show", "Show", "Show", "No Show"), {}),
        ("State", "status_unknown", "2 words not known:  Show (3), and 1 more"),
        'Say   preset = "simplepractice"   in [sources.s]: it knows them',
    ),
    "words of no known system": (
        visits,
        (with_states("Sat", "Sat", "Sat", "Sat", "attended"), {}),
        ("State", "status_unknown", "1 word not known:  Sat (4)"),
        'Say   [sources.s.status]   words = { "Sat" = "attended", ... }',
    ),
    "a rare word, which may be a note": (
        visits,
        (with_states("Sat with Waldburga", "attended", "attended"), {}),
        ("State", "status_unknown", "1 word not known:  they look like  AAA A… A…"),
        'Say   [sources.s.status]   words = { "..." = "attended", ... }',
    ),
    "words of the plain format": (
        plain_visits,
        (["1,A1,2026-02-14T10:00,Kept"], {}),
        ("status", "status_unknown", "1 word not known:  they look like  A…"),
        "Its words are  attended, late_cancel, cancelled_by_client, cancelled_by_clinic, no_show, scheduled, "
        'rescheduled . For others say   format = "table"   in [sources.s]',
    ),
    "answers beyond their range": (
        survey,
        (with_answers("1", "4", "2"), {}),
        ("gad7", "value_out_of_range", "1 of 3 responses with answers outside 0 to 3"),
        "Correct them in the system, or say   nulls   in [sources.s]",
    ),
    "answers on another range": (
        survey,
        (with_answers(*"44444444"), {}),
        (
            "s",
            "on_another_range",
            "writes its answers to gad7 on another range than 0 to 3; say on which (range = [lowest, highest] for s in "
            "clinic.toml), or correct the export",
        ),
        "",
    ),
    "a cancellation by nobody known": (
        visits,
        (
            with_states("off", "on", "on"),
            {"more": '[sources.s.status]\nwords = { off = "cancelled", on = "attended" }'},
        ),
        ("State", "cancelled_by_unknown", "1 record: cancelled by unknown"),
        'Say   cancelled_by = "client"   or   "clinic"   in the section   status',
    ),
    "a blank client's number": (
        visits,
        ([*ISO, ",2026-02-07 10:00,attended,50"], {}),
        ("Client", "id_missing", "no client number in 1 record"),
        "A total below the records is named in   footers",
    ),
    "a client's number that a spreadsheet rounded": (
        visits,
        ([*ISO, "1.39073E+18,2026-02-07 10:00,attended,50"], {}),
        ("Client", "rounded_id", "1 record: rounded id"),
        "A spreadsheet has rounded them: export it again, and do not open it",
    ),
    "answers in words": (
        survey,
        (with_answers("1 - often", "1 - often", "1 - often", "2"), {}),
        ("a", "answers_are_words", "3 of 4 are words:  1 - often (3)"),
        'Say   points = { "1 - often" = 1 }   in [sources.s]',
    ),
    "answers with a decimal comma": (
        survey,
        (with_answers('"1,0"', '"2,0"', "1"), {}),
        ("a", "decimal_comma", "2 of 3 could not be read; they look like  9,9"),
        'Say   decimal = ","   in [sources.s]',
    ),
    "answers that mean none": (
        survey,
        (with_answers("n/a", "1", "0"), {}),
        ("a", "empty_words", "1 of 3 could not be read; they look like  A/A"),
        'An empty value? Say   nulls = ["n/a"]   in [sources.s]',
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_a_problem_is_told_with_its_column_its_count_its_shape_and_the_key_that_mends_it(tmp_path, case):
    of, (rows, more), wanted, say = TOLD[case]
    file = of(tmp_path, *rows, **more)
    assert [(each.column, each.code, each.sentence, each.say) for each in file.problems] == [(*wanted, say)]


def test_a_file_without_a_problem_is_fine(tmp_path):
    file = visits(tmp_path, *ISO)
    assert (file.verdict, file.record_count, file.readable_count) == (FINE, 6, 6)


def test_every_missing_column_is_told_at_once_and_the_others_are_read(tmp_path):
    file = visits(tmp_path, *ISO, "A7,14/02/2026,attended,50", header="Client,When,Sate,Size")
    assert [each.code for each in file.problems] == ["column_missing", "column_missing", "time_unreadable"]
    assert (file.verdict, file.readable_count) == (STOP, 0)


def test_columns_with_one_mend_are_told_together(tmp_path):
    file = survey(tmp_path, *(f"A{n},2026-02-0{n} 10:00,n/a,n/a,1,1,1,1,1" for n in range(1, 4)))
    assert [(each.column, each.sentence) for each in file.problems] == [
        ("a, b", "6 of 6 could not be read; they look like  A/A")
    ]


def test_a_record_with_two_problems_is_held_once(tmp_path):
    file = visits(tmp_path, *ISO, ",2026-02-30 10:00,attended,50")
    assert (len(file.problems), file.held_count, file.readable_count, file.verdict) == (2, 1, 6, LOOK)


def test_a_questionnaire_without_its_licence_is_loaded_and_said_not_to_be_scored(tmp_path):
    section = SURVEY.format("").replace("gad7", "srs").replace(', "e", "f", "g"', "")
    file = judged(tmp_path, section, ["A1,2026-02-01 10:00,1,2,3,4"], "who,when,a,b,c,d")
    assert [(each.code, each.say) for each in file.problems] == [
        ("not_scored", 'Say   licences = ["srs"]   where the clinic holds it')
    ]


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\x03\x04 damaged"])
def test_a_file_that_is_no_table_is_told_and_raises_nothing(tmp_path, content):
    (tmp_path / "clinic.toml").write_text(f'time_zone = "UTC"\n{PLAIN}')
    (tmp_path / "x.csv").write_bytes(content)
    clinic = read_clinic(tmp_path / "clinic.toml")
    file = checked(read_file(tmp_path / "x.csv", clinic.sources[0], clinic, AS_OF, None), clinic)
    assert [each.code for each in file.problems] == ["refused"]
    assert file.verdict == STOP


def test_a_column_that_is_not_there_is_not_told_once_more_as_empty(tmp_path):
    file = survey(tmp_path, *with_answers("1", "2"))
    assert file.problems == []
    other = judged(
        tmp_path, SURVEY.format("").replace('"who"', '"fill in"'), with_answers("1"), "who,when,a,b,c,d,e,f,g"
    )
    assert [each.code for each in other.problems] == ["column_missing"]


def test_a_file_of_which_no_record_is_used_is_told(tmp_path):
    section = """[sources.s]
format = "redcap"
files = "*"
id_space = "x"
[sources.s.forms.srs]
instrument = "srs"
rater = "client"
completed_at = "when"
items = ["a", "b", "c", "d"]
"""
    file = judged(
        tmp_path, section, ["1,,,other,1"], "record,redcap_repeat_instrument,redcap_repeat_instance,field_name,value"
    )
    assert [(each.code, file.verdict) for each in file.problems] == [("nothing_used", LOOK)]
