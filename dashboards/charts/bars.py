"""Bars from zero, lying, with the value at the end and the interval as a thin line."""

from __future__ import annotations

import polars as pl

from dashboards.charts.look import FAINT, INK, WIDTH, Spec, series_colors, sheet, text_width, words, wrapped
from dashboards.charts.roles import Chart, in_roles, is_percent, title
from dashboards.charts.values import decimals, label, shown

_BAR, _BETWEEN = 17, 13
_MOST_LEFT = 150
_LINE = 15


def bars(rows: pl.DataFrame, chart: Chart) -> Spec:
    """The specification. `chart`: what and how much, as x and y either way round; low and high, series; unit."""
    what, value = either_way(rows, chart)
    chart = {**chart, "x": what, "y": value}
    data = in_roles(rows, chart, "x", "y", "low", "high")
    named = {each: wrapped(label(each, what), _MOST_LEFT) for each in data["x"].unique(maintain_order=True)}
    left = max((text_width(text) for lines in named.values() for text in lines), default=0) + 10
    names = data["series"].unique(maintain_order=True).to_list()
    said = _said(data, names, is_percent(chart))
    widths = [(text_width(text) + 10, (value or 0) < 0) for text, value in zip(said, data["y"], strict=True)]
    right = max((width for width, is_below in widths if not is_below), default=8)
    below = max((width for width, is_below in widths if is_below), default=0)
    scale = _scale(data, WIDTH - left - right, below)
    tops, height = _tops(data, named)
    layers = _drawn(data, names, said, scale, tops, height)
    layers += [
        words(lines, -8, _middle(data, each, tops) - _LINE / 2 * (len(lines) - 1), INK, align="right", lineHeight=_LINE)
        for each, lines in named.items()
    ]
    layers.append(words(title(chart, "y"), 0, -14))
    return sheet(layers, height, {"left": left, "right": right, "top": 28, "bottom": 6})


def either_way(rows: pl.DataFrame, chart: Chart) -> tuple[str, str]:
    """The column that names the bars, and the one that they measure."""
    x, y = str(chart["x"]), str(chart["y"])
    return (y, x) if rows[x].dtype.is_numeric() else (x, y)


def _said(data: pl.DataFrame, names: list[str], percent: bool) -> list[str]:
    places = decimals(data["y"].to_list(), percent=percent)
    texts = [shown(value, places, percent=percent) for value in data["y"]]
    return [f"{text} {name}" if len(names) > 1 else text for text, name in zip(texts, data["series"], strict=True)]


def _scale(data: pl.DataFrame, width: float, below: float) -> tuple[float, float]:
    """Where zero is, and pixels per unit. `below` is the room for labels of what is less than zero."""
    seen = [float(value) for name in ("y", "low", "high") for value in data[name].drop_nulls()]
    low, high = min([0.0, *seen]), max([0.0, *seen])
    per = (width - below) / ((high - low) or 1)
    return below - low * per, per


def _tops(data: pl.DataFrame, named: dict) -> tuple[list[float], int]:
    """Where each bar begins, from above, and how high all are."""
    tops, top = [0.0] * data.height, 0.0
    for each, lines in named.items():
        here = [place for place, x in enumerate(data["x"]) if x == each]
        room = max(len(here) * (_BAR + 2), len(lines) * _LINE)
        first = top + (room - len(here) * (_BAR + 2)) / 2
        for rank, place in enumerate(here):
            tops[place] = first + rank * (_BAR + 2)
        top += room + _BETWEEN
    return tops, max(round(top - _BETWEEN), _BAR)


def _middle(data: pl.DataFrame, each: object, tops: list[float]) -> float:
    here = [top for top, x in zip(tops, data["x"], strict=True) if x == each]
    return (min(here) + max(here) + _BAR) / 2


def _drawn(
    data: pl.DataFrame, names: list, said: list[str], scale: tuple[float, float], tops: list[float], height: int
) -> list[Spec]:
    zero, per = scale
    colors = dict(zip(names, series_colors(names), strict=True))
    opacity = 0.55 if data["low"].is_not_null().any() else 1  # the interval is seen through the bar
    layers = []
    for row, text, top in zip(data.iter_rows(named=True), said, tops, strict=True):
        end, middle, color = zero + (row["y"] or 0) * per, top + _BAR / 2, colors[row["series"]]
        box = {"x": {"value": min(zero, end)}, "x2": {"value": max(zero, end)}, "y": {"value": top}}
        layers.append(_at({"type": "rect", "color": color, "opacity": opacity}, {**box, "y2": {"value": top + _BAR}}))
        ends = [zero + row[name] * per for name in ("low", "high") if row[name] is not None]
        if len(ends) == 2:
            span = {"x": {"value": ends[0]}, "x2": {"value": ends[1]}, "y": {"value": middle}}
            layers.append(_at({"type": "rule", "color": INK, "strokeWidth": 1.4}, span))
        is_below = end < zero
        far = min([end, *ends]) - 6 if is_below else max([zero, end, *ends]) + 6
        layers.append(words(text, far, middle, color, fontWeight=600, align="right" if is_below else "left"))
    line = {"x": {"value": zero}, "y": {"value": -4}, "y2": {"value": height + 4}}
    return [*layers, _at({"type": "rule", "color": FAINT}, line)]


def _at(mark: Spec, encoding: Spec) -> Spec:
    return {"data": {"values": [{}]}, "mark": mark, "encoding": encoding}
