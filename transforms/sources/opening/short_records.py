"""Records with fewer values than the header: what stands in them may be another column's.

A line feed in a value without quotes makes two of one record. Some programs leave out the empty values at a record's
end, so a record is short only where a column that is used has no place in it.
"""

from __future__ import annotations

import io
import re

import polars as pl

_QUOTED = re.compile(b'"[^"]*"')


def value_counts(frame: pl.DataFrame, data: bytes, separator: str) -> pl.Series | None:
    """How many values each record has, a blank one as many as the header; None where no record can be short.

    The frame is what polars made of the data: an absent value is null in it, as an empty one is.
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
    """The data with one letter for each quoted text: what is left of a record stands in one line.

    A record of nothing but empty quotes is no blank record, so the letter stays.
    """
    return _QUOTED.sub(b"q", data) if b'"' in data else data
