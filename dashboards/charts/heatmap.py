"""Blue cells with their values: a darker cell has a higher value. A hidden cell has a dash; an empty one is blank."""

from __future__ import annotations

from typing import Any

import polars as pl

from rapport.dashboards.charts.chart_columns import Chart, is_percent, title
from rapport.dashboards.charts.lettering import text_width, wrapped
from rapport.dashboards.charts.style import INK, SIZE, SOFT, WIDTH, Spec, as_given, pixel, sheet, words
from rapport.dashboards.charts.values import decimals, label, shown

_LIGHT, _DARK = (219, 233, 246), (8, 74, 137)
_NOTHING = "#f3f5f7"
_ROW, _LOW_ROW = 40, 26
_MOST_LEFT = 150


def heatmap(rows: pl.DataFrame, chart: Chart) -> Spec:
    """The specification. `chart`: x, y, value; x_title, y_title, unit."""
    across, down = (rows[chart[axis]].unique(maintain_order=True).to_list() for axis in ("x", "y"))
    across, down = _in_order(across), _in_order(down)
    named = [wrapped(label(name, str(chart["y"])), _MOST_LEFT) for name in down]
    left = max((text_width(text) for lines in named for text in lines), default=0) + 10
    row = _ROW if len(down) <= 6 else _LOW_ROW + 5
    width, height = WIDTH - left - 4, row * max(len(down), 1)
    cell = width / max(len(across), 1)
    cells = _cells(rows, chart, across, down, cell, row)
    layers = [_boxes(cells, width, height)]
    for each in cells:
        x, y = each["middle"]
        layers.append(words(each["text"], x, y, each["ink"], align="center", fontSize=SIZE - 1))
    layers += [
        words(lines, -8, (place + 0.5) * row - 7.5 * (len(lines) - 1), align="right")
        for place, lines in enumerate(named)
    ]
    layers += _columns(across, chart, cell, height)
    layers += [words(title(chart, "x"), width / 2, height + 44, align="center")]
    layers += [words(title(chart, "y"), 0, -14)]
    return sheet(layers, height, {"left": left, "right": 4, "bottom": 54 if title(chart, "x") else 28, "top": 28})


def _in_order(values: list[Any]) -> list[Any]:
    """Numbers by size, other values in the query's order."""
    return sorted(values) if all(isinstance(value, int | float) for value in values) else values


def _cells(
    rows: pl.DataFrame, chart: Chart, across: list[Any], down: list[Any], cell: float, row: int
) -> list[dict[str, Any]]:
    percent, values = is_percent(chart), rows[chart["value"]].to_list()
    places = decimals(values, percent=percent)
    seen = [value for value in values if value is not None]
    low, high = min(seen, default=0), max(seen, default=1)
    sign = all(text_width(shown(each, places, percent=percent), SIZE - 1) < cell - 4 for each in seen)
    made = []
    for x, y, value in rows.select(chart["x"], chart["y"], chart["value"]).iter_rows():
        strength = 0.0 if value is None or high == low else (value - low) / (high - low)
        text = shown(value, places, percent=percent)
        left, top = across.index(x) * cell, down.index(y) * row
        made.append({
            "x": left + 1, "x2": left + cell - 1, "y": top + 1, "y2": top + row - 1,
            "middle": (left + cell / 2, top + row / 2),
            "fill": _NOTHING if value is None else _blue(strength),
            "text": text if sign else text.rstrip("%"),
            "ink": SOFT if value is None else "#ffffff" if strength > 0.45 else INK,
        })  # fmt: skip
    return made


def _blue(strength: float) -> str:
    mixed = (round(light + (dark - light) * strength) for light, dark in zip(_LIGHT, _DARK, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _boxes(cells: list[dict[str, Any]], width: float, height: float) -> Spec:
    place = {"x": pixel("x", width), "x2": {"field": "x2"}, "y": pixel("y", height), "y2": {"field": "y2"}}
    shown_cells = [{name: each[name] for name in ("x", "x2", "y", "y2", "fill")} for each in cells]
    return {"data": {"values": shown_cells}, "mark": "rect", "encoding": {**place, "fill": as_given("fill")}}


def _columns(across: list[Any], chart: Chart, cell: float, height: int) -> list[Spec]:
    """The names of the columns under them, as many as fit."""
    names = [label(each, str(chart["x"])) for each in across]
    widest = max((text_width(name, SIZE - 1) for name in names), default=1) + 4
    every = max(-(-widest // max(int(cell), 1)), 1)
    return [
        words(name, (place + 0.5) * cell, height + 14, align="center", fontSize=SIZE - 1)
        for place, name in enumerate(names)
        if place % every == 0
    ]
