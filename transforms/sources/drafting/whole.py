"""Whether an export looks whole: its records reach back further than what a nightly export of news would hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from rapport.transforms.sources.canonical.dates import to_iso
from rapport.transforms.sources.drafting.columns import Column, date_order
from rapport.transforms.sources.drafting.recognition import Found
from rapport.transforms.sources.drafting.toml_lines import line

LONG = 35  # days between the first record and the last, from which on an export is taken for a whole one
_BORN = r"birth|\bdob\b"


def covers_line(found: Found) -> Iterator[str]:
    """`covers = "all"` where the export looks whole."""
    spans = [span for each in found.columns if each.are_dates and not each.sounds_like(_BORN) and (span := _span(each))]
    if spans and max(spans) >= LONG:
        yield line("covers", "all", "each export holds everything, so what it leaves out has vanished; else remove it")


def _span(column: Column) -> int:
    """The days between the first date of a column and its last."""
    order = date_order([column])
    days = pl.DataFrame({"date": column.values}).select(to_iso("date", order or "month_first").str.slice(0, 10))
    read = days.to_series().str.to_date("%Y-%m-%d", strict=False).drop_nulls()
    first, last = read.min(), read.max()
    return (last - first).days if isinstance(first, date) and isinstance(last, date) else 0
