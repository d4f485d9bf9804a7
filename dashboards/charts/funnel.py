"""A funnel: shares by the number of people behind them, with the limits of chance. Only points outside are named."""

from __future__ import annotations

import polars as pl

from rapport.dashboards.charts.axes import Axis, across_axis, up_axis
from rapport.dashboards.charts.chart_columns import Chart, in_roles, is_percent, title
from rapport.dashboards.charts.lettering import spread, text_width
from rapport.dashboards.charts.style import (
    BLUE,
    FAINT,
    LINE_APART,
    ORANGE,
    SIZE,
    SOFT,
    WIDTH,
    Spec,
    as_given,
    sheet,
    words,
)
from rapport.dashboards.charts.values import decimals, shown, ticks

HEIGHT = 240
LEFT, BELOW = 50, 54
LIMITS = ("low_998", "high_998", "low_95", "high_95")
Box = tuple[float, float, float, float]


def funnel(rows: pl.DataFrame, chart: Chart) -> Spec:
    """The specification. `chart`: x, y, target, low_95, high_95, low_998, high_998; series names the points."""
    percent = is_percent(chart)
    data = in_roles(rows, chart, "x", "y", "target", *LIMITS).sort("x")
    points = data.filter(pl.col("y").is_not_null())
    target = next(iter(data["target"].drop_nulls()), None)
    average = shown(target, decimals(data["target"].to_list(), percent=percent), percent=percent)
    names = ("99.8% limit", "95% limit", f"Average {average}")
    right = max(map(text_width, names)) + 14
    width = WIDTH - LEFT - right
    across, up = _axes(data, width)
    at = points.with_columns(
        px=pl.col("x").map_elements(lambda x: across.pixels(x, width), return_dtype=pl.Float64),
        py=pl.col("y").map_elements(lambda y: HEIGHT - up.pixels(y, HEIGHT), return_dtype=pl.Float64),
        where=_where(),
    )
    marks = [*up_axis(up, title(chart, "y"), width, HEIGHT, percent=percent)]
    marks += across_axis(across, title(chart, "x"), width, HEIGHT)
    marks += [*_limits(data, across, up), _points(at, across, up)]
    marks += [*_names_of_limits(data, names, up, width), *_names_of_points(at, width)]
    return sheet(marks, HEIGHT, {"left": LEFT, "right": right, "bottom": BELOW})


def _where() -> pl.Expr:
    """'inside' the limits, 'outside' the 95 % limits, or 'far': outside the 99.8 % limits."""
    far = (pl.col("y") < pl.col("low_998")) | (pl.col("y") > pl.col("high_998"))
    near = (pl.col("y") < pl.col("low_95")) | (pl.col("y") > pl.col("high_95"))
    return pl.when(far).then(pl.lit("far")).when(near).then(pl.lit("outside")).otherwise(pl.lit("inside"))


def _axes(data: pl.DataFrame, width: int) -> tuple[Axis, Axis]:
    along = ticks(0, max(data["x"].drop_nulls().to_list(), default=0) or 1, max(width // 60, 2))
    seen = [value for name in ("y", *LIMITS) for value in data[name].drop_nulls()]
    up = ticks(max(min([*seen, 0.5]), 0), min(max([*seen, 0.5]), 1)) if seen else [0.0, 1.0]
    return Axis(0, along[-1], along), Axis(up[0], up[-1], up)


def _limits(data: pl.DataFrame, across: Axis, up: Axis) -> list[Spec]:
    x, values = (
        across.channel("x"),
        {"values": data.unique("x", maintain_order=True).select("x", "target", *LIMITS).to_dicts()},
    )
    bands = []
    for width, color in (("998", "#f0f2f5"), ("95", "#dfe3e8")):
        between = {"x": x, "y": up.channel(f"low_{width}"), "y2": {"field": f"high_{width}"}}
        mark = {"type": "area", "color": color, "interpolate": "monotone", "clip": True}
        bands.append({"data": values, "mark": mark, "encoding": between})
    average = {
        "data": values,
        "mark": {"type": "line", "color": FAINT},
        "encoding": {"x": x, "y": up.channel("target")},
    }
    return [*bands, average]


def _points(at: pl.DataFrame, across: Axis, up: Axis) -> Spec:
    looks = {"inside": (SOFT, "circle", 48), "outside": (BLUE, "circle", 48), "far": (ORANGE, "diamond", 110)}
    values = [
        {"x": x, "y": y, **dict(zip(("color", "shape", "size"), looks[where], strict=True))}
        for x, y, where in at.select("x", "y", "where").iter_rows()
    ]
    mark = {"type": "point", "filled": True, "opacity": 1, "stroke": "white", "strokeWidth": 0.8}
    seen = {"x": across.channel("x"), "y": up.channel("y"), "color": as_given("color"), "shape": as_given("shape")}
    seen["size"] = {**as_given("size"), "type": "quantitative"}
    return {"data": {"values": values}, "mark": mark, "encoding": seen}


def _names_of_limits(data: pl.DataFrame, names: tuple[str, ...], up: Axis, width: int) -> list[Spec]:
    last = {name: next(iter(data[name].drop_nulls().reverse()), 0) for name in ("high_998", "high_95", "target")}
    wanted = [HEIGHT - up.pixels(value, HEIGHT) for value in last.values()]
    places = spread(wanted, LINE_APART, HEIGHT)
    return [words(name, width + 8, place) for name, place in zip(names, places, strict=True)]


def _names_of_points(at: pl.DataFrame, width: int) -> list[Spec]:
    """The names of the points outside the limits. A point without free space near it has no name."""
    taken = [_box(x, y, 8, 8) for x, y in at.select("px", "py").iter_rows()]
    made = []
    for row in at.filter(pl.col("where") != "inside", pl.col("series") != "").iter_rows(named=True):
        long = text_width(row["series"], SIZE - 1)
        for dx, dy in ((0, -13), (0, 13), (long / 2 + 9, 0), (-long / 2 - 9, 0)):
            x, y = row["px"] + dx, row["py"] + dy
            box = _box(x, y, long, SIZE - 1)
            if long / 2 < x < width - long / 2 and not any(_meet(box, other) for other in taken):
                taken.append(box)
                color = ORANGE if row["where"] == "far" else BLUE
                made.append(words(row["series"], x, y, color, align="center", fontWeight=600, fontSize=SIZE - 1))
                break
    return made


def _box(x: float, y: float, wide: float, high: float) -> Box:
    return (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
