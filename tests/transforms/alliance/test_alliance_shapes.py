"""Shapes: fitted to each dyad alone; below four scores none is said."""

import polars as pl
import pytest

from rapport.transforms.statistics.students_t import critical_t
from tests.clinics.drawn import computed


def shape_of(scores: list[float | None]) -> dict:
    """The shape row of SRS totals, one a weekly session; None is a session without a rating."""
    days = [f"s{at:02} | 2026-{1 + at // 28:02}-{1 + at % 28:02} 15:00 | tom" for at in range(len(scores))]
    answers = [
        f"r{at} | srs | client | s{at:02} | " + " ".join([str(score / 4)] * 4)
        for at, score in enumerate(scores)
        if score is not None
    ]
    made = computed(
        appointments="\n".join(["session_id | starts_at | therapist_id", *days]),
        responses="\n".join(["response_id | instrument | rater | appointment_session_id | answers", *answers]),
    )
    return made["alliance_shapes"].row(0, named=True)


@pytest.mark.parametrize(
    ("scores", "shape"),
    [
        ([36, 36, 36, 36], "stable"),
        ([36, 37, 36, 37, 36], "stable"),
        ([20, 24, 28, 32], "growth"),
        ([32, 28, 24, 20], "decline"),
        ([36, 28, 24, 24, 28, 36], "U"),
        ([24, 32, 36, 36, 32, 24], "inverted U"),
        ([20, 26, 31, 35, 38, 40], "growth"),  # bent, and it turns only after the last session
        ([30, 36, 30, 36, 30, 36], "stable"),  # a zigzag is no bend
        ([36, None, 28, None, 24, 24, None, 28, 36], "U"),
    ],
)
def test_the_shape_is_that_of_the_fitted_line_or_parabola(scores, shape):
    assert shape_of(scores)["shape"] == shape


def test_three_scores_have_no_shape_and_four_no_curvature():
    three, four = shape_of([20, 24, 28]), shape_of([20, 24, 28, 32])
    assert (three["score_count"], three["slope"], three["shape"], three["fitted_range"]) == (3, None, None, None)
    assert (four["slope"], four["curvature"], four["is_bent"]) == (10, None, None)


def test_slope_and_curvature_are_those_of_least_squares():
    """y = 50 + 5 s - 2 s2 at s = 1..5: the parabola itself, and its chord as the slope (5 - 2 x 6 = -7)."""
    row = shape_of([score / 2.5 for score in (53, 52, 47, 38, 25)])
    assert (row["slope"], row["curvature"], row["is_bent"]) == (-7, -2, True)


def test_a_session_without_a_rating_keeps_its_place_on_the_axis():
    assert shape_of([20, None, 28, None, 36, None, 40])["slope"] == pytest.approx(8.5)


def test_critical_t_is_that_of_the_printed_tables():
    """Fisher & Yates; 2.776, 3.182 and 4.303 stand in Tang & DeRubeis's third criterion too."""
    printed = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 10: 2.228, 11: 2.201, 20: 2.086, 30: 2.042, 120: 1.980}
    frame = pl.DataFrame({"degrees": [0, *printed]}, schema={"degrees": pl.Int32})
    found = frame.select(critical_t(pl.col("degrees"))).to_series().to_list()
    assert found == [None, *(pytest.approx(value, abs=6e-4) for value in printed.values())]
