"""Where things lie along an axis: numbers as they are, anything else in its order, labels only as many as fit."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from dashboards.charts.look import text_width
from dashboards.charts.values import shown, ticks


@dataclass(frozen=True)
class Axis:
    """An axis: its range in data units, the places that get a label, and what the labels say."""

    low: float
    high: float
    ticks: list[float]
    names: dict[float, str]

    def spec(self) -> dict[str, object]:
        """The scale."""
        return {"domain": [self.low, self.high], "nice": False, "zero": False}

    def pixels(self, value: float, length: float) -> float:
        """How far along an axis of that length a value lies."""
        return length * (value - self.low) / ((self.high - self.low) or 1)

    def label_expression(self) -> str:
        """Vega's expression that names the ticks."""
        if not self.names:
            return "format(datum.value, ',~f')"
        said = ", ".join(f"'{place:g}': {_quoted(name)}" for place, name in self.names.items())
        return f"({{{said}}})['' + datum.value]"


def along(column: pl.Series, width: int) -> tuple[pl.Series, Axis]:
    """The column as places along x, and its axis."""
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
        return Axis(0, 1, [], {})
    low, high = float(values.min()), float(values.max())
    if values.dtype.is_integer() and values.n_unique() <= min(8, width // 34):
        room = 0 if high > low else 0.5
        return Axis(low - room, high + room, sorted(map(float, values.unique())), {})
    at = [tick for tick in ticks(low, high, max(width // 60, 2)) if low <= tick <= high]
    if values.dtype.is_integer():
        at = [tick for tick in at if tick == int(tick)]
        at = [low, *[tick for tick in at if tick > low]] if low == 1 and at and at[0] - low > 1 else at
    room = 0 if high > low else 0.5
    return Axis(low - room, high + room, at or [low], {})


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "").replace("'", "’") + "'"
