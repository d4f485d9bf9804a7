"""What several tables make of the same frames is made once, and of other frames anew."""

import gc
import weakref

import polars as pl

from rapport.transforms.frames.computed_once import computed_once


def counted() -> tuple[object, list[int]]:
    calls: list[int] = []

    @computed_once
    def doubled(frame: pl.LazyFrame, more: pl.LazyFrame) -> pl.DataFrame:
        calls.append(1)
        return pl.concat([frame, more]).select(pl.col("a") * 2).collect()

    return doubled, calls


def frame(*values: int) -> pl.LazyFrame:
    return pl.LazyFrame({"a": values})


def test_the_same_frames_are_worked_on_once_and_equal_ones_are_not_the_same():
    doubled, calls = counted()
    one, other, more = frame(1), frame(1), frame(2)
    assert doubled(one, more) is doubled(one, more)
    assert doubled(other, more)["a"].to_list() == [2, 4]
    assert doubled(one, frame(3))["a"].to_list() == [2, 6]
    assert len(calls) == 3


def test_what_was_made_is_kept_no_longer_than_the_first_of_its_frames():
    doubled, _ = counted()
    one, more = frame(1), frame(2)
    made = weakref.ref(doubled(one, more))
    assert made() is not None
    del one
    gc.collect()
    assert made() is None
