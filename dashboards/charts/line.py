"""A line over time or sessions, with the band of its interval; several lines are named where they end."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from dashboards.charts.look import (
    BLUE,
    FAINT,
    SOFT,
    WIDTH,
    Spec,
    ends_of_lines,
    series_colors,
    sheet,
    text_width,
    words,
    x_axis,
    y_axis,
)
from dashboards.charts.places import Axis, along
from dashboards.charts.roles import Chart, in_roles, is_percent, title
from dashboards.charts.values import HIDDEN, decimals, shown, tick_format, ticks

HEIGHT = 230
LEFT = 44
BELOW = 52  # the labels and the title of x


def line(rows: pl.DataFrame, chart: Chart) -> Spec:
    """The specification. `chart`: x, y; low and high, series; y_title, x_title, unit, thresholds."""
    percent = is_percent(chart)
    data = in_roles(rows, chart, "x", "y", "low", "high")
    names = data["series"].unique(maintain_order=True).to_list()
    last = _last(data, names, percent)
    right = max((text_width(text) for text, _ in last.values()), default=0) + 14
    width = WIDTH - LEFT - right
    where, across = along(data["x"], width)
    up = _up(data, chart)
    data = data.with_columns(where.alias("x"))

    def pixels(value: float) -> float:
        return HEIGHT - up.pixels(value, HEIGHT)

    layers = [*threshold(chart, up, width, HEIGHT), *_drawn(data, chart, across, up, names)]
    layers += [*ends_of_lines(last, names, pixels, HEIGHT, width), *_first(data, names, percent, pixels)]
    return sheet(layers, HEIGHT, {"left": LEFT, "right": right, "bottom": BELOW if title(chart, "x") else BELOW - 22})


def threshold(chart: Chart, up: Axis, width: int, height: int, align: str = "right") -> list[Spec]:
    """Dashed lines, each with its name under it."""
    made = []
    for each in chart.get("thresholds", ()):
        at = height - up.pixels(float(each["at"]), height)
        rule = {"type": "rule", "strokeDash": [4, 3], "color": FAINT, "strokeWidth": 1.2}
        ends = {"x": {"value": 0}, "x2": {"value": width}, "y": {"value": at}}
        made.append({"data": {"values": [{}]}, "mark": rule, "encoding": ends})
        made.append(words(each["name"], width if align == "right" else 6, at + 11, SOFT, align=align))
    return made


def _up(data: pl.DataFrame, chart: Chart) -> Axis:
    seen = [float(value) for name in ("y", "low", "high") for value in data[name].drop_nulls()]
    seen += [float(each["at"]) for each in chart.get("thresholds", ()) if seen]
    room = 0.08 * (max(seen) - min(seen)) if seen else 0  # under the lowest: its label, and the dash of what is hidden
    low = min(seen) - room if seen and min(seen) - room > 0 else min(seen, default=0.0)
    at = ticks(low, max(seen, default=1.0))
    return Axis(at[0], at[-1], at, {})


def _last(data: pl.DataFrame, names: list[str], percent: bool) -> dict[str, tuple[str, float]]:
    """What stands at each line's end: its name and its last value."""
    known = data.filter(pl.col("y").is_not_null())
    places = decimals(known["y"].to_list(), percent=percent)
    last = {name: known.filter(pl.col("series") == name)["y"].to_list()[-1:] for name in names}
    said = {name: (value[0], shown(value[0], places, percent=percent)) for name, value in last.items() if value}
    return {name: (f"{name} {text}".strip(), value) for name, (value, text) in said.items()}


def _drawn(data: pl.DataFrame, chart: Chart, across: Axis, up: Axis, names: list[str]) -> list[Spec]:
    color = {"field": "series", "type": "nominal", "legend": None}
    color |= {"scale": {"domain": names, "range": series_colors(names)}}
    axis = x_axis(title(chart, "x"), across.ticks, labelExpr=across.label_expression())
    x = {"field": "x", "type": "quantitative", "scale": across.spec(), "axis": axis}
    flat = y_axis(title(chart, "y"), up.ticks, tick_format(up.ticks, percent=is_percent(chart)))
    y = {"field": "y", "type": "quantitative", "scale": up.spec(), "axis": flat}
    known = data.filter(pl.col("y").is_not_null())
    band = known.filter(pl.col("low").is_not_null() & pl.col("high").is_not_null())
    shade = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color}
    path = {"type": "line", "strokeWidth": 2.2, "strokeJoin": "round", "invalid": "break-paths-show-domains"}
    point = {"type": "point", "filled": True, "size": 34, "opacity": 1, "stroke": "white", "strokeWidth": 1}
    seen = {"x": x, "y": y, "color": color}
    opacity = 0.18 if len(names) == 1 else 0.12
    layers = [
        {"data": {"values": band.to_dicts()}, "mark": {"type": "area", "opacity": opacity}, "encoding": shade},
        {"data": {"values": data.to_dicts()}, "mark": path, "encoding": seen},
        {"data": {"values": known.to_dicts()}, "mark": point, "encoding": seen},
    ]
    return layers + _hidden(data, x)


def _hidden(data: pl.DataFrame, x: Spec) -> list[Spec]:
    """A dash over the axis where a value is hidden or missing."""
    places = [{"x": place} for place in data.filter(pl.col("y").is_null())["x"].unique(maintain_order=True)]
    mark = {"type": "text", "text": HIDDEN, "color": SOFT}
    return [{"data": {"values": places}, "mark": mark, "encoding": {"x": x, "y": {"value": HEIGHT - 8}}}]


def _first(data: pl.DataFrame, names: list[str], percent: bool, pixels: Callable[[float], float]) -> list[Spec]:
    """A single line's first value, under or over where it begins."""
    known = data.filter(pl.col("y").is_not_null())
    if len(names) != 1 or known.height < 3:
        return []
    is_under = known["y"][1] >= known["y"][0] and pixels(known["y"][0]) < HEIGHT - 34  # there dashes may be
    text = shown(known["y"][0], decimals(known["y"].to_list(), percent=percent), percent=percent)
    mark = {"type": "text", "text": text, "color": BLUE, "fontWeight": 600, "align": "left", "dx": -2}
    place = {axis: {"field": axis, "type": "quantitative"} for axis in ("x", "y")}
    values = known.head(1).to_dicts()
    return [{"data": {"values": values}, "mark": {**mark, "dy": 16 if is_under else -14}, "encoding": place}]
