"""A question whose front matter is wrong is told with its file and key, and not as a fault of Rapport."""

import pytest

from rapport.flows.reference import dictionary
from rapport.flows.steps import publish
from rapport.warehouse.errors import Unusable

MAKERS = {
    publish: lambda: publish.make_views(None, None),
    dictionary: dictionary.page,
}


@pytest.mark.parametrize("module", MAKERS)
def test_a_question_that_cannot_be_read_is_named_with_its_key(monkeypatch, module):
    def load_questions():
        raise ValueError("gaps.sql: order is not a whole number")

    monkeypatch.setattr(module, "load_questions", load_questions)
    with pytest.raises(Unusable, match=r"^question gaps\.sql: order is not a whole number$"):
        MAKERS[module]()
