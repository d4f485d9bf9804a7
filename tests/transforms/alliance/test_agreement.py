"""Agreement: direction, distance and movement together are three things; the ceiling gives none of the last."""

from itertools import chain

import pytest

from tests.clinics.drawn import computed, lines, seen

FIVE = "session_id | starts_at | therapist_id\n" + "\n".join(f"s{n} | 2026-03-{n:02} 15:00 | tom" for n in range(1, 6))
HEADER = "response_id | instrument | rater | appointment_session_id | answers\n"


def wai(rater: str, *levels: int | None) -> list[str]:
    """WAI-SR responses with one answer throughout, a session each: 1 is 0 percent of maximum, 5 is 100."""
    return [
        f"{rater}{at} | wai_sr | {rater} | s{at} | {' '.join([str(level)] * 12)}"
        for at, level in enumerate(levels, start=1)
        if level is not None
    ]


def tables(*responses: list[str], appointments: str = FIVE) -> dict:
    return computed(appointments=appointments, responses=HEADER + "\n".join(chain(*responses)))


def of_total(frame):
    return frame.filter(scale="total")


def test_signed_is_the_rater_minus_the_other_and_absolute_has_no_sign():
    made = tables(wai("client", 5, 2), wai("therapist", 4, 4), wai("caregiver", None, 3))
    expected = """
        session_id | rater     | other_rater | signed_difference | absolute_difference
        s1         | client    | therapist   | 25                | 25
        s2         | client    | therapist   | -50               | 50
        s2         | client    | caregiver   | -25               | 25
        s2         | caregiver | therapist   | -25               | 25
        """
    assert seen(of_total(made["alliance_agreement"]), expected) == lines(expected)


def test_raters_about_different_sessions_or_different_scales_make_no_pair():
    made = tables(wai("client", 5), wai("therapist", None, 4))
    assert made["alliance_agreement"].height == 0
    assert made["alliance_congruence"].height == 0


def test_parallel_forms_compare_in_percent_of_maximum():
    """TASC-r (child) and TASCP (caregiver): twelve items, 1-4, the same five reversed."""
    kept = " ".join("1" if n in {2, 5, 7, 8, 11} else "4" for n in range(1, 13))
    made = computed(
        appointments=FIVE,
        responses=f"{HEADER}r1 | tasc_r | client | s1 | {kept}\nr2 | tascp | caregiver | s1 | {' '.join(['2'] * 12)}",
    )
    expected = """
        instrument | other_instrument | rater  | other_rater | pomp | signed_difference
        tasc_r     | tascp            | client | caregiver   | 100  | 52.777778
        """
    assert seen(made["alliance_agreement"], expected) == lines(expected)


def test_direction_and_movement_together_are_told_apart():
    """The therapist is 25 points lower throughout and follows the client exactly: discrepant and congruent."""
    row = of_total(tables(wai("client", 3, 4, 5, 4), wai("therapist", 2, 3, 4, 3))["alliance_congruence"])
    assert row.select("shared_session_count", "directional_discrepancy", "mean_absolute_difference").row(0) == (
        4,
        -25,
        25,
    )
    assert row.select("congruence_slope", "congruence_correlation", "why_no_congruence").row(0) == (1, 1, None)


def test_slope_and_correlation_are_those_of_the_deviations():
    """W = -37.5 -12.5 12.5 37.5, V = -12.5 12.5 -12.5 12.5: sum WV 625, WW 3125, VV 625."""
    row = of_total(tables(wai("client", 1, 2, 3, 4), wai("therapist", 3, 4, 3, 4))["alliance_congruence"]).row(
        0, named=True
    )
    assert row["congruence_slope"] == pytest.approx(0.2)
    assert row["congruence_correlation"] == pytest.approx(625 / (3125 * 625) ** 0.5, abs=1e-6)


@pytest.mark.parametrize(
    ("client", "therapist", "slope", "why"),
    [
        ((3, 4, 5, None), (2, 3, 4, 3), None, "fewer than four shared sessions"),
        ((5, 5, 5, 5), (2, 3, 4, 3), None, "a rater never varies"),
        ((2, 3, 4, 3), (5, 5, 5, 5), 0, "a rater never varies"),
    ],
)
def test_without_movement_congruence_is_not_known_and_not_zero(client, therapist, slope, why):
    row = of_total(tables(wai("client", *client), wai("therapist", *therapist))["alliance_congruence"]).row(
        0, named=True
    )
    assert (row["congruence_slope"], row["congruence_correlation"], row["why_no_congruence"]) == (slope, None, why)


def test_a_new_therapist_is_another_dyad():
    two = FIVE.replace("s4 | 2026-03-04 15:00 | tom", "s4 | 2026-03-04 15:00 | uma")
    made = tables(wai("client", 3, 4, 5, 4), wai("therapist", 2, 3, 4, 3), appointments=two)
    expected = "therapist_id | shared_session_count\ntom | 3\numa | 1"
    assert seen(of_total(made["alliance_congruence"]), expected) == lines(expected)
