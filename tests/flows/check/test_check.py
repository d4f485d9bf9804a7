"""rapport check: every file, every problem and every error of the clinic file in one run, and nothing is written."""

import re

import pytest

from rapport.flows.check.command import main
from rapport.transforms.sources.__main__ import main as draft
from tests.clinics import newcomer
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import APPOINTMENTS, RESPONSES, answered, held, open_place

AS_OF = "2026-11-20T12:00"
TWO_SOURCES = """\
time_zone = "UTC"
licences = ["srs"]
[sources.appointments]
files = "appointments_*.csv"
[sources.responses]
files = "responses_*.csv"
id_space = "clinic"
"""


@pytest.fixture
def place(tmp_path):
    """A clinic of six clients before its first night."""
    made = open_place(tmp_path / "clinic", TWO_SOURCES)
    made.deliver("appointments_1.csv", APPOINTMENTS, [held(client, 18) for client in range(6)])
    made.deliver("responses_1.csv", RESPONSES, [row for client in range(6) for row in answered(client, 18)])
    return made


@pytest.fixture
def check(place, capsys):
    """What a quick check says of it: the exit status and the lines."""

    def run(*more: str) -> tuple[int, str]:
        capsys.readouterr()
        status = main(place.arguments(AS_OF, *(more or ("--quick",))))
        told = capsys.readouterr()
        return status, told.out + re.sub(r"(?m)^… .*\n", "", told.err)

    return run


def test_a_clinic_without_a_problem_is_told_so_and_nothing_is_written(place, check):
    before = sorted(place.folder.rglob("*"))
    status, told = check()
    assert (status, sorted(place.folder.rglob("*"))) == (0, before)
    assert told.startswith("2 sources, 2 files, 30 records. Nothing is written.")
    assert "Nothing is wrong with the files." in told


def test_a_night_is_tried_where_no_file_would_stop_it(place, check):
    with few_tables():
        status, told = check("--as-of", AS_OF)
    assert status == 0
    assert "checked, nothing published" in told
    assert not place.published.exists()


def test_one_bad_file_hides_the_problems_of_no_other(place, check):
    place.drop("appointments_0.csv", b"<html>")
    place.deliver("responses_1.csv", RESPONSES.replace("rater", "who"), answered(1, 18))
    status, told = check()
    assert status == 1
    assert "is a web page" in told
    assert "has no column 'rater'" in told
    assert "appointments_1.csv  6 records, 6 readable  fine" in told
    assert "2 sources would stop a night. Mend clinic.toml, and run this again." in told
    assert "A night would stop, so none was tried." in told


def test_a_first_load_is_not_told_that_a_column_was_renamed(place, check):
    place.deliver("appointments_1.csv", APPOINTMENTS, [held(1, 18).replace("attended", "Sat")])
    assert "renamed" not in check()[1]


def test_every_error_of_the_clinic_file_is_told_and_the_other_sections_are_read(place, check):
    text = TWO_SOURCES.replace('files = "responses', 'flies = "responses').replace(
        "time_zone", "quarantine_limt = 0.1\ntime_zone"
    )
    place.clinic.write_text(text + '[sources.third]\nformat = "wide"\nfiles = "x"\nid_space = "x"\n')
    status, told = check()
    assert status == 2
    for error in ("unknown key 'quarantine_limt'", "unknown key 'flies'", "[sources.third] has no key"):
        assert error in told
    assert "responses_1.csv  24 records, 24 readable  fine" in told  # its key is read as it was meant


def test_a_file_that_no_source_takes_and_a_source_without_a_file_are_told(place, check):
    (place.exports / "responses_1.csv").rename(place.exports / "Responses_1.CSV")
    place.drop("~$lock.xlsx", b"x")
    status, told = check()
    assert status == 0
    assert "in no source  Responses_1.CSV: the plain format: responses" in told
    assert "not read  responses: no file matches   files = 'responses_*.csv'" in told
    assert "lock" not in told


def test_a_file_that_is_dated_after_tonight_is_told_and_not_read(place, check):
    place.clinic.write_text(TWO_SOURCES.replace("responses_*", "responses_%Y-%m-%d"))
    (place.exports / "responses_1.csv").rename(place.exports / "responses_2026-11-21.csv")
    assert "not read  responses: 1 file dated after tonight" in check()[1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda text: text.replace('id_space = "clinic"', 'id_space = "own"'),
            "NOBODY IN COMMON  the source responses: 0 of 6 clients are known to the appointments; 6 of 6 unknown "
            'numbers are in the id space "clinic" of the appointments too; if they are the same people, write id_space '
            '= "clinic" in [sources.responses]',
        ),
        (lambda text: text, None),
    ],
)
def test_sources_that_do_not_speak_of_the_same_people_are_told(place, check, change, told):
    place.clinic.write_text(change(TWO_SOURCES))
    said = check()[1]
    assert (told in said) if told else ("IN COMMON" not in said)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        (range(1, 7), "its numbers are 1 to 6 without a gap, as automatic record numbers are; name the column with"),
        (range(100, 106), "another form than those of the appointments (999, and there A9); name the column with"),
    ],
)
def test_the_likely_reason_is_told_without_a_number(place, check, numbers, told):
    rows = [row.replace(f",C{client},", f",{n},") for client, n in enumerate(numbers) for row in answered(client, 18)]
    place.deliver("responses_1.csv", RESPONSES, rows)
    assert told in check()[1]


def test_no_value_is_told_but_common_words_of_a_status(place, check):
    rows = [held(client, 18).replace("attended", "Sat" if client else "Wept for Waldburga") for client in range(6)]
    rows.append("A9-18,Canary,Canary at ten,attended,T1")
    place.deliver("appointments_1.csv", APPOINTMENTS, rows)
    place.deliver("responses_1.csv", RESPONSES, [row.replace(",7", ",Canary") for row in answered(1, 18)])
    status, told = check()
    assert status == 1
    assert "Sat (5), and 1 more" in told
    assert not [word for word in ("Waldburga", "Canary", "Wept") if word in told]


def test_the_newcomer_s_clinic_is_right_after_a_draft_one_edit_and_one_check(tmp_path, capsys):
    """Before: 72 lines of TOML, 9 runs, wrong numbers: 45 clients, and 225 of 238 responses matched to nothing."""
    place = open_place(tmp_path / "clinic")
    newcomer.deliver(place.exports)
    assert draft([str(path) for path in sorted(place.exports.iterdir())]) == 0
    drafted = capsys.readouterr().out
    edited = drafted.replace('time_zone = "UTC"', 'time_zone = "America/Chicago"')
    place.clinic.write_text(edited, encoding="utf-8")
    with few_tables():
        assert main(place.arguments(newcomer.AS_OF)) == 0
        told = capsys.readouterr().out
        place.night(newcomer.AS_OF)
    assert "Nothing is wrong with the files." in told
    assert place.ask("SELECT count(DISTINCT client_id) FROM history.appointments")[0] == (12,)
    assert place.ask("SELECT count(DISTINCT client_id) FROM history.responses")[0] == (12,)
    met = place.ask("""
        SELECT instrument, count(*), count(matched_by), sum(list_sum(answers))::DOUBLE
        FROM main.responses JOIN (SELECT response_id, answers FROM history.responses) USING (response_id)
        GROUP BY ALL""")
    assert {name: tuple(counts) for name, *counts in met} == newcomer.responses()
    changed = [line for line, new in zip(drafted.splitlines(), edited.splitlines(), strict=True) if line != new]
    assert len(changed) == 1
    assert len([line for line in edited.splitlines() if line and not line.startswith("#")]) <= 60
