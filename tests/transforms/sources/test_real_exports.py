"""Nights on real exports (shared/real beside the checkout); skipped, saying so, where that folder is absent."""

import json
from pathlib import Path

import pytest

from rapport.flows.night import night
from rapport.flows.order import place_order
from rapport.flows.private.key import make_key
from rapport.warehouse.store.building_file import in_utc
from rapport.warehouse.store.opening import open_file
from tests.clinics.few_tables import few_tables
from tests.clinics.nights import but_for_pages
from tests.clinics.reading import Reading
from tests.clinics.real_clinics import CLINICS, INSTRUMENTS

REAL = Path(__file__).resolve().parents[4] / "shared" / "real"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="skipped: no real exports")


@pytest.fixture
def published(tmp_path):
    """Run a night of few tables on a real folder under a clinic file of ours, and open what it published."""

    def run(folder: str, clinic: str):
        (tmp_path / "instruments").mkdir()
        for name, text in INSTRUMENTS.items():
            (tmp_path / "instruments" / f"{name}.toml").write_text(text, encoding="utf-8")
        file = tmp_path / "clinic.toml"
        file.write_text(clinic, encoding="utf-8")
        order = place_order(REAL / folder, file, tmp_path / "warehouse", "2026-11-22T03:00")
        make_key(order.folders)
        with few_tables("item_responses"):
            night(order, run=but_for_pages)
        return in_utc(open_file(order.folders.published, read_only=True))

    return run


def test_there_is_a_clinic_file_for_every_real_redcap_project():
    assert sorted(CLINICS) == sorted(folder.name for folder in (REAL / "redcap").iterdir())


@pytest.mark.parametrize("project", sorted(CLINICS))
def test_a_night_loads_each_real_redcap_project_and_its_books_balance(published, project):
    clinic, responses, items, total = CLINICS[project]
    with published(f"redcap/{project}", clinic) as con:
        found = con.sql("SELECT count(*), round(sum(value), 4) FROM item_responses").fetchone()
        assert (con.sql("SELECT count(*) FROM responses").fetchone()[0], *found) == (responses, items, total)
        assert con.sql("SELECT count(*) FROM load.quarantine").fetchone() == (0,)


def test_multilevel_model_1_has_200_repeats_whose_first_items_sum_to_955_6(published):
    clinic = CLINICS["multilevel-model-1"][0]
    with published("redcap/multilevel-model-1", clinic) as con:
        sums = "SELECT count(*), round(sum(value), 1) FROM item_responses WHERE instrument = 'cog' AND item = 1"
        assert con.sql(sums).fetchone() == (200, 955.6)
        ledger = "SELECT record_count, header_count, ignored_count, loaded_count FROM load.files"
        assert con.sql(ledger).fetchone() == (221, 1, 20, 200)


def test_the_guarded_negative_numbers_of_multilevel_model_1_are_read(published):
    with published("redcap/multilevel-model-1", CLINICS["multilevel-model-1"][0]) as con:
        slopes = "SELECT count(*), round(sum(value), 2) FROM item_responses WHERE instrument = 'slope'"
        assert con.sql(slopes).fetchone() == (200, -12.32)


def test_nhanes_phq9_in_the_wide_format(published):
    clinic = """
        time_zone = "America/New_York"
        [sources.nhanes]
id_space = "nhanes"
        format = "wide"
        files = "DPQ_J.csv"
        client_id = "SEQN"
        instrument = "phq9"
        rater = "client"
        completed_on = 2018-01-01
        nulls = ["7", "9"]
        items = ["DPQ010", "DPQ020", "DPQ030", "DPQ040", "DPQ050", "DPQ060", "DPQ070", "DPQ080", "DPQ090"]
        """
    with published("nhanes", clinic) as con:
        records = con.sql("SELECT record_count - header_count FROM load.files").fetchone()
        scored = "SELECT count(score), sum(score), count(*) FILTER (score >= 10) FROM scores"
        assert records == (5533,)
        assert con.sql(scored).fetchone() == (5068, 16426, 459)


def test_values_before_validation_are_named_as_unreadable_and_never_read(published):
    clinic = CLINICS["potentially-problematic-values"][0].replace("form_1_complete", "integer_before_validation")
    with published("redcap/potentially-problematic-values", "quarantine_limit = 1.0\n" + clinic) as con:
        held = "SELECT record_number, rule, column_name FROM load.quarantine ORDER BY ALL"
        assert con.sql(held).fetchall() == [(n, "unreadable", "integer_before_validation") for n in (1, 2)]
        assert con.sql("SELECT count(*) FROM responses").fetchone() == (0,)


