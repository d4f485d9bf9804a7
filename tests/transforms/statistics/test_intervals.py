"""Intervals around shares and correlations."""

import polars as pl
import pytest

from rapport.transforms.statistics.correlation import correlation, fisher
from rapport.transforms.statistics.intervals import with_wilson
from rapport.warehouse.published import safe_file


def wilson(numerator: int, denominator: int) -> tuple:
    counted = pl.DataFrame({"numerator_count": [numerator], "denominator_count": [denominator]})
    return with_wilson(counted).select("share", "low", "high").row(0)


@pytest.mark.parametrize(
    ("numerator", "denominator", "low", "high"), [(81, 263, 0.2553, 0.3662), (0, 20, 0.0, 0.1611), (20, 20, 0.8389, 1)]
)
def test_wilson_s_interval_is_newcombe_s(numerator, denominator, low, high):
    """Newcombe 1998, Stat Med 17:857-872, method 3; the last is the second turned round."""
    share, *ends = wilson(numerator, denominator)
    assert share == pytest.approx(numerator / denominator)
    assert ends == pytest.approx([low, high], abs=5e-5)


def test_the_macros_that_questions_use_give_the_same_ends():
    with safe_file.begin() as con:
        for numerator, denominator in ((81, 263), (0, 20), (20, 20), (5, 10)):
            found = con.sql(f"SELECT wilson_low({numerator}, {denominator}), wilson_high({numerator}, {denominator})")
            assert list(found.fetchone()) == pytest.approx(wilson(numerator, denominator)[1:], abs=1e-8)
        assert con.sql("SELECT wilson_low(0, 0), wilson_high(NULL, 5)").fetchone() == (None, None)


def test_a_share_of_nothing_is_not_known_and_not_zero():
    assert wilson(0, 0) == (None, None, None)


def test_no_shares_are_no_rows():
    none = pl.DataFrame(schema={"numerator_count": pl.Int32, "denominator_count": pl.Int32})
    assert with_wilson(none).height == 0


def test_a_correlation_has_fisher_s_interval():
    """r = .5 of 28: atanh .5493, +/- 1.959964 / 5, so .156 to .736."""
    found = fisher(0.5, 28)
    assert [round(found[name], 3) for name in ("estimate", "low", "high")] == [0.5, 0.156, 0.736]


def test_a_correlation_is_pearson_s():
    one, other = pl.Series([1.0, -1.0, 0.0, 0.0] * 8), pl.Series([1.0, -1.0, 3.0**0.5, -(3.0**0.5)] * 8)
    found = correlation(one, other)
    assert (found["estimate"], found["largest_share"]) == (0.5, 1 / 16)


SPREAD = [float(at) for at in range(30)]


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (SPREAD[:29], SPREAD[:29], "fewer than 30 clients"),
        ([1.0] * 30, SPREAD, "nothing varies"),
        (SPREAD, [1.0] * 30, "nothing varies"),
        (SPREAD, SPREAD, "no error can be made"),
        ([*SPREAD, 999.0], [*SPREAD, 1.0], "one client dominates"),
    ],
)
def test_where_a_correlation_would_mislead_there_is_none(one, other, why):
    found = correlation(pl.Series(one), pl.Series(other))
    assert (found["why_no_estimate"], found.get("estimate")) == (why, None)
