"""The alliance metrics of the demo clinic's night: what holds between its tables and views."""

from datetime import UTC, datetime

import polars as pl
import pytest

from rapport.flows.order import place_change
from rapport.flows.private.crosswalk import birth_dates, crosswalk_of
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.versions import current_load
from rapport.warehouse.schema.records import KINDS
from rapport.warehouse.store.building_file import open_published
from rapport.warehouse.store.frames import fetch
from tests.clinics.keyed import differing

EMPTY = {
    "expected_courses",  # of forty clients too few are like one another
    "t_scores",  # norms that a clinic holds and the demo has not
    "other_raters",  # nobody of the demo has two people of one kind
    "score_disagreements",  # no score of the demo's arrives made beside its answers
    "course_against_expected",  # a question about expected_courses
}


@pytest.fixture(scope="module")
def night(demo, tmp_path_factory):
    """A copy of the demo with its night published."""
    place = demo.copied_to(tmp_path_factory.mktemp("metrics") / "clinic")
    place.night("2026-11-21T03:00")
    return place


def test_an_alliance_score_is_the_sum_of_its_parts_and_the_within_parts_of_a_person_sum_to_nothing(night):
    whole = """
        SELECT count(*) > 100, max(abs(score - between_part - within_part - grand_mean)) < 1e-5
        FROM alliance_parts JOIN alliance_grand_means USING (rater, instrument, scale)"""
    assert night.ask(whole) == [(True, True)]
    persons = """
        SELECT max(abs(total)) < 1e-3 FROM (
            SELECT sum(within_part) AS total FROM alliance_parts
            GROUP BY episode_id, therapist_id, rater, instrument, scale)"""
    assert night.ask(persons) == [(True,)]
    assert night.ask("SELECT count(*) FROM alliance WHERE episode_id IS NOT NULL") == night.ask(
        "SELECT count(*) FROM alliance_parts"
    )


def test_unconfirmed_appointments_are_past_and_those_to_come_are_not_among_them(night):
    unconfirmed = night.ask("SELECT min(days_since) >= 0, count(*) FROM unconfirmed_appointments")[0]
    scheduled = night.ask("SELECT sum(unconfirmed_count) FROM engagement")[0][0]
    to_come = night.ask("""
        SELECT count(*) FROM appointments CROSS JOIN load.current
        WHERE status = 'scheduled' AND is_treatment AND starts_at >= as_of AND episode_id IS NOT NULL""")[0][0]
    within = night.ask("SELECT count(*) FROM unconfirmed_appointments WHERE episode_id IS NOT NULL")[0][0]
    assert unconfirmed[0] in (True, None)
    assert to_come > 0
    assert scheduled == to_come + within


def test_most_rules_find_possible_ruptures_and_some_are_repaired_some_not_and_of_some_it_is_not_known(night):
    found = dict(night.ask("SELECT rupture_rule, count(*) FROM ruptures GROUP BY ALL"))
    assert {"srs_cut_off", "srs_drop_1", "drop_1_sd", "drop_2_sd", "strict_1", "control_limit"} <= found.keys()
    assert "srs_item_9" not in found  # recalled, and not accepted
    listed = "FROM information_schema.tables WHERE table_schema IN ('main', 'dashboard')"
    names = night.ask(f"SELECT table_name, table_schema || '.' || table_name {listed}")
    empty = " UNION ALL ".join(f"SELECT '{name}' WHERE NOT EXISTS (FROM {place})" for name, place in names)
    assert len(names) > 70
    assert {name for (name,) in night.ask(empty)} == EMPTY


def test_goals_of_the_demo_come_nearer_and_are_of_every_owner(night):
    found = night.ask("SELECT count(DISTINCT goal_owner), avg(goal_change) > 1, max(goal) FROM goals")
    assert found == [(4, True, 3)]


def test_caregivers_of_the_demo_are_the_more_motivated(night):
    assert night.ask("SELECT avg(first_gap) > 0, count(gap_change) > 0 FROM motivation") == [(True, True)]


def test_observers_of_the_demo_rated_the_first_two_sessions_and_none_after_them(night):
    rated = night.ask("""
        SELECT DISTINCT session_number FROM responses JOIN sessions USING (session_id)
        WHERE instrument = 'elkin_responsiveness' ORDER BY 1""")
    assert rated == [(1,), (2,)]
    factors = "count(positive_atmosphere) = count(global_responsiveness), count(attentiveness) > 10"
    assert night.ask(f"SELECT {factors} FROM responsiveness") == [(True, True)]


def test_motivation_at_first_stands_before_the_later_one(night):
    told = "FROM dashboard.motivation_early WHERE rater = 'client' AND site = 'All' AND program = 'All'"
    assert night.ask(f"SELECT stage {told}") == [("first",), ("later",)]


def records_of(place) -> dict[str, pl.LazyFrame]:
    """What is known of everybody, as the night's tables read it."""
    with open_published(place.published) as con:
        known = {
            f"{kind.removesuffix('s')}_records": fetch(con, f"SELECT * FROM history.{kind} WHERE known_to IS NULL")
            for kind in KINDS
        }
    ids = pl.concat([frame.select("client_id") for frame in known.values()]).unique()
    folders = Folders(place.warehouse)
    people = crosswalk_of(folders, current_load(folders.published))
    frames = known | {"client_ids": ids, "birth_dates": birth_dates(people)}
    return {name: frame.lazy() for name, frame in frames.items()}


def test_three_keys_make_the_same_tables_of_the_demo(night):
    declared = place_change(night.clinic, night.warehouse).clinic
    assert differing(records_of(night), declared, datetime(2026, 11, 21, 9, tzinfo=UTC)) == []
