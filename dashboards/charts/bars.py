"""Bars from zero, lying, with the value at the end and the interval as a thin line."""

from __future__ import annotations

import polars as pl

from dashboards.charts.look import BLUE, FAINT, INK, SIZE, WIDTH, Spec, series_colors, sheet, text_width, words, wrapped
from dashboards.charts.roles import Chart, in_roles, is_percent, title
from dashboards.charts.values import decimals, label, shown

_BAR, _BETWEEN = 17, 13
_MOST_LEFT = 150
_LINE = 15


def bars(rows: pl.DataFrame, chart: Chart) -> Spec:
    """The specification. `chart`: x (what), y (how much); low and high, series; y_title, unit."""
    percent = is_percent(chart)
    data = in_roles(rows, chart, "x", "y", "low", "high")
    what = data["x"].unique(maintain_order=True).to_list()
    named = {each: wrapped(label(each, str(chart["x"])), _MOST_LEFT) for each in what}
    left = max((text_width(text) for lines in named.values() for text in lines), default=0) + 10
    names = data["series"].unique(maintain_order=True).to_list()
    said = _said(data, names, percent)
    right = max((text_width(text) for text in said), default=0) + 10
    scale = _scale(data, WIDTH - left - right)
    tops, height = _tops(data, what, named)
    layers = _drawn(data, names, said, scale, tops, height)
    layers += [
        words(lines, -8, _middle(data, each, tops) - _LINE / 2 * (len(lines) - 1), INK, align="right", lineHeight=_LINE)
        for each, lines in named.items()
    ]
    layers.append(words(title(chart, "y"), 0, -14))
    if x_title := title(chart, "x"):
        layers.append(words(x_title, -left + 2, -14)) if left > text_width(x_title) + 8 else None
    return sheet(layers, height, {"left": left, "right": right, "top": 28, "bottom": 6})


def _said(data: pl.DataFrame, names: list[str], percent: bool) -> list[str]:
    places = decimals(data["y"].to_list(), percent=percent)
    texts = [shown(value, places, percent=percent) for value in data["y"]]
    return [f"{text} {name}" if len(names) > 1 else text for text, name in zip(texts, data["series"], strict=True)]


def _scale(data: pl.DataFrame, width: float) -> tuple[float, float, float]:
    """The least and the most that is drawn, and pixels per unit."""
    seen = [float(value) for name in ("y", "low", "high") for value in data[name].drop_nulls()]
    low, high = min([0.0, *seen]), max([0.0, *seen])
    return low, high, width / ((high - low) or 1)


def _tops(data: pl.DataFrame, what: list, named: dict) -> tuple[list[float], int]:
    """Where each bar begins, from above, and how high all are."""
    tops, top = [0.0] * data.height, 0.0
    for each in what:
        here = [place for place, x in enumerate(data["x"]) if x == each]
        room = max(len(here) * (_BAR + 2), len(named[each]) * _LINE)
        first = top + (room - len(here) * (_BAR + 2)) / 2
        for rank, place in enumerate(here):
            tops[place] = first + rank * (_BAR + 2)
        top += room + _BETWEEN
    return tops, max(round(top - _BETWEEN), _BAR)


def _middle(data: pl.DataFrame, each: object, tops: list[float]) -> float:
    here = [top for top, x in zip(tops, data["x"], strict=True) if x == each]
    return (min(here) + max(here) + _BAR) / 2


def _drawn(data: pl.DataFrame, names: list, said: list[str], scale: tuple, tops: list[float], height: int) -> list:
    low, _, per = scale
    zero = -low * per
    colors = dict(zip(names, series_colors(names), strict=True))
    layers = []
    has_range = data["low"].is_not_null().any()
    for row, text, top in zip(data.iter_rows(named=True), said, tops, strict=True):
        end = zero + (row["y"] or 0) * per
        box = {"x": {"value": min(zero, end)}, "x2": {"value": max(zero, end)}, "y": {"value": top}}
        color = colors[row["series"]] if len(names) > 1 else BLUE
        look = {"type": "rect", "color": color, "opacity": 0.55 if has_range else 1}
        layers.append(_at(look, {**box, "y2": {"value": top + _BAR}}))
        far = max(zero, end)
        if row["low"] is not None and row["high"] is not None:
            ends = {"x": {"value": zero + row["low"] * per}, "x2": {"value": zero + row["high"] * per}}
            layers.append(
                _at({"type": "rule", "color": INK, "strokeWidth": 1.4}, {**ends, "y": {"value": top + _BAR / 2}})
            )
            far = max(far, zero + row["high"] * per)
        layers.append(words(text, far + 6, top + _BAR / 2, color, fontWeight=600, fontSize=SIZE))
    line = {"x": {"value": zero}, "y": {"value": -4}, "y2": {"value": height + 4}}
    return [*layers, _at({"type": "rule", "color": FAINT}, line)]


def _at(mark: Spec, encoding: Spec) -> Spec:
    return {"data": {"values": [{}]}, "mark": mark, "encoding": encoding}
