"""Items that a complete response need not have, and an instrument's own matching window."""

from dataclasses import replace

import pytest

from tests.clinics.drawn import clinic, computed, lines, seen


@pytest.mark.parametrize(
    ("instrument", "answers", "complete"),
    [
        ("gbo", "4 - -", "yes"),  # one goal
        ("gbo", "- 4 -", "no"),
        ("wsas", "- 1 1 1 1", "yes"),  # no work
        ("wsas", "1 1 1 1 -", "no"),
        ("psq", "0 - -", "yes"),  # no rupture
        ("srs", "- 9 9 9", "no"),
        ("k10_1_to_5", "1 1 - 1 1 - 1 1 1 1", "yes"),  # 3 and 6 are not asked after none at 2 and 5
        ("k10_1_to_5", "1 2 - 1 1 - 1 1 1 1", "no"),
    ],
)
def test_a_response_is_complete_without_what_its_instrument_calls_optional(instrument, answers, complete):
    drawn = f"response_id | instrument | rater | answers\nr1 | {instrument} | client | {answers}"
    expected = f"response_id | is_complete\nr1 | {complete}"
    assert seen(computed(responses=drawn)["responses"], expected) == lines(expected)


def test_an_instrument_s_own_window_wins_over_that_of_its_timing():
    """Three days before a session: held by the usual 72 hours, not by a window of a day."""
    instruments = clinic().instruments
    narrow = replace(instruments["phq9"], window_hours=(24, 24))
    drawn = {
        "appointments": "session_id | starts_at\ns1 | 2026-03-05 15:00",
        "responses": "response_id | instrument | rater | completed_at\nr1 | phq9 | client | 2026-03-03 15:00",
    }
    usual = computed(clinic(), **drawn)["responses"]["session_id"].to_list()
    own = replace(clinic(), instruments={**instruments, "phq9": narrow})
    assert (usual, computed(own, **drawn)["responses"]["session_id"].to_list()) == (["s1"], [None])


def test_a_scale_made_of_scales_is_not_scored_while_a_part_is_not():
    """A recalled part makes its whole recalled."""
    sdq = clinic().instruments["sdq_self"]
    recalled = replace(sdq.scales[0].origin, status="recalled")
    scales = (replace(sdq.scales[0], origin=recalled), *sdq.scales[1:])
    own = replace(clinic(), instruments={"sdq_self": replace(sdq, scales=scales)})
    answers = " ".join(["1"] * 25)
    drawn = f"response_id | instrument | rater | answers\nr1 | sdq_self | client | {answers}"
    found = computed(own, responses=drawn)["scores"]["scale"].to_list()
    assert sorted(found) == ["conduct", "externalising", "hyperactivity", "peer", "prosocial"]
