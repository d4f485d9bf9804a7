"""The clinic's file: one line is enough."""

from datetime import timedelta

import pytest

from rapport.warehouse.clinic_file.clinic import Clinic, read_clinic
from rapport.warehouse.errors import Unusable

ZONE = 'time_zone = "America/Chicago"\n'
SOURCE = """
[sources.surveys]
format = "redcap"
files = "surveys_*.csv"
"""
FORM = """
[sources.surveys.forms.srs]
instrument = "srs"
rater = "client"
items = ["s1", "s2", "s3", "s4"]
"""


def clinic(tmp_path, text: str) -> Clinic:
    (tmp_path / "clinic.toml").write_text(text, encoding="utf-8")
    return read_clinic(tmp_path / "clinic.toml")


def test_one_line_declares_the_four_plain_sources_and_the_defaults(tmp_path):
    found = clinic(tmp_path, ZONE)
    assert [(s.name, s.format.name, s.records, s.files, s.time_zone, s.id_space) for s in found.sources] == [
        (kind, "plain", kind, f"{kind}*", "America/Chicago", "clinic")
        for kind in ("clients", "episodes", "appointments", "responses")
    ]
    assert (found.schedule.cron, found.quarantine_limit, found.not_treatment) == ("0 3 * * *", 0.2, ())


def test_a_source_may_have_its_own_zone_and_id_space_and_has_its_name_for_one_by_default(tmp_path):
    other = SOURCE.replace("surveys]", "others]") + 'time_zone = "Europe/London"\nid_space = "shared"\n'
    found = clinic(tmp_path, ZONE + SOURCE + other)
    assert [(s.time_zone, s.id_space) for s in found.sources] == [
        ("America/Chicago", "surveys"),
        ("Europe/London", "shared"),
    ]


def test_a_redcap_form_has_its_timestamp_unless_it_names_another_time(tmp_path):
    found = clinic(
        tmp_path, ZONE + SOURCE + FORM + FORM.replace("forms.srs", "forms.b") + "completed_on = 2026-03-01\n"
    )
    assert [(f.completed_at, f.completed_on) for f in found.sources[0].forms] == [
        ("srs_timestamp", None),
        (None, "2026-03-01"),
    ]


@pytest.mark.parametrize(
    ("every", "span"),
    [("1 day", timedelta(days=1)), ("12 hours", timedelta(hours=12)), ("2 weeks", timedelta(weeks=2))],
)
def test_how_often_a_source_comes_is_hours_days_or_weeks(tmp_path, every, span):
    assert clinic(tmp_path, ZONE + SOURCE + f'every = "{every}"').sources[0].every == span


def test_null_words_may_be_numbers(tmp_path):
    assert clinic(tmp_path, ZONE + SOURCE + 'nulls = [7, "NA"]').sources[0].nulls == ("7", "NA")


def test_a_clinics_own_instruments_are_found_beside_its_file(tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "bad.toml").write_text("title = 1", encoding="utf-8")
    with pytest.raises(Unusable, match=r"instrument file bad.toml"):
        clinic(tmp_path, ZONE + 'instruments = "own"')


def test_two_readings_of_a_section_are_equal_and_a_changed_section_is_not(tmp_path):
    one, same, other = (
        clinic(tmp_path, ZONE + SOURCE + more).sources[0].section for more in ("", "", 'nulls = ["NA"]')
    )
    assert one == same != other


def test_a_clinics_own_standard_deviations_are_read(tmp_path):
    assert clinic(tmp_path, ZONE + "[alliance_sd]\nsrs = 4\nwai_sr = 7.5\n").alliance_sd == {"srs": 4.0, "wai_sr": 7.5}
    assert clinic(tmp_path, ZONE).alliance_sd == {}


def test_the_years_in_which_a_record_may_lie_are_those_that_the_clinic_says(tmp_path):
    path = tmp_path / "clinic.toml"
    path.write_text('time_zone = "Europe/London"\nrecord_years_back = 80\nrecord_years_ahead = 5\n')
    clinic = read_clinic(path)
    assert (clinic.record_years_back, clinic.record_years_ahead) == (80, 5)
