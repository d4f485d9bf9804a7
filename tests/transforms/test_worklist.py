"""The worklist: whom a clinician should think of, since when, and how old the reason is; in the private tree alone."""

import csv
import io
import stat
from datetime import UTC, datetime

import duckdb
import polars as pl
import pytest

from rapport.flows.messages.spreadsheet_csv import csv_lines
from rapport.flows.pages.worklist import main
from rapport.transforms import worklist as listed
from tests.clinics.drawn import clinic, computed
from tests.clinics.nights import APPOINTMENTS, RESPONSES, but_for_finished_tables, open_place, writable

TODAY = datetime(2026, 6, 30, 3, tzinfo=UTC)
READ = ("appointments", "sessions", "alliance", "score_bands", "progress", "retention", "engagement")


def worklist(appointments: str, responses: str = "response_id", as_of: datetime = TODAY, **more: object) -> list[tuple]:
    """what, since_on and data_on of every line, as text."""
    births = "client_id | birth_date\nann | 1990-01-01"
    made = computed(appointments=appointments, responses=responses, births=births, as_of=as_of, **more)
    found = listed.worklist(**{name: made[name].lazy() for name in READ}, clinic=clinic(), as_of=as_of).collect()
    return [tuple(map(str, row)) for row in found.select("what", "since_on", "data_on").iter_rows()]


def sessions(*days: str, more: str = "") -> str:
    rows = [f"s{at} | {day} 15:00 | tom | attended" for at, day in enumerate(days)]
    return "\n".join(["session_id | starts_at | therapist_id | status", *rows, *([more] if more else [])])


def srs(*totals: float) -> str:
    rows = [f"r{at} | srs | client | s{at} | {' '.join([str(total / 4)] * 4)}" for at, total in enumerate(totals)]
    return "\n".join(["response_id | instrument | rater | appointment_session_id | answers", *rows])


@pytest.mark.parametrize(("total", "is_listed"), [(36, False), (35.6, True)])
def test_below_the_cut_off_and_not_at_it(total, is_listed):
    found = worklist(sessions("2026-06-22"), srs(total))
    assert found == ([(listed.BELOW, "2026-06-22", "2026-06-22")] if is_listed else [])


def test_since_when_is_the_first_of_the_run_below():
    days = ("2026-06-01", "2026-06-08", "2026-06-15", "2026-06-22")
    found = worklist(sessions(*days), srs(35.2, 38, 35.2, 35.2))
    assert found == [(listed.BELOW, "2026-06-15", "2026-06-22")]


def test_who_is_above_again_is_not_on_it():
    assert worklist(sessions("2026-06-15", "2026-06-22"), srs(35.2, 36)) == []


@pytest.mark.parametrize(("second", "is_listed"), [(39.2, False), (39, True)])
def test_a_fall_by_the_stated_step_of_one_point(second, is_listed):
    found = worklist(sessions("2026-06-15", "2026-06-22"), srs(40, second))
    assert found == ([(listed.FELL, "2026-06-22", "2026-06-22")] if is_listed else [])


@pytest.mark.parametrize(("last", "is_listed"), [("2026-06-16", True), ("2026-06-15", False)])
def test_seen_within_fourteen_days(last, is_listed):
    assert bool(worklist(sessions(last), srs(30))) == is_listed


@pytest.mark.parametrize(("due", "is_listed"), [("2026-07-07", True), ("2026-07-08", False)])
def test_or_due_within_seven(due, is_listed):
    ahead = f"next | {due} 15:00 | tom | scheduled"
    assert bool(worklist(sessions("2026-06-01", more=ahead), srs(30))) == is_listed


def test_reliably_worse_is_not_on_track():
    responses = """
        response_id | instrument | rater  | appointment_session_id | answers
        r1          | core_10    | client | s0                     | 1 4 4 1 1 1 1 1 1 1
        r2          | core_10    | client | s1                     | 2 4 4 2 2 2 2 2 2 2
        """
    found = worklist(sessions("2026-06-15", "2026-06-22"), responses)
    assert found == [(listed.NOT_ON_TRACK, "2026-06-22", "2026-06-22")]


@pytest.mark.parametrize(("as_of", "is_listed"), [("2026-07-22", False), ("2026-07-23", True), ("2026-09-21", False)])
def test_out_of_contact_after_thirty_days_without_a_booking_until_the_episode_is_over(as_of, is_listed):
    """Seen weekly until 22 June: 30 days are up on 22 July, and the episode is over after 90."""
    today = datetime.fromisoformat(as_of).replace(hour=3, tzinfo=UTC)
    found = worklist(sessions("2026-06-15", "2026-06-22"), as_of=today)
    assert found == ([(listed.OUT_OF_CONTACT, "2026-06-22", "2026-06-22")] if is_listed else [])


def test_who_comes_monthly_is_out_of_contact_after_two_months():
    days = ("2026-02-02", "2026-03-04", "2026-04-03")  # gaps of 30 days
    for as_of, is_listed in (("2026-06-02", False), ("2026-06-03", True)):
        today = datetime.fromisoformat(as_of).replace(hour=3, tzinfo=UTC)
        assert bool(worklist(sessions(*days), as_of=today)) == is_listed


def test_who_has_a_booking_is_in_contact():
    ahead = "next | 2026-08-03 15:00 | tom | scheduled"
    today = datetime(2026, 7, 30, tzinfo=UTC)
    assert worklist(sessions("2026-06-15", "2026-06-22", more=ahead), as_of=today) == []


