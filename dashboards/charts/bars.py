"""Horizontal bars from zero with the value at the end. A thin line is the interval; an estimate is a point on it."""

from __future__ import annotations

from typing import Any

import polars as pl

from rapport.dashboards.charts.chart_columns import Chart, in_roles, is_percent, title
from rapport.dashboards.charts.lettering import text_width, wrapped
from rapport.dashboards.charts.style import (
    INK,
    LINE_APART,
    SIZE,
    WIDTH,
    Spec,
    as_given,
    pixel,
    rule,
    series_colors,
    sheet,
    words,
)
from rapport.dashboards.charts.values import decimals, label, shown

_BAR, _THIN_BAR, _MANY = 17, 12, 16  # heights in pixels; more than 16 bars are thinner
_BETWEEN, _GAP = 13, 2
_MOST_LEFT = 168


def bars(rows: pl.DataFrame, chart: Chart) -> Spec:
    """The specification. `chart`: x and y, of which one names the bars and one has numbers; low, high, series, unit."""
    what, value = name_and_value(rows, chart)
    chart = {**chart, "x": what, "y": value}
    data = in_roles(rows, chart, "x", "y", "low", "high")
    named = {each: wrapped(label(each, what), _MOST_LEFT) for each in data["x"].unique(maintain_order=True)}
    left = max((text_width(text) for lines in named.values() for text in lines), default=0) + 10
    bar = _BAR if data.height <= _MANY else _THIN_BAR
    middles, height = _middles(data, named, bar)
    made = _placed(data, middles, is_percent(chart), WIDTH - left)
    layers = [*_marks(made, bar, WIDTH - left, height, is_estimate=_is_estimate(data, chart)), _zero(made, height)]
    for each, lines in named.items():
        here = [middle for middle, x in zip(middles, data["x"], strict=True) if x == each]
        middle = (here[0] + here[-1]) / 2 - LINE_APART / 2 * (len(lines) - 1)
        layers.append(words(lines, -8, middle, INK, align="right"))
    layers.append(words(title(chart, "y"), 0, -14))
    return sheet(layers, height, {"left": left, "right": 0, "top": 28, "bottom": 6})


def name_and_value(rows: pl.DataFrame, chart: Chart) -> tuple[str, str]:
    """The column that names the bars, and the column of their values."""
    x, y = str(chart["x"]), str(chart["y"])
    return (y, x) if rows[x].dtype.is_numeric() else (x, y)


def _is_estimate(data: pl.DataFrame, chart: Chart) -> bool:
    """Whether the values are estimates with an interval, for which zero is no beginning."""
    return bool(data["low"].is_not_null().any()) and not is_percent(chart)


def _middles(data: pl.DataFrame, named: dict[str, Any], bar: int) -> tuple[list[float], int]:
    """The middle of each bar in pixels from the top, and the height of all bars."""
    middles, top = [0.0] * data.height, 0.0
    for each, lines in named.items():
        here = [place for place, x in enumerate(data["x"]) if x == each]
        room = max(len(here) * (bar + _GAP), len(lines) * LINE_APART)
        first = top + (room - len(here) * (bar + _GAP) + bar) / 2
        for rank, place in enumerate(here):
            middles[place] = first + rank * (bar + _GAP)
        top += room + _BETWEEN
    return middles, max(round(top - _BETWEEN), bar)


def _placed(data: pl.DataFrame, middles: list[float], percent: bool, width: float) -> list[dict[str, Any]]:
    """A row per bar: its beginning, its end and its interval in pixels, its text and its colour."""
    names = data["series"].unique(maintain_order=True).to_list()
    colors = dict(zip(names, series_colors(names), strict=True))
    places = decimals(data["y"].to_list(), percent=percent)
    texts = [shown(value, places, percent=percent) for value in data["y"]]
    texts = [f"{text} {name}" if len(names) > 1 else text for text, name in zip(texts, data["series"], strict=True)]
    zero, per = _scale(data, texts, width)
    made = []
    for row, text, middle in zip(data.iter_rows(named=True), texts, middles, strict=True):
        end = zero + (row["y"] or 0) * per
        span = [zero + row[name] * per for name in ("low", "high") if row[name] is not None]
        is_below = end < zero
        far = min([end, *span]) - 6 if is_below else max([zero, end, *span]) + 6
        made.append(
            {"zero": zero, "end": end, "middle": middle, "text": text, "far": far, "is_below": is_below}
            | {
                "color": colors[row["series"]],
                "low": span[0] if len(span) == 2 else None,
                "high": span[1] if len(span) == 2 else None,
            }
            | {"is_known": row["y"] is not None}
        )
    return made


def _scale(data: pl.DataFrame, texts: list[str], width: float) -> tuple[float, float]:
    """The place of zero in pixels, and the pixels per unit, so that the texts beside the bars have room."""
    rooms = [(text_width(text) + 10, (value or 0) < 0) for text, value in zip(texts, data["y"], strict=True)]
    after = max((room for room, is_below in rooms if not is_below), default=8)
    before = max((room for room, is_below in rooms if is_below), default=0)
    seen = [float(value) for name in ("y", "low", "high") for value in data[name].drop_nulls()]
    low, high = min([0.0, *seen]), max([0.0, *seen])
    per = (width - before - after) / ((high - low) or 1)
    return before - low * per, per


def _marks(made: list[dict[str, Any]], bar: int, width: float, height: float, *, is_estimate: bool) -> list[Spec]:
    spans = [row for row in made if row["low"] is not None]
    y, color = pixel("middle", height), as_given("color")
    known = {"values": [row for row in made if row["is_known"]]}
    if is_estimate:
        mark = {"type": "point", "filled": True, "size": 80, "opacity": 1}
        body = {"data": known, "mark": mark, "encoding": {"x": pixel("end", width), "y": y, "color": color}}
    else:
        mark = {"type": "bar", "height": bar, "opacity": 0.55 if spans else 1}  # the interval is seen through it
        ends = {"x": pixel("zero", width), "x2": {"field": "end"}, "y": y, "color": color}
        body = {"data": known, "mark": mark, "encoding": ends}
    span = {"x": pixel("low", width), "x2": {"field": "high"}, "y": y}
    line = {"data": {"values": spans}, "mark": {"type": "rule", "color": INK, "strokeWidth": 1.4}, "encoding": span}
    small = SIZE if bar == _BAR else SIZE - 1
    texts = [
        words(row["text"], row["far"], row["middle"], row["color"], fontWeight=600, fontSize=small,
              align="right" if row["is_below"] else "left")
        for row in made
    ]  # fmt: skip
    layers = [line, body] if is_estimate else [body, line]
    return [*(layers if spans else [body]), *texts]


def _zero(made: list[dict[str, Any]], height: int) -> Spec:
    """The line at which bars begin."""
    zero = made[0]["zero"] if made else 0
    return rule(zero, -4, zero, height + 4)
