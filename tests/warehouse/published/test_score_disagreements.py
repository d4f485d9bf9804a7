"""A stored total that disagrees with its items: computed again, both kept, counted."""

import duckdb

from rapport.warehouse.published.views_and_comments import VIEWS
from rapport.warehouse.store.frames import Stream, fetch
from tests.clinics.drawn import computed, lines, seen


def disagreements(responses: str, like: str) -> list[str]:
    scores = Stream(computed(responses=responses)["scores"])  # noqa: F841  DuckDB finds it by its name
    (view,) = (view for view in VIEWS if view.name == "score_disagreements")
    with duckdb.connect() as con:
        con.execute("CREATE TABLE main.scores AS FROM scores")
        assert [column.name for column in view.columns] == con.sql(view.query).columns
        return seen(fetch(con, view.query), like)


def test_a_given_total_that_its_items_do_not_add_up_to_is_shown_beside_the_computed_one():
    expected = """
        response_id | instrument | scale | given_score | computed_score | difference
        r2          | phq9       | total | 12          | 9              | 3
        """
    responses = """
        response_id | instrument | rater  | answers           | given_scores
        r1          | phq9       | client | 1 1 1 1 1 1 1 1 1 | total 9
        r2          | phq9       | client | 1 1 1 1 1 1 1 1 1 | total 12
        r3          | phq9       | client | 1 1 1 1 1 1 1 1 1 |
        r4          | phq9       | client | - - - - - - - - - | total 12
        """
    assert disagreements(responses, expected) == lines(expected)


def test_a_given_total_of_too_few_answers_is_shown_without_a_difference():
    """CamCOPS adds up what there is: five items missing still give a 'total' and a band."""
    expected = "response_id | given_score | computed_score | difference\nr1 | 8 | |"
    responses = """
        response_id | instrument | rater  | answers           | given_scores
        r1          | phq9       | client | 2 2 2 2 - - - - - | total 8
        """
    assert disagreements(responses, expected) == lines(expected)


def test_what_two_decimals_round_away_is_no_disagreement():
    responses = """
        response_id | instrument | rater  | answers         | given_scores
        r1          | srs        | client | 9.1 8.7 9.2 9.0 | total 36.004
        r2          | srs        | client | 9.1 8.7 9.2 9.0 | total 36.01
        """
    expected = "response_id | difference\nr2 | 0.01"
    assert disagreements(responses, expected) == lines(expected)
