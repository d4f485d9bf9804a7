"""Answers to risk items: a flag without a value, once each, that outlives its response and stands on no page."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rapport.warehouse.history.risk_answers import RISK_ANSWERS, confirm_file, keep_risk_answers
from rapport.warehouse.instruments import load_instruments
from rapport.warehouse.intake.delivery_order import list_arrivals
from rapport.warehouse.intake.staged_rows import enter
from rapport.warehouse.store.building_file import open_building
from tests.clinics.nights import CLINIC, RESPONSES, ROOT, Place, differences, open_place

INSTRUMENTS = load_instruments()
R1, R2, ANN, BOB = (f"00000000-0000-0000-0000-00000000000{n}" for n in range(1, 5))
SURVEYS = CLINIC.replace('[sources.appointments]\nfiles = "appointments_%Y-%m-%d*.csv"\n\n', "").replace(
    "licences", "quarantine_limit = 1.0\nlicences"
)


@pytest.fixture
def con(tmp_path):
    with open_building(tmp_path / "building.duckdb", tmp_path) as opened:
        yield opened


def at(day: int) -> datetime:
    return datetime(2026, 11, day, 12, tzinfo=UTC)


def file_of(day: int) -> str:
    return f"00000000-0000-0000-0000-0000000000{day:02d}"


def night(con, day: int, *rows: dict, is_passed_over: bool = False) -> None:
    """A night of one file, exported and read on a day of November, with these responses."""
    con.execute("DELETE FROM staged.responses; DELETE FROM staged.files")
    facts = {"load_id": day, "file_id": file_of(day), "source": "surveys", "exported_at": at(day), "first_load_id": day}
    facts |= {"first_modified": day, "is_passed_over": is_passed_over}
    enter(con, "staged.files", {**facts, "file_number": 1})
    usual = {"source": "surveys", "response_id": R1, "client_id": ANN, "instrument": "phq9", "rater": "client"}
    usual |= {"completed_at": at(1), "file_number": 1, "disposition": "loaded"}
    for number, row in enumerate(rows, start=1):
        enter(con, "staged.responses", {**usual, "row_id": number, "record_number": number, **row})
    list_arrivals(con)
    keep_risk_answers(con, INSTRUMENTS.values(), day, at(day))
    enter(con, "load.files", facts)


def phq9(item_9: float | None, item_1: float = 0) -> list[float | None]:
    return [item_1, 0, 0, 0, 0, 0, 0, 0, item_9]


def known(con, *columns: str) -> list[tuple]:
    return con.sql(f"SELECT {', '.join(columns)} FROM main.risk_answers ORDER BY ALL").fetchall()


@pytest.mark.parametrize(
    ("instrument", "item", "below", "reached"),
    [
        ("phq9", 9, 0, 1),
        ("phq_a_7_days", 9, 0, 1),
        ("phq_a_2_weeks", 9, 0, 3),
        ("core_10", 6, 0, 1),
        ("yp_core", 4, 0, 1),
        ("oq_45_2", 8, 0, 1),
        ("oq_45_2", 44, 1, 2),
    ],
)
def test_an_answer_at_the_threshold_is_noted_and_one_below_it_is_not(con, instrument, item, below, reached):
    answers = [0.0] * INSTRUMENTS[instrument].item_count
    for response, answer in ((R1, below), (R2, reached)):
        answers[item - 1] = answer
        night(con, 2, {"instrument": instrument, "response_id": response, "answers": answers})
    assert known(con, "response_id::VARCHAR", "instrument", "item", "load_id") == [(R2, instrument, item, 2)]


def test_every_risk_item_of_a_response_is_noted_by_itself_and_an_unanswered_one_is_not(con):
    answers = [None if item in (26, 32) else 2.0 for item in range(1, 46)]
    night(con, 2, {"instrument": "oq_45_2", "answers": answers})
    assert known(con, "item") == [(8,), (11,), (44,)]


def test_an_instrument_without_risk_items_tells_nothing(con):
    night(con, 2, {"instrument": "gad7", "answers": [3.0] * 7})
    assert known(con, "item") == []


def test_a_response_that_was_held_back_is_noted_and_says_so_even_without_client_rater_or_id(con):
    night(con, 2, {"client_id": None, "rater": "unknown", "answers": phq9(2), "disposition": "quarantined"})
    assert known(con, "client_id", "rater", "is_quarantined") == [(None, None, True)]
    rows = [{"response_id": None, "client_id": client, "answers": phq9(2)} for client in (ANN, BOB, BOB)]
    night(con, 3, *({**row, "disposition": "quarantined"} for row in rows))
    assert known(con, "response_id IS NULL", "client_id::VARCHAR")[:2] == [(False, None), (True, ANN)]
    assert len(known(con, "client_id")) == 3


def test_an_answer_off_its_range_is_noted_because_it_is_beyond_the_threshold(con):
    night(con, 2, {"answers": phq9(4), "disposition": "quarantined"})
    assert known(con, "item", "is_quarantined") == [(9, True)]


def test_identical_repeats_are_one_and_what_conflicting_rows_disagree_about_is_null(con):
    night(con, 2, {"answers": phq9(1)}, {"answers": phq9(1), "disposition": "duplicate"})
    assert known(con, "client_id::VARCHAR", "record_number") == [(ANN, 1)]
    held = {"response_id": R2, "answers": phq9(1), "disposition": "quarantined"}
    night(con, 3, held, {**held, "client_id": BOB, "completed_at": at(1)})
    assert known(con, "response_id::VARCHAR", "client_id::VARCHAR", "completed_at IS NULL")[1:] == [(R2, None, False)]


def test_a_re_export_adds_nothing_and_the_night_that_first_read_it_stays(con):
    for day in (2, 3, 4):
        night(con, day, {"answers": phq9(1)})
    assert known(con, "load_id", "loaded_at = '2026-11-02 12:00:00+00'", "file_id::VARCHAR") == [(2, True, file_of(4))]


def test_a_response_released_later_updates_the_flag_and_an_older_export_does_not(con):
    night(con, 3, {"answers": phq9(1, item_1=7), "disposition": "quarantined"})
    assert known(con, "is_quarantined") == [(True,)]
    night(con, 4, {"answers": phq9(1)})
    assert known(con, "load_id", "is_quarantined") == [(3, False)]
    night(con, 2, {"answers": phq9(1, item_1=7), "disposition": "quarantined"})
    assert known(con, "load_id", "is_quarantined") == [(3, False)]


def test_an_answer_corrected_by_a_later_export_stays_noted(con):
    night(con, 2, {"answers": phq9(1)})
    night(con, 3, {"answers": phq9(0)})
    assert known(con, "load_id") == [(2,)]


def test_a_file_read_again_in_which_the_answer_is_no_longer_read_takes_it_away(con):
    night(con, 2, {"answers": phq9(1)})
    night(con, 2, {"instrument": "gad7", "answers": [1.0] * 7})
    assert known(con, "load_id") == []


def test_a_copy_byte_for_byte_is_not_a_file_without_the_answer(con):
    night(con, 2, {"answers": phq9(1)})
    confirm_file(con, file_of(2), file_of(3), at(3))
    night(con, 3, is_passed_over=True)
    assert known(con, "load_id", "file_id::VARCHAR") == [(2, file_of(3))]


def test_no_value_and_no_score_is_kept_and_the_comment_says_that_nobody_watches():
    assert {column.type for column in RISK_ANSWERS.columns} <= {"id", "text", "integer", "instant", "date", "truth"}
    assert not {"value", "score", "answer", "answers"} & set(RISK_ANSWERS.column_names)
    assert "Rapport does not monitor risk" in RISK_ANSWERS.description


def test_no_question_no_page_and_no_computed_table_reads_risk_answers():
    # They keep it, mark the code that does, and describe it.
    may = {
        "flows/steps/compute.py",
        "flows/steps/read.py",
        "flows/steps/changed_definitions.py",
        "flows/reference/dictionary.py",
    }
    places = [*ROOT.glob("dashboards/**/*"), *ROOT.glob("transforms/**/*.py"), *ROOT.glob("flows/**/*.py")]
    texts = [path for path in places if path.suffix in (".sql", ".py", ".html") and path.is_file()]
    assert len([path for path in texts if path.suffix == ".sql"]) >= 3
    naming = {str(path.relative_to(ROOT)) for path in texts if re.search(r"risk_answers", _text(path), re.IGNORECASE)}
    assert naming <= may


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def surveys(place: Place, day: int, name: str = "", **answers: dict[int, object]) -> None:
    """PHQ-9 responses in a plain file: by client, all nothing but the items given."""
    rows = [
        f"R{client},{client},phq9,client,2026-11-{day:02d}T10:00,{item},{given.get(item, 0)}"
        for client, given in answers.items()
        for item in range(1, 10)
    ]
    place.deliver(f"responses_2026-11-{day + 1}{name}.csv", RESPONSES, rows)


def test_a_risk_answer_survives_the_rejection_of_its_response_and_is_the_same_the_next_time(tmp_path):
    place = open_place(tmp_path / "clinic", SURVEYS)
    surveys(place, 17, ann={9: 2}, bob={9: 1, 1: 8}, cat={})
    place.night("2026-11-18T12:00")
    asked = """SELECT client_id IN (SELECT client_id FROM responses), is_quarantined, item, instrument, rater,
        load_id, loaded_at = (SELECT as_of FROM load.current) FROM risk_answers ORDER BY ALL"""
    common = (9, "phq9", "client", 1, True)
    assert place.ask(asked) == [(False, True, *common), (True, False, *common)]
    before = shutil.copy(place.published, place.folder / "kept.duckdb")
    place.night("2026-11-18T12:00")
    assert differences(before, place.published) == {}
    comment = place.ask("SELECT comment FROM duckdb_tables() WHERE table_name = 'risk_answers'")[0][0]
    assert "Rapport does not monitor risk" in comment
    surveys(place, 18, name="_corrected", bob={9: 1})
    place.night("2026-11-19T12:00")
    assert place.ask("SELECT is_quarantined, load_id FROM risk_answers") == [(False, 1), (False, 1)]