def test_an_answer_to_a_risk_item_puts_nobody_on_it_and_keeps_nobody_off():
    calm = sessions("2026-06-15", "2026-06-22")
    answered = """
        response_id | instrument | rater  | appointment_session_id | answers
        r1          | phq9       | client | s0                     | 1 1 1 1 1 1 1 1 {}
        r2          | phq9       | client | s1                     | 1 1 1 1 1 1 1 1 {}
        """
    assert worklist(calm, answered.format(0, 0)) == worklist(calm, answered.format(3, 3)) == []


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = open_place(tmp_path_factory.mktemp("listed") / "clinic")
    made.deliver("appointments_2026-11-18.csv", APPOINTMENTS, ["A1,MRN-7,2026-11-16T10:00,attended,Dr-T"])
    rows = [f"R1,MRN-7,srs,client,2026-11-16T10:50,{item},7" for item in (1, 2, 3, 4)]
    made.deliver("responses_2026-11-18.csv", RESPONSES, rows)
    made.night("2026-11-18T12:00")
    return made


def written(place) -> list[dict]:
    """The file as a CSV reader that knows nothing of it reads it."""
    with (place.warehouse / "private/worklist.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_night_writes_it_with_record_numbers_for_the_night_s_user_alone(place):
    rows = written(place)
    assert [(row["therapist"], row["record_number"], row["what"], row["score"]) for row in rows] == [
        ("Dr-T", "MRN-7", listed.BELOW, "28.0")
    ]
    assert (rows[0]["since"], rows[0]["data_age_days"], rows[0]["as_of"]) == ("2026-11-16", "2", "2026-11-18 12:00")
    assert stat.S_IMODE((place.warehouse / "private/worklist.csv").stat().st_mode) == 0o600
    assert place.leftovers() == []


def test_its_first_line_has_the_columns_names_and_says_that_rapport_does_not_monitor_risk(place):
    """However few are listed: the sentence is the last column's name."""
    *names, notice = written(place)[0]
    assert names == [
        *("therapist", "id_space", "record_number", "what", "instrument", "rater", "rater_number", "score", "since"),
        *("data_age_days", "as_of"),
    ]
    assert notice.startswith("Rapport does not monitor risk. Nobody is on this list, or off it, because of an answer")
    assert pl.read_csv(place.warehouse / "private/worklist.csv").shape == (1, 12)


FORMULAS = ["=HYPERLINK(1)", "+49", "-5", "@SUM(1)", "\tx", "\rx", "\nx", "\uff1d1"]


@pytest.mark.parametrize("number", FORMULAS)
def test_a_text_that_would_begin_a_formula_is_behind_an_apostrophe_and_a_number_is_not(number):
    text = csv_lines([["record_number", "score"], [number, -5.5], ["MRN-7", None]])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [["record_number", "score"], [f"'{number}", "-5.5"], ["MRN-7", ""]]


def test_the_list_of_a_record_number_that_is_a_formula_runs_nothing(tmp_path):
    place = open_place(tmp_path / "clinic")
    formula = "\"=cmd|' /C calc'!A0\""
    place.deliver("appointments_2026-11-18.csv", APPOINTMENTS, [f"A1,{formula},2026-11-16T10:00,attended,@Dr-T"])
    rows = [f"R1,{formula},srs,client,2026-11-16T10:50,{item},7" for item in (1, 2, 3, 4)]
    place.deliver("responses_2026-11-18.csv", RESPONSES, rows)
    place.night("2026-11-18T12:00", but_for_finished_tables)
    assert [(row["therapist"], row["record_number"][:6]) for row in written(place)] == [("'@Dr-T", "'=cmd|")]


def test_the_command_writes_the_same_list_again_and_tells_nothing_of_it(place, capsys):
    before = (place.warehouse / "private/worklist.csv").read_text(encoding="utf-8")
    (place.warehouse / "private/worklist.csv").unlink()
    assert main(["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]) == 0
    assert (place.warehouse / "private/worklist.csv").read_text(encoding="utf-8") == before
    told = capsys.readouterr().out
    assert "1 line." in told
    assert "MRN-7" not in told


def test_before_the_first_night_the_command_says_what_to_do(tmp_path, capsys):
    place = open_place(tmp_path / "clinic")
    assert main(["--clinic", str(place.clinic), "--warehouse", str(place.warehouse)]) == 2
    assert "run a night first" in capsys.readouterr().err


def test_it_is_no_table_and_no_column_of_it_is_in_the_analysts_file(place):
    assert place.ask("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE '%worklist%'") == [(0,)]
    found = pl.DataFrame({"one": [str(row) for row in place.ask("SELECT * FROM sessions")]})
    assert not found["one"].str.contains("MRN-7").any()


def test_of_a_file_that_another_version_of_rapport_wrote_it_is_not_made_until_a_night_has_run(place, tmp_path, capsys):
    older = place.copied_to(tmp_path / "older")
    with duckdb.connect(str(writable(older.published.resolve()))) as con:
        con.execute("ALTER TABLE sessions DROP COLUMN client_session_number")
    assert main(["--clinic", str(older.clinic), "--warehouse", str(older.warehouse)]) == 1
    assert "run a night, which makes it" in capsys.readouterr().err
