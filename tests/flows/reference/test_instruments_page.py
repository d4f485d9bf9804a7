"""The page about questionnaires is written from their files, and says what they say."""

from rapport.flows.reference.instruments_page import PAGE, page
from rapport.warehouse.instruments import load_instruments


def test_the_page_is_what_the_files_say():
    assert PAGE.read_text(encoding="utf-8") == page(), "run rapport instruments-page"


def test_every_questionnaire_scale_and_threshold_is_on_it():
    text = page()
    for instrument in load_instruments().values():
        assert f"## {instrument.name}\n" in text
        facts = (*instrument.scales, *instrument.thresholds, *instrument.changes)
        assert all(f"\n| {fact.name} " in text for fact in facts), instrument.name
