"""The rows of a picture, with columns named after their roles in the chart (x, y, low, high ...)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from rapport.dashboards.charts.values import is_share, label

RATERS = ("client", "caregiver", "therapist", "observer")  # in this order in every picture
Chart = Mapping[str, Any]  # of TOML: names of columns, texts, thresholds


def in_roles(rows: pl.DataFrame, chart: Chart, *roles: str) -> pl.DataFrame:
    """The rows with one column per role; null where the chart has no such column. `series` has readable names."""
    empty = pl.lit(None, dtype=pl.Float64)
    picked = {role: pl.col(chart[role]) if role in chart else empty for role in roles}
    made = rows.select(**picked).with_columns(pl.Series("series", series_of(rows, chart), dtype=pl.String))
    if set(made["series"]) <= set(RATERS):
        return made.sort(pl.col("series").replace_strict(RATERS, range(len(RATERS))), maintain_order=True)
    return made


def series_of(rows: pl.DataFrame, chart: Chart) -> list[str]:
    """The series of each row; '' where there is only one."""
    if "series" not in chart:
        return [""] * rows.height
    return [label(value, chart["series"]) for value in rows[chart["series"]]]


def is_percent(chart: Chart) -> bool:
    """Whether the value is a share, which is shown in percent."""
    value = str(chart["value"] if "value" in chart else chart["y"])
    return is_share(value) or chart.get("unit") == "share"


def title(chart: Chart, axis: str) -> str:
    """An axis's title, with the unit where the title does not have it."""
    text, unit = str(chart.get(f"{axis}_title", "")), str(chart.get("unit", ""))
    if axis == "y" and not text and (is_percent(chart) or not unit):
        return str(chart.get("title", ""))
    if axis == "x" or unit in {"", text} or unit in text or (unit in {"percent", "share"} and is_percent(chart)):
        return text
    return f"{text}, {unit}" if text else unit[:1].upper() + unit[1:]
