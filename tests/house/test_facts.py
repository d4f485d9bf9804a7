"""Completeness: every table, column, instrument and question is described, and a name means one thing."""

import re
from collections import defaultdict
from dataclasses import replace

import pytest

from rapport import transforms
from rapport.dashboards.questions import load_questions
from rapport.warehouse.history.risk_answers import RISK_ANSWERS
from rapport.warehouse.instruments import load_instruments
from rapport.warehouse.published.views_and_comments import VIEWS
from rapport.warehouse.schema.books import BOOKS
from rapport.warehouse.schema.columns import SHARED, Column
from rapport.warehouse.schema.records import KINDS

MEANT = [*transforms.tables(), RISK_ANSWERS, *VIEWS, *KINDS.values()]
ALL = [*MEANT, *BOOKS.values()]
COLUMNS = [(each.name, column) for each in ALL for column in each.columns]
ENDS = {
    "_id": {"id", "integer"},  # load_id counts
    "_at": {"instant"},
    "_local": {"wall"},
    "_on": {"date"},
    "_date": {"date"},
    "_count": {"integer", "long"},
    "_number": {"integer"},
    "_minutes": {"integer"},
    "_hours": {"integer", "number"},
    "_days": {"integer", "number"},
    "_share": {"number"},
}
STANDS_FOR = {"instant": ("_at",), "wall": ("_local",), "date": ("_on", "_date"), "id": ("_id", "_mark")}
CLOCKS = ("as_of", "data_to")  # the night's clock and the data's edge
INSTRUMENTS = load_instruments()
QUESTIONS = load_questions()


@pytest.mark.parametrize("each", ALL, ids=lambda each: each.name)
def test_everything_that_can_be_queried_is_described_in_sentences(each):
    texts = [each.description, *(column.description for column in each.columns)]
    assert [text for text in texts if not re.fullmatch(r"\S+ .*\.", text)] == []


def test_a_column_name_means_one_thing_in_every_table_view_and_record():
    meanings = defaultdict(set)
    for column in (column for each in MEANT for column in each.columns):
        meanings[column.name].add((column.type, column.description))
    several = {name: found for name, found in meanings.items() if len(found) > 1}
    assert not several, (
        "give the new column another name, or declare one meaning in SHARED (warehouse/schema/columns.py)"
    )


def test_a_column_that_more_than_one_table_has_is_stated_once():
    places = defaultdict(set)
    for each in MEANT:
        for column in each.columns:
            places[column.name].add(each.name)
    stated_in_place = {column.name for each in MEANT for column in each.columns} - SHARED.keys()
    twice = {name for name in stated_in_place if len(places[name]) > 1}
    assert not twice, "declare the column in SHARED (warehouse/schema/columns.py); its tables name it"


@pytest.mark.parametrize(("place", "column"), COLUMNS, ids=lambda part: getattr(part, "name", part))
def test_a_suffix_tells_the_type_and_the_type_asks_for_its_suffix(place, column):
    name, kind = column.name, column.type
    assert kind in next((kinds for end, kinds in ENDS.items() if name.endswith(end)), {kind})
    assert name in CLOCKS or name.endswith(STANDS_FOR.get(kind, ("",)))
    assert name.startswith(("is_", "has_")) == (kind == "truth")


@pytest.mark.parametrize("table", transforms.tables(), ids=lambda table: table.name)
def test_the_key_of_a_table_is_among_its_columns_and_says_that_it_is_never_null(table):
    required = {column.name for column in table.columns if column.required}
    assert set(table.key) <= set(table.column_names)
    may_be_unknown = {"therapist_id", "modality"} if table.per == "clinic" else set()
    assert set(table.key) - required <= may_be_unknown


@pytest.mark.parametrize("table", transforms.tables(), ids=lambda table: table.name)
def test_a_table_of_clients_names_its_client_and_no_table_is_named_by_its_layer(table):
    assert table.per in ("client", "clinic")
    assert "client_id" in table.column_names or table.per == "clinic"
    assert not table.name.startswith(("raw_", "stg_", "int_", "fct_", "dim_"))


def test_a_comment_tells_unit_words_range_and_whether_it_may_be_empty():
    column = Column("x", "number", "It is x.", unit="days", required=True, one_of=("a", "b"), between=(0, 1.5))
    assert column.comment == "It is x. Unit: days. One of a, b. From 0 to 1.5. Never null."
    assert replace(column, unit="", one_of=(), between=(1, None), required=False).comment == "It is x. At least 1."


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=INSTRUMENTS)
def test_every_instrument_says_where_it_is_from_and_who_holds_the_rights(instrument):
    assert instrument.citation and instrument.licence.endswith(".") and instrument.title
    assert all(scale.description.endswith(".") for scale in instrument.scales)


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=INSTRUMENTS)
def test_a_description_that_states_a_range_states_the_true_one(instrument):
    stated = {scale: re.search(r"(?<![\d.])(\d+)-(\d+)[.;]", scale.description) for scale in instrument.scales}
    for scale, found in stated.items():
        assert found is None or tuple(map(int, found.groups())) == instrument.range_of(scale)


def test_most_scales_state_their_range():
    scales = [scale for instrument in INSTRUMENTS.values() for scale in instrument.scales]
    assert sum(bool(re.search(r"\d+-\d+", scale.description)) for scale in scales) > len(scales) / 2


def test_the_scales_of_the_wai_sr_share_its_items_out():
    """Hatcher & Gillaspy 2006."""
    parts = [scale.items for scale in INSTRUMENTS["wai_sr"].scales if scale.name != "total"]
    assert sorted(item for part in parts for item in part) == list(range(1, 13))
    assert [len(part) for part in parts] == [4, 4, 4]


@pytest.mark.parametrize("asked", QUESTIONS.values(), ids=lambda asked: asked.name)
def test_every_question_is_a_question_with_every_column_described(asked):
    assert asked.question.endswith("?") and asked.note.endswith(".") and asked.alt.endswith(".")
    assert not asked.query.endswith(";")
    assert asked.columns and all(text.endswith(".") for text in asked.columns.values())
