"""A questionnaire's name that leaves its version open is refused by a rule of its own, and never guessed."""

import pytest

from rapport.expectations.responses import added
from rapport.warehouse.clinic_file.clinic import read_clinic
from rapport.warehouse.errors import Unusable
from rapport.warehouse.instruments import load_instruments
from rapport.warehouse.instruments.versions import NO_VERSION, VERSIONLESS, versionless
from tests.clinics.nights import RESPONSES, ROOT, open_place
from tests.clinics.reading import Reading

INSTRUMENTS = load_instruments()
HEAD = "response_id|client_id|instrument|rater|completed_at|item|value"
WIDE = """time_zone = "UTC"
[sources.surveys]
format = "wide"
files = "surveys.csv"
id_space = "surveys"
client_id = "patient"
instrument = "{name}"
rater = "client"
items = ["q1"]
"""


def test_every_name_without_a_version_stands_for_two_instruments_or_more_and_is_none_itself():
    for name, versions in VERSIONLESS.items():
        assert name not in INSTRUMENTS
        assert len(versions) > 1
        assert set(versions) <= set(INSTRUMENTS), name


@pytest.mark.parametrize("name", ["wai", "WAI_short", "wai_12", "k10", "phq_a", "rcads", "sdq"])
def test_such_a_name_in_plain_responses_is_marked_and_another_unknown_one_is_unknown(tmp_path, name):
    drawn = f"{HEAD}\nr1 | c1 | {name} | client | 2026-03-02 | 1 | 5\nr2 | c1 | wai_x | client | 2026-03-02 | 1 | 5"
    found = Reading(tmp_path, "", drawn, "responses").rows("responses").sort("response_id")
    assert found["instrument"].to_list() == [NO_VERSION, "unknown"]
    assert found["answers"].to_list() == [None, None]


def test_a_clinics_own_file_of_that_name_makes_it_a_questionnaire():
    assert "k10" in versionless(INSTRUMENTS)
    assert "k10" not in versionless([*INSTRUMENTS, "k10"])


def test_a_form_of_such_a_name_is_refused_with_the_names_to_use(tmp_path):
    (tmp_path / "clinic.toml").write_text(WIDE.format(name="wai_short"), encoding="utf-8")
    with pytest.raises(Unusable, match="'wai_short' does not name the version; write one of wai_sr, wai_s"):
        read_clinic(tmp_path / "clinic.toml")


def test_the_rule_stands_beside_that_of_unknown_instruments():
    assert [rule.name for rule in added(INSTRUMENTS)][:2] == ["instrument_unknown", "instrument_version_missing"]


def test_the_pages_say_which_names_to_use():
    page = (ROOT / "INSTRUMENTS.md").read_text(encoding="utf-8")
    for name, versions in VERSIONLESS.items():
        assert f"| {name} | {', '.join(versions)} |" in page
    assert "instrument_version_missing" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_a_night_holds_such_responses_back_by_that_rule_alone(tmp_path):
    place = open_place(tmp_path / "clinic", 'time_zone = "UTC"\nquarantine_limit = 1.0\n')
    rows = [f"R{n},C1,{name},client,2026-11-17,1,3" for n, name in enumerate(("wai", "k10", "nonsense", "wai_sr"))]
    place.deliver("responses.csv", RESPONSES, rows)
    place.night("2026-11-18T12:00")
    held = "SELECT record_number, rule, column_name FROM load.quarantine ORDER BY ALL"
    missing, unknown = ("instrument_version_missing", "instrument"), ("instrument_unknown", "instrument")
    assert place.ask(held) == [(1, *missing), (2, *missing), (3, *unknown)]
    assert place.ask("SELECT instrument FROM responses") == [("wai_sr",)]
