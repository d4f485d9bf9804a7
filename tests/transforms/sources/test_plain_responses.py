"""Plain responses: one record per item becomes one row per response."""

from tests.clinics.drawn import lines, seen
from tests.clinics.reading import Reading

HEAD = "response_id|client_id|instrument|rater|completed_at|item|value"


def responses(tmp_path, drawn: str) -> Reading:
    return Reading(tmp_path, "", drawn, "responses")


def test_items_come_in_any_order_and_land_by_their_published_number(tmp_path):
    found = responses(
        tmp_path,
        f"""
{HEAD}
r1 | c1 | srs | Client | 2026-03-02 15:50 | 3 | 9.2
r2 | c1 | SRS | client | 2026-03-09       | 1 | 5
r1 | c1 | srs | client | 2026-03-02 15:50 | 1 | 9.1
r1 | c1 | srs | client | 2026-03-02 15:50 | 4 | 9
r1 | c1 | srs | client | 2026-03-02 15:50 | 2 |
""",
    )
    rows = found.rows("responses")
    assert [[None if a is None else round(a, 1) for a in answers] for answers in rows["answers"]] == [
        [9.1, None, 9.2, 9.0],
        [5.0, None, None, None],
    ]
    expected = """
        response_id | instrument | rater  | record_number | record_count | completed_at     | completed_on | unreadable
        r1          | srs        | client | 1             | 4            | 2026-03-02 21:50 | 2026-03-02   |
        r2          | srs        | client | 2             | 1            |                  | 2026-03-09   |
        """
    assert seen(rows, expected) == lines(expected)


def test_an_item_repeated_with_one_value_is_that_value_and_with_two_values_it_is_named(tmp_path):
    found = responses(
        tmp_path,
        f"""
{HEAD}
r1 | c1 | srs | client | 2026-03-02 | 1 | 9
r1 | c1 | srs | client | 2026-03-02 | 1 | 9
r2 | c1 | srs | client | 2026-03-03 | 1 | 9
r2 | c1 | srs | client | 2026-03-03 | 1 | 8
""",
    )
    expected = "response_id | record_count | unreadable\nr1 | 2 |\nr2 | 2 | item"
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_an_item_that_the_instrument_does_not_have_is_unknown_whatever_it_says(tmp_path):
    found = responses(
        tmp_path,
        f"""
{HEAD}
r1 | c1 | srs | client | 2026-03-02 | 5          | 9
r2 | c1 | srs | client | 2026-03-02 | 0          | 9
r3 | c1 | srs | client | 2026-03-02 | Ms Smith's | 9
r4 | c1 | srs | client | 2026-03-02 | bond       | 9
r5 | c1 | srs | client | 2026-03-02 |            | 9
r6 | c1 | srs | client | 2026-03-02 | 4          | 9
r6 | c1 | srs | client | 2026-03-02 | 5          | 9
""",
    )
    expected = "response_id | item_word\n" + "\n".join(f"r{n} | unknown" for n in range(1, 7))
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_a_scale_or_total_is_a_score_that_arrives_already_made(tmp_path):
    found = responses(
        tmp_path,
        f"""
{HEAD}
r1 | c1 | wai_sr | client | 2026-03-02 | Total | 50
r1 | c1 | wai_sr | client | 2026-03-02 | bond  | 17
r2 | c1 | srs    | client | 2026-03-02 | total | 36
r2 | c1 | srs    | client | 2026-03-02 | 1     | 9
""",
    )
    expected = """
        response_id | given_scores     | answers                 | item_word
        r1          | total 50 bond 17 | - - - - - - - - - - - - |
        r2          | total 36         | 9 - - -                 |
        """
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_values_and_times_that_cannot_be_read_are_named_once(tmp_path):
    found = responses(
        tmp_path,
        f"""
{HEAD}
r1 | c1 | srs | client | 2026-03-02 | 1 | nine
r1 | c1 | srs | client | 2026-03-02 | 2 | ten
r2 | c1 | srs | client | 2 March    | 1 | 9
r3 | c1 | srs | client |            | 1 | 9
""",
    )
    expected = """
        response_id | answers | unreadable
        r1          | - - - - | value
        r2          | 9 - - - | completed_at
        r3          | 9 - - - | completed_at
        """
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_rows_of_one_response_that_disagree_become_two_rows_of_one_id(tmp_path):
    found = responses(
        tmp_path,
        f"""
{HEAD}
r1 | c1 | srs | client    | 2026-03-02 | 1 | 9
r1 | c2 | srs | client    | 2026-03-02 | 2 | 9
r2 | c1 | srs | client    | 2026-03-02 | 1 | 9
r2 | c1 | ors | client    | 2026-03-02 | 2 | 9
""",
    )
    expected = """
        response_id | client_id | instrument | answers
        r1          | c1        | srs        | 9 - - -
        r1          | c2        | srs        | - 9 - -
        r2          | c1        | srs        | 9 - - -
        r2          | c1        | ors        | - 9 - -
        """
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_an_unknown_instrument_or_rater_is_unknown_and_a_blank_id_stays_blank(tmp_path):
    found = responses(
        tmp_path,
        f"""
{HEAD}
r1 | c1 | aunt's | client | 2026-03-02 | 1 | 9
r2 | c1 | srs    | aunt   | 2026-03-02 | 1 | 9
   | c1 | srs    | client | 2026-03-02 | 1 | 9
   | c1 | srs    | client | 2026-03-02 | 2 | 9
r3 |    | srs    | client | 2026-03-02 | 1 | 9
""",
    )
    expected = """
        response_id | client_id | instrument | rater   | answers
        r1          | c1        | unknown    | client  |
        r2          | c1        | srs        | unknown | 9 - - -
                    | c1        | srs        | client  | 9 - - -
                    | c1        | srs        | client  | - 9 - -
        r3          |           | srs        | client  | 9 - - -
        """
    assert seen(found.rows("responses"), expected) == lines(expected)


def test_a_goal_is_written_with_its_number_and_whose_it_is(tmp_path):
    """Goal-Based Outcomes: `goal:1`, and an optional column `about`; a word that is no owner becomes other."""
    found = responses(
        tmp_path,
        f"""
{HEAD}|about
r1 | c1 | gbo | client | 2026-03-02 | goal:1 | 3 | Client
r1 | c1 | gbo | client | 2026-03-02 | goal:3 | 5 | Mr Smith's
r1 | c1 | gbo | client | 2026-03-02 | goal:2 | 4 |
r2 | c1 | gbo | client | 2026-03-09 | 1      | 6 |
r3 | c1 | srs | client | 2026-03-09 | goal:1 | 6 |
""",
    )
    rows = found.rows("responses").sort("record_number")
    assert rows["goal_owners"].to_list() == [["client", None, "other"], None, None]
    assert [answers[:3] for answers in rows["answers"].to_list()] == [[3, 4, 5], [6, None, None], [None] * 3]
    assert rows["item_word"].to_list() == [None, None, "unknown"]


def test_without_the_column_about_nobody_owns_a_goal(tmp_path):
    found = responses(tmp_path, f"{HEAD}\nr1 | c1 | gbo | client | 2026-03-02 | goal:1 | 3")
    assert found.rows("responses")["goal_owners"].to_list() == [None]
