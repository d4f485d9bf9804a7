"""Records with fewer values than the header: what stands in them may be another column's.

A line feed in a value without quotes makes two of one record. Some programs leave out the empty values at a record's
end, so a record is short only where a column that is used has no place in it.
"""

from __future__ import annotations

import io

import polars as pl

_QUOTED = '"[^"]*"'


def value_counts(frame: pl.DataFrame, data: bytes, separator: str) -> pl.Series | None:
    """How many values each record has, a blank one as many as the header; None where no record can be short.

    The frame is what polars made of the data: an absent value is null in it, as an empty one is.
    """
    last = frame[:, -1]
    if frame.width == 1 or not last.null_count():
        return None
    if b'"' not in data and data.count(separator.encode()) == frame.height * (frame.width - 1):
        return None
    records = _records(data)
    written = records.str.replace_all(_QUOTED, "")
    is_blank = records.str.strip_chars("\r") == ""
    several = pl.when(is_blank).then(frame.width).otherwise(written.str.count_matches(separator, literal=True) + 1)
    counts = pl.select(several).to_series()
    return counts if counts.len() == frame.height else None


def _records(data: bytes) -> pl.Series:
    """The text of each record, blank ones too."""
    lines = pl.read_lines(io.BytesIO(data)).to_series()
    odd = lines.str.count_matches('"', literal=True) % 2
    if not (odd == 1).any():
        return lines
    begins = (odd.cum_sum() - odd) % 2 == 0
    parts = pl.DataFrame({"record": begins.cast(pl.UInt32).cum_sum(), "line": lines})
    return parts.group_by("record", maintain_order=True).agg(pl.col("line").str.join("\n"))["line"]
