"""Shapes of values that may be shown, and the words that may be shown as they are."""

import polars as pl
import pytest

from rapport.flows.check.shapes import common_words, shape_of, shapes_of


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("14/03/2026", "99/99/9999"),
        ("5:30 PM", "9:99 AA"),
        ("53 mins", "99 A…"),
        ("n/a", "A/A"),
        ("Brambleworth, A.", "A…, A."),
        ("Ångström", "A…"),
        ("٢٠٢٦", "9999"),
        ("№ 7", "· 9"),
        (" 7 ", "9"),
        ("", ""),
        ("1" * 40, "9" * 23 + "…"),
    ],
)
def test_letters_become_a_and_digits_9_and_a_word_s_length_is_not_told(text, shape):
    assert shape_of(text) == shape


def test_the_three_commonest_shapes_are_told():
    assert shapes_of(["1", "2", "a", "b", "c", "1-1", "a-a"]) == ["A", "9", "9-9"]


def cells(*rows: tuple[str, int, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["text", "record", "client"], orient="row")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("Kept", n, f"C{n}") for n in range(3)], [("Kept", 3)]),
        ([("Kept", n, f"C{n}") for n in range(2)], []),  # two records
        ([("Kept", n, "C1") for n in range(9)], []),  # one client
        ([("Kept", n, f"C{n}") for n in range(3)] + [("Wept", 4, "C4")], [("Kept", 3)]),
        ([(f"word {n}", n, f"C{n}") for n in range(31)], None),  # a column of many words may be of notes
    ],
)
def test_a_word_is_shown_where_three_records_of_three_clients_have_it(rows, words):
    assert common_words(cells(*rows)) == words
