"""Early alliance: the third session, or the nearest rated of the second to fourth."""

import pytest

from tests.clinics.drawn import computed, lines, seen

HEADER = "response_id | instrument | rater | appointment_session_id | answers"


def early(*totals: int | None) -> list[dict]:
    """Early alliance of SRS totals in weekly sessions; None is a session without a rating."""
    sessions = [f"s{at} | 2026-03-{at:02} 15:00 | tom" for at in range(1, len(totals) + 1)]
    answers = [
        f"r{at} | srs | client | s{at} | " + " ".join([str(total / 4)] * 4)
        for at, total in enumerate(totals, start=1)
        if total is not None
    ]
    made = computed(
        appointments="\n".join(["session_id | starts_at | therapist_id", *sessions]),
        responses="\n".join([HEADER, *answers]),
    )
    return made["early_alliance"].rows(named=True)


@pytest.mark.parametrize(
    ("totals", "number", "rule", "is_settled"),
    [
        ((30, 31, 32, 33), 3, "session_3", True),
        ((30, 31, None, 33), 2, "nearest_of_2_to_4", True),  # 2 and 4 are equally near: the earlier
        ((30, None, None, 33), 4, "nearest_of_2_to_4", True),
        ((30, 31), 2, "nearest_of_2_to_4", False),  # a third session can still come
        ((30, 31, None), 2, "nearest_of_2_to_4", True),
        ((None, None, 32), 3, "session_3", True),
    ],
)
def test_the_third_session_speaks_or_the_nearest_rated_beside_it(totals, number, rule, is_settled):
    (row,) = early(*totals)
    assert (row["dyad_session_number"], row["early_rule"], row["is_settled"]) == (number, rule, is_settled)
    assert row["score"] == totals[number - 1]


def test_a_dyad_rated_in_none_of_its_second_to_fourth_sessions_has_no_row():
    assert early(30) == []
    assert early(30, None, None, None, 34) == []


@pytest.mark.parametrize(
    ("totals", "mean", "count"),
    [
        ((30, 33, 36, 40), 33, 3),
        ((30, None, 36), 33, 2),
        ((None, None, 36), None, 1),
        ((None, None, None, 36), None, 0),
    ],
)
def test_the_alternative_is_the_mean_of_at_least_two_of_the_first_three(totals, mean, count):
    (row,) = early(*totals)
    assert (row["first_three_mean"], row["first_three_count"]) == (mean, count)


def test_sessions_are_counted_with_the_therapist_and_not_in_the_episode():
    made = computed(
        appointments="""session_id | starts_at | therapist_id
            s1 | 2026-03-01 15:00 | tom
            s2 | 2026-03-08 15:00 | tom
            s3 | 2026-03-15 15:00 | uma
            s4 | 2026-03-22 15:00 | uma""",
        responses=f"{HEADER}\n" + "\n".join(f"r{n} | srs | client | s{n} | 9 9 9 9" for n in range(1, 5)),
    )
    expected = "session_id | therapist_id | dyad_session_number\ns2 | tom | 2\ns4 | uma | 2"
    assert seen(made["early_alliance"], expected) == lines(expected)
