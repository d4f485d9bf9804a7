"""Answers that never hold the lowest value are told, over everything a source ever brought."""

import pytest

from tests.clinics.few_tables import few_tables
from tests.clinics.nights import Place, but_for_finished_tables, open_place

CLINIC = """\
time_zone = "UTC"
licences = ["srs", "wsas"]

[sources.phq]
format = "wide"
files = "phq_%Y-%m-%d.csv"
id_space = "clinic"
client_id = "patient"
completed_at = "date"
instrument = "{instrument}"
rater = "client"
items = [{items}]
{more}
"""
ITEMS = {"phq9": 9, "srs": 4, "wsas": 5}


@pytest.fixture(autouse=True)
def short_nights():
    with few_tables():
        yield


@pytest.fixture
def place(tmp_path) -> Place:
    return open_place(tmp_path / "clinic")


def told_each_night(place: Place, instrument: str, nights: list[str], more: str = "") -> list[bool]:
    """Whether each night told it. A night brings responses apart by blanks, with the answers to their items."""
    names = [f"q{number}" for number in range(1, ITEMS[instrument] + 1)]
    items = ", ".join(f'"{name}"' for name in names)
    place.clinic.write_text(CLINIC.format(instrument=instrument, items=items, more=more))
    told = []
    for day, responses in enumerate(nights, start=17):
        rows = [
            f"2026-11-{day - 1} 1{number}:00,14{day}{number},{','.join(each.split('/'))}"
            for number, each in enumerate(responses.split())
        ]
        place.deliver(f"phq_2026-11-{day}.csv", f"date,patient,{','.join(names)}", rows)
        said = " ".join(place.night(f"2026-11-{day}T03:00", but_for_finished_tables).troubles.warnings)
        told.append(f"responses to {instrument} has an answer 0, the lowest" in said)
    return told


FROM_ONE = ["1/1/1/1/1/1/1/1/1", "1/2/1/1/2/1/1/1/1", "2/3/2/3/2/2/3/2/1"]
CASES = {
    "small files that count from 1, once there are enough answers": ("phq9", FROM_ONE, "", [False, False, True]),
    "a range that is declared": ("phq9", FROM_ONE, "range = [1, 4]", [False] * 3),
    "the usual range that is declared": ("phq9", FROM_ONE, "range = [0, 3]", [False] * 3),
    "a lowest answer tonight": ("phq9", [*FROM_ONE[:2], "2/3/0/3/2/2/3/2/1"], "", [False] * 3),
    "a lowest answer in an earlier night": ("phq9", ["1/0/1/1/1/1/1/1/1", *FROM_ONE[1:]], "", [False] * 3),
    "four short responses": ("wsas", ["8/8/8/8/8 7/7/7/7/7", "8/7/8/7/8 6/6/6/6/6"], "", [False, False]),
    "five short responses": ("wsas", ["8/8/8/8/8 7/7/7/7/7", "8/7/8/7/8 6/6/6/6/6 7/7/7/7/7"], "", [False, True]),
    "a line of 0 to 10, seldom marked 0": ("srs", ["8/8/8/8 9/9/9/9", "8/7/8/7 9/9/9/9 7/7/7/7"], "", [False] * 2),
    "answers that were measured": ("wsas", ["8.2/8/8/8/8 7/7/7/7/7", "8/7/8/7/8 6/6/6/6/6 7/7/7/7/7"], "", [False] * 2),
}


@pytest.mark.parametrize("case", CASES)
def test_answers_above_the_lowest_are_told_where_they_show_another_range(place, case):
    instrument, nights, more, wanted = CASES[case]
    assert told_each_night(place, instrument, nights, more) == wanted


def test_a_declared_range_reads_small_files_right(place):
    told_each_night(place, "phq9", FROM_ONE, "range = [1, 4]")
    assert place.ask("SELECT list_sum(answers)::INTEGER FROM history.responses ORDER BY completed_at") == [
        (0,),
        (2,),
        (11,),
    ]


def test_the_check_tells_it_too(place):
    told_each_night(place, "phq9", FROM_ONE[:2])
    place.deliver(
        "phq_2026-11-19.csv", "date,patient,q1,q2,q3,q4,q5,q6,q7,q8,q9", ["2026-11-18 10:00,1,2,1,1,1,1,1,1,1,1"]
    )
    checked = place.night("2026-11-19T03:00", but_for_finished_tables, is_check=True)
    assert "has an answer 0, the lowest" in " ".join(checked.troubles.warnings)
