"""A warehouse of an earlier Rapport: a record column that it does not have yet is added, and null in what is there.

The order of loading is filled in: tables are ordered by it.
"""

import duckdb
import pytest

from rapport.warehouse.store.building_file import open_building
from tests.clinics.nights import APPOINTMENTS, CLINIC, held, open_place, writable


def test_a_record_column_that_came_later_is_added_to_the_history_that_is_kept(tmp_path):
    with open_building(tmp_path / "building.duckdb", tmp_path) as con:
        con.execute("ALTER TABLE history.responses DROP COLUMN goal_owners")
        con.execute("INSERT INTO history.responses (source, instrument) VALUES ('surveys', 'gbo')")
    with open_building(tmp_path / "building.duckdb", tmp_path) as con:
        assert con.sql("SELECT source, goal_owners FROM history.responses").fetchall() == [("surveys", None)]


ORDER = "SELECT date_part('day', starts_local)::INTEGER FROM history.appointments ORDER BY loaded_number"


@pytest.fixture
def place(tmp_path, short_nights):
    """Its exports are whole. Loaded in this order: the sessions of the 11th, the 10th and the 12th."""
    made = open_place(tmp_path / "clinic", CLINIC.replace('%d*.csv"\n\n', '%d*.csv"\ncovers = "all"\n\n', 1))
    _night(made, 13, [held(1, 11), held(1, 10)])
    _night(made, 14, [held(1, 12), held(1, 10), held(1, 11)])
    return made


def _night(place, day: int, rows: list[str]) -> None:
    place.deliver(f"appointments_2026-11-{day}.csv", APPOINTMENTS, rows)
    place.night(f"2026-11-{day}T12:00")


def test_what_an_earlier_rapport_loaded_is_numbered_by_load_and_place_in_the_file(place):
    assert place.ask(ORDER) == [(11,), (10,), (12,)]
    with duckdb.connect(str(writable(place.published.resolve()))) as con:
        con.execute("ALTER TABLE history.appointments DROP COLUMN loaded_number")
    _night(place, 15, [held(1, 13), held(1, 12), held(1, 10), held(1, 11)])
    assert place.ask(ORDER) == [(11,), (10,), (12,), (13,)]


def test_a_record_keeps_its_number_when_it_is_corrected_or_vanishes_and_comes_back(place):
    _night(place, 15, [held(1, 12), held(1, 10).replace("attended", "no_show")])
    _night(place, 16, [held(1, 12), held(1, 10), held(1, 11)])
    assert place.ask(ORDER) == [(11,), (11,), (10,), (10,), (10,), (12,)]
    assert place.ask(ORDER.replace("ORDER", "WHERE known_to IS NULL ORDER")) == [(11,), (10,), (12,)]