# How often, from never to always: the answers that the sheet writes in words.
OFTEN = {"从来没有": 1, "偶尔如此": 2, "有时如此": 3, "经常如此": 4, "总是如此": 5}


def test_a_wai_questionnaire_in_a_spreadsheet_is_read_without_the_attention_checks_between_its_items(published):
    items = [f"#{place}" for place in range(4, 18) if place not in (12, 15)]
    clinic = f"""
        time_zone = "Asia/Shanghai"
        [sources.wai]
id_space = "wai"
        format = "wide"
        files = "*.xlsx"
        client_id = "#2"
        response_id = ["#2", "week"]
        instrument = "wai_sr"
        rater = "client"
        completed_on = 2024-01-01
        items = {json.dumps(items)}
        points = {{ {", ".join(f'"{word}" = {point}' for word, point in OFTEN.items())} }}
        """
    with published("wai_layout", clinic) as con:
        found = "SELECT count(DISTINCT response_id), count(*), sum(value)::INTEGER FROM item_responses"
        assert con.sql(found).fetchone() == (80, 960, 3364)
        assert con.sql("SELECT record_count, header_count, loaded_count FROM load.files").fetchone() == (81, 1, 80)


def test_suddengains_untidy_names_are_read_by_place_563_scores_in_fifteen_columns(published):
    forms = "".join(
        f"""
        [sources.gains.forms.session_{n}]
        client_id = "id"
        instrument = "inventory"
        rater = "client"
        completed_on = 2019-01-{n:02d}
        scores = {{ total = "#{n + 1}" }}"""
        for n in range(1, 16)
    )
    clinic = f"""
        time_zone = "Europe/London"
        instruments = "instruments"
        [sources.gains]
id_space = "gains"
        format = "wide"
        files = "sgdata_bad.csv"
        {forms}"""
    with published("suddengains", clinic) as con:
        found = con.sql("SELECT count(*), sum(score)::INTEGER, count(DISTINCT client_id) FROM scores").fetchone()
        assert found == (563, 12082, 43)


def test_synthea_has_1215_encounters_of_13_patients_all_finished_and_its_log_is_passed_over(published):
    clinic = """
        time_zone = "America/Chicago"
        record_years_back = 120
        [sources.record]
        format = "fhir"
        files = "*.ndjson"
        """
    with published("synthea", clinic) as con:
        found = "SELECT count(*), count(*) FILTER (status = 'attended'), count(DISTINCT client_id) FROM appointments"
        assert con.sql(found).fetchone() == (1215, 1215, 13)
        books = "SELECT record_count, ignored_count, loaded_count FROM load.files ORDER BY record_count"
        assert con.sql(books).fetchall() == [(4, 4, 0), (13, 0, 13), (43, 43, 0), (1215, 0, 1215)]


@pytest.mark.parametrize(("file", "item"), [("sample.csv", "QID1"), ("sample_legacy.csv", "Q1")])
def test_qualtrics_samples_have_one_response_each(tmp_path, file, item):
    clinic = f"""
        [sources.survey]
        format = "qualtrics"
        files = "*"
        client_id = "LocationLatitude"
        instrument = "one"
        rater = "client"
        items = ["{item}"]
        """
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "one.toml").write_text(INSTRUMENTS["one"], encoding="utf-8")
    data = (REAL / "qualtrics" / file).read_bytes()
    rows = Reading(tmp_path, f'instruments = "own"\n{clinic}', data, "survey").rows("responses")
    assert rows.select("response_id", "answers", "is_partial").rows() == [("R_2YPOQ602ER1jkf1", [2.0], False)]


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("r4-appointment-example", [("example", "example", "example", "scheduled")]),  # booked, never confirmed
        ("r4-appointment-examplereq", []),  # a wish without a time
        ("r5-AppointmentWithCodingFromFragmentCS", []),
        ("r4-appointmentresponse-example", []),
        ("r4-encounter-example", [("example", "example", None, "attended")]),  # no period: the rules hold it back
        ("r4-questionnaireresponse-example-bluebook", []),  # nothing that the clinic file asks for
    ],
)
def test_fhir_examples_are_read_or_ignored(tmp_path, file, told):
    data = (REAL / "fhir" / f"{file}.json").read_bytes()
    found = Reading(tmp_path, '[sources.record]\nformat = "fhir"\nfiles = "*"\n', data, "record")
    rows = found.rows("appointments")
    assert (
        told == []
        if rows.is_empty()
        else rows.select("appointment_id", "client_id", "therapist_id", "status").rows() == told
    )
    assert found.opened.record_count == 1
