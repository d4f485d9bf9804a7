"""Who is still there after each step: a curve in steps from 100 %, with the numbers at risk under the axis."""

from __future__ import annotations

import polars as pl

from dashboards.charts.line import threshold
from dashboards.charts.look import (
    BLUE,
    SIZE,
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
from dashboards.charts.roles import Chart, in_roles, title
from dashboards.charts.values import decimals, shown

HEIGHT = 210
LEFT = 50
_LINE = 17


def survival(rows: pl.DataFrame, chart: Chart) -> Spec:
    """The specification. `chart`: x, y, at_risk; low and high, series; y_title, x_title."""
    data = _from_all(in_roles(rows, chart, "x", "y", "low", "high", "at_risk").sort("series", "x", maintain_order=True))
    data = _as_far_as_shown(data)
    names = data["series"].unique(maintain_order=True).to_list()
    last = _last(data, names)
    right = max((text_width(text) for text, _ in last.values()), default=6) + 14
    width = WIDTH - LEFT - right
    where, across = along(data["x"], width)
    data = data.with_columns(where.alias("x"))
    layers = [*_half(data, names, width, str(chart.get("x_title", ""))), *threshold(chart, _UP, width, HEIGHT)]
    layers += [*_steps(data, across, names, str(title(chart, "y")))]
    layers += [*_said(data, across, names), *ends_of_lines(last, names, _pixels, HEIGHT, width)]
    layers += _at_risk(data, across, names, width)
    below = HEIGHT + 40 + _LINE * len(names) + 12
    layers.append(words(title(chart, "x"), width / 2, below, align="center"))
    return sheet(layers, HEIGHT, {"left": LEFT, "right": right, "bottom": below - HEIGHT + 12})


_UP = Axis(0, 1, [0, 0.25, 0.5, 0.75, 1], {})


def _pixels(share: float) -> float:
    return HEIGHT * (1 - share)


def _from_all(data: pl.DataFrame) -> pl.DataFrame:
    """Every curve begins with all of them, before the first step."""
    if data.is_empty() or data["x"].min() <= 0:
        return data
    first = data.group_by("series", maintain_order=True).first()
    begun = first.with_columns(x=pl.lit(0).cast(data["x"].dtype), y=1.0, low=1.0, high=1.0).select(data.columns)
    return pl.concat([begun, data], how="vertical_relaxed").sort("series", "x", maintain_order=True)


def _steps(data: pl.DataFrame, across: Axis, names: list[str], y_title: str) -> list[Spec]:
    color = {"field": "series", "type": "nominal", "legend": None}
    color |= {"scale": {"domain": names, "range": series_colors(names)}}
    axis = x_axis("", across.ticks, labelExpr=across.label_expression())
    x = {"field": "x", "type": "quantitative", "scale": across.spec(), "axis": axis}
    up = y_axis(y_title, _UP.ticks, ".0%")
    y = {"field": "y", "type": "quantitative", "scale": _UP.spec(), "axis": up}
    step = {"interpolate": "step-after"}
    data = data.filter(pl.col("y").is_not_null())  # a hidden step is joined with the next that is shown
    banded = data.filter(pl.col("low").is_not_null() & pl.col("high").is_not_null())
    shade = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": color}
    path = {"type": "line", "strokeWidth": 2.2, **step}
    return [
        {"data": {"values": banded.to_dicts()}, "mark": {"type": "area", "opacity": 0.18, **step}, "encoding": shade},
        {"data": {"values": data.to_dicts()}, "mark": path, "encoding": {"x": x, "y": y, "color": color}},
    ]


def _half(data: pl.DataFrame, names: list[str], width: int, steps: str) -> list[Spec]:
    """Where half have left, said on the line of 50 %."""
    gone = data.filter(pl.col("y") <= 0.5)
    if len(names) != 1 or gone.is_empty():
        return []
    text = f"Half have left after {shown(gone['x'][0])}"
    return threshold({"thresholds": [{"at": 0.5, "name": text}]}, _UP, width, HEIGHT, align="left")


def _said(data: pl.DataFrame, across: Axis, names: list[str]) -> list[Spec]:
    """A few values of a single curve, over its steps; the last one stands at its end."""
    places = decimals(data["y"].to_list(), percent=True)
    near = across.high - (across.high - across.low) / 8
    known = data.filter(pl.col("y").is_not_null(), pl.col("x").is_in(across.ticks), pl.col("x") > across.low)
    known = known.filter(pl.col("x") < near) if len(names) == 1 else known.head(0)
    kept = known.gather_every(max(known.height // 3, 1))
    said = [{**row, "text": shown(row["y"], places, percent=True)} for row in kept.iter_rows(named=True)]
    mark = {"type": "text", "color": BLUE, "fontWeight": 600, "dy": -11, "dx": 2, "align": "left"}
    at = {axis: {"field": axis, "type": "quantitative"} for axis in ("x", "y")}
    return [{"data": {"values": said}, "mark": mark, "encoding": {**at, "text": {"field": "text"}}}] if said else []


def _as_far_as_shown(data: pl.DataFrame) -> pl.DataFrame:
    """Up to the last step that is shown, and one on, so that it is seen as a step."""
    known = data.filter(pl.col("y").is_not_null())
    if known.is_empty():
        return data
    end = known["x"].max()
    last = known.group_by("series", maintain_order=True).last().filter(pl.col("x") == end)
    on = last.with_columns(x=(pl.col("x") + 1).cast(data["x"].dtype), at_risk=None).select(data.columns)
    return pl.concat([data.filter(pl.col("x") <= end), on], how="vertical_relaxed").sort(
        "series", "x", maintain_order=True
    )


def _last(data: pl.DataFrame, names: list[str]) -> dict[str, tuple[str, float]]:
    """What stands at each curve's end: its name, and its last value."""
    known = data.filter(pl.col("y").is_not_null())
    places = decimals(known["y"].to_list(), percent=True)
    last = {name: known.filter(pl.col("series") == name)["y"].to_list()[-1:] for name in names}
    said = {name: (value[0], shown(value[0], places, percent=True)) for name, value in last.items() if value}
    return {name: (f"{name} {text}".strip(), value) for name, (value, text) in said.items()}


def _at_risk(data: pl.DataFrame, across: Axis, names: list[str], width: int) -> list[Spec]:
    """The numbers at risk, a line per curve, each under its place."""
    colors = series_colors(names)
    made = [words("At risk", -LEFT + 2, HEIGHT + 40, fontSize=SIZE - 1)]
    span = (across.high - across.low) or 1
    for line, name in enumerate(names):
        here = dict(data.filter(pl.col("series") == name).select("x", "at_risk").iter_rows())
        y = HEIGHT + 40 + _LINE * line
        made += [
            words(shown(here[at]), (at - across.low) / span * width, y, SOFT if len(names) == 1 else colors[line],
                  align="center", fontSize=SIZE - 1)
            for at in across.ticks if here.get(at) is not None and (at - across.low) / span * width > 14
        ]  # fmt: skip
    return made
