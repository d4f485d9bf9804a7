"""A number that is nothing has no sign, in whatever order it was summed."""

import polars as pl
from polars.testing import assert_frame_equal

from rapport.transforms.frames.signless_zeros import without_sign


def test_a_zero_has_no_sign_and_what_is_unknown_stays_unknown():
    given = pl.DataFrame({"name": ["a", "b", "c", "d", "e"], "slope": [-1e-9, 0.0, None, -2.5, 0.5]})
    made = without_sign(given.with_columns(pl.col("slope").round(6)))
    assert_frame_equal(made, given.with_columns(slope=pl.Series([0.0, 0.0, None, -2.5, 0.5])), check_exact=True)
    assert made["slope"].cast(pl.String).to_list() == ["0.0", "0.0", None, "-2.5", "0.5"]
