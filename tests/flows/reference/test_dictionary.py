"""The data dictionary is written from the facts, and says what the facts say."""

from rapport.flows.reference.dictionary import PAGE, page


def test_the_page_is_what_the_facts_say():
    assert PAGE.read_text(encoding="utf-8") == page(), "run rapport dictionary"
