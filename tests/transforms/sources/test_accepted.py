"""What a clinic file accepts and holds decides what is scored; the table says why the rest is not."""

import polars as pl
import pytest

from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.errors import Unusable
from tests.clinics.answers import bands_of, row, scores_of
from tests.clinics.drawn import clinic, computed

ZONE = 'time_zone = "UTC"\n'


def told(declared, instrument: str) -> tuple[bool, str | None]:
    table = computed(declared)["instruments"].filter(instrument=instrument)
    return table.select("is_scored", "why_not_scored").row(0)


def test_a_licensed_questionnaire_is_scored_only_where_the_clinic_confirms_its_licence():
    without = clinic(licences=[])
    assert scores_of("srs", "9 9 9 9", without) == {}
    assert told(without, "srs") == (False, "clinic.toml does not confirm its licence (licences)")
    assert scores_of("srs", "9 9 9 9", clinic(licences=["srs"]))["total"]["score"] == 36.0
    assert told(clinic(licences=["srs"]), "srs") == (True, None)


def test_a_licence_is_needed_for_given_scores_too():
    drawn = "response_id | instrument | rater | given_scores\nr1 | srs | client | total 30"
    assert computed(clinic(licences=[]), responses=drawn)["scores"].height == 0


def test_its_responses_are_loaded_all_the_same():
    drawn = "response_id | instrument | rater | answers\nr1 | srs | client | 9 9 9 9"
    found = computed(clinic(licences=[]), responses=drawn)
    assert found["responses"].select("response_id", "is_complete").rows() == [("r1", True)]


def test_a_recalled_key_is_scored_only_where_the_clinic_accepts_it_by_name():
    answers = row(6, 4)
    assert scores_of("sai", answers, clinic()) == {}
    assert "recalled" in told(clinic(), "sai")[1]
    assert scores_of("sai", answers, clinic(accepted=["sai"]))["total"]["score"] == 4.0


def test_a_recalled_threshold_is_used_only_where_the_clinic_accepts_it_by_name():
    assert bands_of(30, "cors", "2017-01-01").height == 0
    accepted = bands_of(30, "cors", "2017-01-01", declared=clinic(accepted=["cors.child"]))
    assert accepted.select("threshold", "population", "is_case").rows() == [("child", "6-12, self", True)]


def test_to_accept_an_instrument_s_key_is_not_to_accept_its_thresholds():
    assert bands_of(30, "cors", "2017-01-01", declared=clinic(accepted=["cors"])).height == 0


def test_a_key_that_was_not_found_is_never_computed_and_a_given_score_is_taken():
    drawn = "response_id | instrument | rater | given_scores\nr1 | pear | client | total 41"
    found = computed(clinic(), responses=drawn)
    assert found["scores"].select("scale", "score", "basis", "pomp").rows() == [("total", 41.0, "given", None)]
    assert told(clinic(), "pear")[1].startswith("its key was not found")


def test_observers_ratings_arrive_given_scale_by_scale():
    """Elkin et al. 2014: four factors and a global item, never one number."""
    given = "positive_atmosphere 3, attentiveness 2, early_empathic_responding 2, negative_behaviour 1, global 4"
    drawn = f"response_id | instrument | rater | given_scores\nr1 | elkin_responsiveness | observer | {given}"
    found = computed(clinic(), responses=drawn)["scores"]
    assert dict(found.select("scale", "score").rows())["global"] == 4.0
    assert found.height == 5


def test_some_scales_of_an_instrument_may_be_scored_though_others_are_not():
    assert told(clinic(), "tasc_r") == (True, None)
    scales = computed(clinic())["scales"].filter(pl.col("instrument") == "tasc_r").select("scale", "is_scored").rows()
    assert dict(scales) == {"total": True, "bond": False, "task": False}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('licences = ["sr"]', "licences names 'sr', which no instrument file has; did you mean 'srs'"),
        ('accepted = ["cors.chld"]', r"accepted names 'cors.chld', .*; did you mean 'cors.child'"),
        ('accepted = "sai"', "'accepted' must be a list of texts"),
        ('licences = ["qqq"]', "INSTRUMENTS.md lists the names"),
    ],
)
def test_a_name_that_no_file_has_is_refused(tmp_path, line, reason):
    (tmp_path / "clinic.toml").write_text(ZONE + line, encoding="utf-8")
    with pytest.raises(Unusable, match=reason):
        read_clinic(tmp_path / "clinic.toml")


def test_the_names_are_kept_in_the_clinic(tmp_path):
    (tmp_path / "clinic.toml").write_text(ZONE + 'accepted = ["sai"]\nlicences = ["srs"]', encoding="utf-8")
    found = read_clinic(tmp_path / "clinic.toml")
    assert (found.accepted, found.licences) == (("sai",), ("srs",))
