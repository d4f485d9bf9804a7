"""Records with fewer values than the header: each value may be that of another column.

A line feed in a value without quotes makes two records of one. Some programs omit the empty values at a record's end.
So a record is short only where a used column has no place in it.
"""

from __future__ import annotations

import io
import re

import polars as pl

_QUOTED = re.compile(b'"[^"]*"')


def value_counts(frame: pl.DataFrame, data: bytes, separator: str) -> pl.Series | None:
    """The number of values of each record; that of the header for a blank one. None where no record can be short.

    The frame is polars' table of the data: a missing value is null there, as an empty one is.
    """
    last = frame[:, -1]
    if frame.width == 1 or not last.null_count():
        return None
    written = _without_quoted_text(data)
    if written.count(separator.encode()) == frame.height * (frame.width - 1):
        return None
    records = pl.read_lines(io.BytesIO(written)).to_series()
    is_blank = records.str.strip_chars("\r") == ""
    several = pl.when(is_blank).then(frame.width).otherwise(records.str.count_matches(separator, literal=True) + 1)
    counts = pl.select(several).to_series()
    return counts if counts.len() == frame.height else None


def _without_quoted_text(data: bytes) -> bytes:
    """The data with one letter in place of each quoted text, so that each record is one line.

    A record of empty quotes only is no blank record, so the letter stays.
    """
    return _QUOTED.sub(b"q", data) if b'"' in data else data
