"""Axes: the places of values, the values that get a label, and the lines and labels themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from rapport.dashboards.charts.lettering import text_width
from rapport.dashboards.charts.style import GRID, SOFT, Spec, rule, words
from rapport.dashboards.charts.values import shown, tick_places, ticks


@dataclass(frozen=True)
class Axis:
    """An axis: its range in data units, the values that get a label (`ticks`), and labels other than the number
    (`names`, by value)."""

    low: float
    high: float
    ticks: list[float]
    names: dict[float, str] = field(default_factory=dict)

    def channel(self, name: str) -> Spec:
        """The channel of a field along this axis."""
        scale = {"domain": [self.low, self.high], "nice": False, "zero": False, "padding": 0}
        return {"field": name, "type": "quantitative", "scale": scale, "axis": None}

    def pixels(self, value: float, length: float) -> float:
        """The distance of a value from the axis's beginning, in pixels. `length`: of the axis, in pixels."""
        return length * (value - self.low) / ((self.high - self.low) or 1)


def across_axis(axis: Axis, title: str, width: float, height: float) -> list[Spec]:
    """The line under the plot, with ticks, labels and title."""
    made = [rule(0, height, width, height), words(title, width / 2, height + 42, align="center")]
    places = tick_places(axis.ticks)
    for at in axis.ticks:
        x = axis.pixels(at, width)
        made.append(rule(x, height, x, height + 4))
        made.append(words(axis.names.get(at) or shown(at, places), x, height + 16, align="center"))
    return made


def up_axis(axis: Axis, title: str, width: float, height: float, *, percent: bool) -> list[Spec]:
    """The horizontal grid with its labels, and the title flat above it."""
    made = [words(title, 0, -20)]
    places = tick_places(axis.ticks, percent=percent)
    for at in axis.ticks:
        y = height - axis.pixels(at, height)
        made += [rule(0, y, width, y, GRID), words(shown(at, places, percent=percent), -7, y, SOFT, align="right")]
    return made


def thresholds(
    lines: Iterable[dict[str, Any]], axis: Axis, width: float, height: float, align: str = "right"
) -> list[Spec]:
    """Dashed lines, each with its name under it."""
    made = []
    for each in lines:
        y = height - axis.pixels(float(each["at"]), height)
        made.append(rule(0, y, width, y, strokeDash=[4, 3], strokeWidth=1.2))
        made.append(words(each["name"], width if align == "right" else 6, y + 11, SOFT, align=align))
    return made


def along(column: pl.Series, width: int) -> tuple[pl.Series, Axis]:
    """The column as places along x, and its axis. Numbers keep their value; other values are placed in their order."""
    if column.dtype.is_numeric():
        return column.cast(pl.Float64), _numeric(column, width)
    names = [shown(value) for value in column.unique(maintain_order=True)]
    positions = dict(zip(names, map(float, range(len(names))), strict=True))
    widest = max((text_width(name) for name in names), default=1) + 12
    every = max(-(-widest * len(names) // max(width, 1)), 1)
    last = len(names) - 1
    kept = [float(place) for place in range(last % every, len(names), every)]
    places = pl.Series("place", [positions[shown(value)] for value in column], dtype=pl.Float64)
    return places, Axis(-0.25, last + 0.25, kept, {place: names[int(place)] for place in kept})


def _numeric(column: pl.Series, width: int) -> Axis:
    values = column.drop_nulls()
    if values.is_empty():
        return Axis(0, 1, [])
    known = values.cast(pl.Float64).to_list()
    low, high = min(known), max(known)
    room = 0 if high > low else 0.5
    if values.dtype.is_integer() and values.n_unique() <= min(8, width // 34):
        return Axis(low - room, high + room, sorted(map(float, values.unique())))
    at = [tick for tick in ticks(low, high, max(width // 60, 2)) if low <= tick <= high]
    if values.dtype.is_integer():
        at = [tick for tick in at if tick == int(tick)]
        at = [low, *[tick for tick in at if tick > low]] if low == 1 and at and at[0] - low > 1 else at
    return Axis(low - room, high + room, at or [low])
