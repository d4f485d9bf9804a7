"""The share that is left after each step: a curve in steps from 100 %, with the numbers at risk under the axis."""

from __future__ import annotations

import polars as pl

from rapport.dashboards.charts.axes import Axis, across_axis, along, thresholds, up_axis
from rapport.dashboards.charts.chart_columns import Chart, in_roles, title
from rapport.dashboards.charts.lettering import ends_of_lines, text_width
from rapport.dashboards.charts.line import last_values
from rapport.dashboards.charts.style import BLUE, SIZE, SOFT, WIDTH, Spec, by_series, series_colors, sheet, words
from rapport.dashboards.charts.values import decimals, shown

HEIGHT = 210
LEFT = 50
_LINE = 17


def survival(rows: pl.DataFrame, chart: Chart) -> Spec:
    """The specification. `chart`: x, y, at_risk; low and high, series; y_title, x_title."""
    data = _from_all(in_roles(rows, chart, "x", "y", "low", "high", "at_risk").sort("series", "x", maintain_order=True))
    data = _as_far_as_shown(data)
    names = data["series"].unique(maintain_order=True).to_list()
    last = last_values(data, names, percent=True)
    right = max((text_width(text) for text, _ in last.values()), default=6) + 14
    width = WIDTH - LEFT - right
    where, across = along(data["x"], width)
    data = data.with_columns(where.alias("x"))
    marks = [*up_axis(_UP, title(chart, "y"), width, HEIGHT, percent=True), *across_axis(across, "", width, HEIGHT)]
    marks += [*thresholds(chart.get("thresholds", ()), _UP, width, HEIGHT), *_half(data, names, width)]
    marks += [*_steps(data, across, names), *_step_values(data, across, names, width)]
    marks += [*ends_of_lines(last, names, _pixels, HEIGHT, width), *_at_risk(data, across, names, width)]
    below = HEIGHT + 40 + _LINE * len(names) + 12
    marks.append(words(title(chart, "x"), width / 2, below, align="center"))
    return sheet(marks, HEIGHT, {"left": LEFT, "right": right, "bottom": below - HEIGHT + 12})


_UP = Axis(0, 1, [0, 0.25, 0.5, 0.75, 1])


def _pixels(share: float) -> float:
    return HEIGHT * (1 - share)


def _from_all(data: pl.DataFrame) -> pl.DataFrame:
    """The rows, and for each curve a first point of 100 % before its first step."""
    if min(data["x"].to_list(), default=0) <= 0:
        return data
    first = data.group_by("series", maintain_order=True).first()
    begun = first.with_columns(x=pl.lit(0).cast(data["x"].dtype), y=1.0, low=1.0, high=1.0).select(data.columns)
    return pl.concat([begun, data], how="vertical_relaxed").sort("series", "x", maintain_order=True)


def _steps(data: pl.DataFrame, across: Axis, names: list[str]) -> list[Spec]:
    x, color, step = across.channel("x"), by_series(names), {"interpolate": "step-after"}
    data = data.filter(pl.col("y").is_not_null())  # a hidden step is joined with the next shown one
    band = data.filter(pl.col("low").is_not_null() & pl.col("high").is_not_null())
    shade = {"x": x, "y": _UP.channel("low"), "y2": {"field": "high"}, "color": color}
    shaded = {"data": {"values": band.to_dicts()}, "mark": {"type": "area", "opacity": 0.18, **step}, "encoding": shade}
    path = {"type": "line", "strokeWidth": 2.2, **step}
    line = {"data": {"values": data.to_dicts()}, "mark": path}
    line["encoding"] = {"x": x, "y": _UP.channel("y"), "color": color}
    return [line] if band.is_empty() else [shaded, line]


def _half(data: pl.DataFrame, names: list[str], width: int) -> list[Spec]:
    """A label on the line of 50 %: the step after which half have left."""
    gone = data.filter(pl.col("y") <= 0.5)
    if len(names) != 1 or gone.is_empty():
        return []
    return thresholds([{"at": 0.5, "name": f"Half have left after {shown(gone['x'][0])}"}], _UP, width, HEIGHT, "left")


def _step_values(data: pl.DataFrame, across: Axis, names: list[str], width: int) -> list[Spec]:
    """A few values of a single curve, above its steps. The last value is at its end."""
    places = decimals(data["y"].to_list(), percent=True)
    near = across.high - (across.high - across.low) / 8
    known = data.filter(pl.col("y").is_not_null(), pl.col("x").is_in(across.ticks), pl.col("x") > across.low)
    known = known.filter(pl.col("x") < near) if len(names) == 1 else known.head(0)
    kept = known.gather_every(max(known.height // 3, 1))
    return [
        words(shown(y, places, percent=True), across.pixels(x, width) + 2, _pixels(y) - 11, BLUE, fontWeight=600)
        for x, y in kept.select("x", "y").iter_rows()
    ]


def _as_far_as_shown(data: pl.DataFrame) -> pl.DataFrame:
    """The rows up to the last shown step, and one more, so that the last step is visible."""
    known = data.filter(pl.col("y").is_not_null())
    if known.is_empty():
        return data
    end = known["x"].max()
    last = known.group_by("series", maintain_order=True).last().filter(pl.col("x") == end)
    on = last.with_columns(x=(pl.col("x") + 1).cast(data["x"].dtype), at_risk=None).select(data.columns)
    return pl.concat([data.filter(pl.col("x") <= end), on], how="vertical_relaxed").sort(
        "series", "x", maintain_order=True
    )


def _at_risk(data: pl.DataFrame, across: Axis, names: list[str], width: int) -> list[Spec]:
    """The numbers at risk under the axis, one line per curve."""
    colors = series_colors(names)
    made = [words("At risk", -LEFT + 2, HEIGHT + 40, fontSize=SIZE - 1)]
    for line, name in enumerate(names):
        here = dict(data.filter(pl.col("series") == name).select("x", "at_risk").iter_rows())
        y, color = HEIGHT + 40 + _LINE * line, SOFT if len(names) == 1 else colors[line]
        places = [(at, across.pixels(at, width)) for at in across.ticks if here.get(at) is not None]
        made += [words(shown(here[at]), x, y, color, align="center", fontSize=SIZE - 1) for at, x in places if x > 14]
    return made
