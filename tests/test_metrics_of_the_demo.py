"""The alliance metrics of the demo clinic's night: what holds between its tables and views."""

import pytest


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
    told = night.ask("SELECT DISTINCT is_repaired FROM ruptures WHERE rupture_rule = 'srs_cut_off'")
    assert {value for (value,) in told} == {True, False, None}


def test_what_is_still_open_says_so(night):
    assert night.ask("SELECT count(*) FROM ruptures WHERE is_over AND repair_session_id IS NULL") == [(0,)]
