"""A line over time or sessions, with the band of its interval. Several lines are named at their ends."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from rapport.dashboards.charts.axes import Axis, across_axis, along, thresholds, up_axis
from rapport.dashboards.charts.chart_columns import Chart, in_roles, is_percent, title
from rapport.dashboards.charts.lettering import ends_of_lines, text_width
from rapport.dashboards.charts.style import BLUE, SOFT, WIDTH, Spec, by_series, sheet, words
from rapport.dashboards.charts.values import HIDDEN, decimals, shown, ticks

HEIGHT = 230
LEFT = 44
BELOW = 54  # room for the labels and the title of x


def line(rows: pl.DataFrame, chart: Chart) -> Spec:
    """The specification. `chart`: x, y; low and high, series; y_title, x_title, unit, thresholds."""
    percent = is_percent(chart)
    data = in_roles(rows, chart, "x", "y", "low", "high")
    names = data["series"].unique(maintain_order=True).to_list()
    last = last_values(data, names, percent=percent)
    right = max((text_width(text) for text, _ in last.values()), default=0) + 14
    width = WIDTH - LEFT - right
    where, across = along(data["x"], width)
    up = _up(data, chart)
    data = data.with_columns(where.alias("x"))

    def pixels(value: float) -> float:
        return HEIGHT - up.pixels(value, HEIGHT)

    marks = [*up_axis(up, title(chart, "y"), width, HEIGHT, percent=percent)]
    marks += across_axis(across, title(chart, "x"), width, HEIGHT)
    marks += [*thresholds(chart.get("thresholds", ()), up, width, HEIGHT), *_drawn(data, across, up, names)]
    marks += [*_hidden(data, across, width), *ends_of_lines(last, names, pixels, HEIGHT, width)]
    marks += _first(data, names, percent, lambda value: across.pixels(value, width), pixels)
    return sheet(marks, HEIGHT, {"left": LEFT, "right": right, "bottom": BELOW if title(chart, "x") else BELOW - 24})


def last_values(data: pl.DataFrame, names: list[str], *, percent: bool) -> dict[str, tuple[str, float]]:
    """The text at each line's end (its name and last value), and the last value, by series."""
    known = data.filter(pl.col("y").is_not_null())
    places = decimals(known["y"].to_list(), percent=percent)
    last = {name: known.filter(pl.col("series") == name)["y"].to_list()[-1:] for name in names}
    texts = {name: (value[0], shown(value[0], places, percent=percent)) for name, value in last.items() if value}
    return {name: (f"{name} {text}".strip(), value) for name, (value, text) in texts.items()}


def _up(data: pl.DataFrame, chart: Chart) -> Axis:
    seen = [float(value) for name in ("y", "low", "high") for value in data[name].drop_nulls()]
    seen += [float(each["at"]) for each in chart.get("thresholds", ()) if seen]
    room = 0.08 * (max(seen) - min(seen)) if seen else 0  # under the lowest value: its label, and dashes
    low = min(seen) - room if seen and min(seen) - room > 0 else min(seen, default=0.0)
    at = ticks(low, max(seen, default=1.0))
    return Axis(at[0], at[-1], at)


def _drawn(data: pl.DataFrame, across: Axis, up: Axis, names: list[str]) -> list[Spec]:
    x, y, color = across.channel("x"), up.channel("y"), by_series(names)
    known = data.filter(pl.col("y").is_not_null())
    is_known = pl.col("y").is_not_null()  # at a hidden value, the band has a gap, like the line
    band = data.with_columns(pl.when(is_known).then(name).alias(name) for name in ("low", "high"))
    path = {"type": "line", "strokeWidth": 2.2, "strokeJoin": "round", "invalid": "break-paths-show-domains"}
    point = {"type": "point", "filled": True, "size": 34, "opacity": 1, "stroke": "white", "strokeWidth": 1}
    shade = {"x": x, "y": up.channel("low"), "y2": {"field": "high"}, "color": color}
    layers = [
        {"data": {"values": data.select("x", "y", "series").to_dicts()}, "mark": path},
        {"data": {"values": known.select("x", "y", "series").to_dicts()}, "mark": point},
    ]
    layers = [{**layer, "encoding": {"x": x, "y": y, "color": color}} for layer in layers]
    area = {"type": "area", "opacity": 0.18 if len(names) == 1 else 0.12, "invalid": "break-paths-show-domains"}
    shaded = {"data": {"values": band.drop("y").to_dicts()}, "mark": area, "encoding": shade}
    return layers if band["low"].is_null().all() else [shaded, *layers]


def _hidden(data: pl.DataFrame, across: Axis, width: float) -> list[Spec]:
    """A dash above the axis where a value is hidden or missing."""
    places = data.filter(pl.col("y").is_null())["x"].unique(maintain_order=True)
    return [words(HIDDEN, across.pixels(place, width), HEIGHT - 8, SOFT, align="center") for place in places]


def _first(
    data: pl.DataFrame,
    names: list[str],
    percent: bool,
    start: Callable[[float], float],
    pixels: Callable[[float], float],
) -> list[Spec]:
    """The first value of a single line, under or above its beginning."""
    known = data.filter(pl.col("y").is_not_null())
    if len(names) != 1 or known.height < 3:
        return []
    y, places = pixels(known["y"][0]), decimals(known["y"].to_list(), percent=percent)
    is_under = known["y"][1] >= known["y"][0] and y < HEIGHT - 34  # lower down, dashes may be
    text = shown(known["y"][0], places, percent=percent)
    return [words(text, start(known["x"][0]) - 2, y + (16 if is_under else -14), BLUE, fontWeight=600)]
