"""Questions' front matter: what is refused, with the key that is wrong."""

import pytest

from rapport.dashboards.questions import load_questions, read_question

FRONT = {
    "title": '"T"',
    "question": '"How many?"',
    "answer": "\"sum(a_count) || ' came.'\"",
    "order": "1",
    "group": '"Engagement"',
    "audience": '"shared"',
    "filters": '["site"]',
    "chart": '{ kind = "bars", x = "site", y = "a_count" }',
    "alt": '"Bars."',
    "note": '"N."',
    "columns": '{ site = "The site.", a_count = "All.", b_count = "Some.", share = "A share." }',
    "derived": '{ share = "b_count / a_count" }',
    "disclosure": (
        '{ clients = "a_count", keys = ["site"], counts = ["a_count"], parts = { b_count = { of = "a_count" } } }'
    ),
}
NEEDED = ("title", "question", "answer", "order", "group", "audience", "chart", "alt", "note", "columns")
WRONG = [
    ("order", '"first"', "order is not a whole number"),
    ("audience", '"everyone"', "audience = 'everyone' is not one of shared"),
    ("audience", '"analysts"', "a shared question, and only a shared one"),
    ("filters", '["room"]', "filters names room"),
    ("filters", '["a_count"]', "no key of"),
    ("derived", '{ odds = "1" }', "derived names odds"),
    ("chart", '{ kind = "pie", x = "site", y = "a_count" }', "kind 'pie' is not one of line"),
    ("chart", '{ kind = "bars", x = "site" }', "a bars chart needs y"),
    ("chart", '{ kind = "bars", x = "site", y = "c_count" }', "the chart's y is 'c_count'"),
    ("chart", '{ kind = "bars", x = "site", y = "a_count", shadow = "site" }', "a bars chart has no shadow"),
    ("disclosure", '{ keys = ["site"] }', "has no key clients"),
    ("disclosure", '{ clients = "a_count", keys = ["site"], counts = ["a_count"] }', "does not name b_count"),
    ("disclosure", '{ clients = "n", keys = ["site"], counts = ["a_count", "b_count"] }', "uses n"),
    ("disclosure", '{ clients = "a_count", keys = ["site"], counts = ["a_count"], hide = true }', "unknown key hide"),
    (
        "disclosure",
        '{ clients = "a_count", keys = ["site"], counts = ["a_count"], behind = ["a_count", "b_count"] }',
        "names a_count twice",
    ),
    (
        "disclosure",
        '{ clients = "a_count", keys = ["site"], counts = ["a_count"], parts = { b_count = {} } }',
        "b_count lacks or does not take of",
    ),
]


def written(folder, **other):
    facts = {key: text for key, text in (FRONT | other).items() if text is not None}
    front = "\n".join(f"{key} = {text}" for key, text in facts.items())
    path = folder / "q.sql"
    path.write_text(f"/*\n{front}\n*/\nSELECT 'All' AS site, 3 AS a_count, 1 AS b_count;\n", encoding="utf-8")
    return path


def test_a_question_s_view_has_its_derived_columns_beside_those_of_its_query(tmp_path):
    asked = read_question(written(tmp_path))
    assert asked.view_query == (
        "SELECT *, b_count / a_count AS share FROM (SELECT 'All' AS site, 3 AS a_count, 1 AS b_count)"
    )
    assert asked.disclosure.numbers == ["a_count", "b_count"]


@pytest.mark.parametrize("key", NEEDED)
def test_front_matter_without_one_of_its_keys_is_refused(tmp_path, key):
    with pytest.raises(ValueError, match=rf"q.sql: .* it lacks or may not have {key}$"):
        read_question(written(tmp_path, **{key: None}))


@pytest.mark.parametrize(("key", "text", "said"), WRONG)
def test_front_matter_that_says_what_cannot_be_is_refused_with_the_reason(tmp_path, key, text, said):
    with pytest.raises(ValueError, match=f"q.sql: .*{said}"):
        read_question(written(tmp_path, **{key: text}))


def test_one_wrong_question_among_all_is_told_with_its_file_and_key(tmp_path):
    written(tmp_path, order='"first"')
    with pytest.raises(ValueError, match=r"^q\.sql: order is not a whole number$"):
        load_questions(tmp_path)


def test_the_questions_that_ship_are_read():
    assert load_questions()


def test_an_analysts_question_needs_no_disclosure(tmp_path):
    assert read_question(written(tmp_path, audience='"analysts"', disclosure=None)).disclosure is None
