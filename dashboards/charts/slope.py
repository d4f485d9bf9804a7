"""A slope chart: a line per series between named columns, with the values at both ends."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from rapport.dashboards.charts.axes import Axis
from rapport.dashboards.charts.chart_columns import Chart, in_roles, is_percent, title
from rapport.dashboards.charts.lettering import ends_of_lines, spread, text_width
from rapport.dashboards.charts.style import LINE_APART, WIDTH, Spec, as_given, pixel, rule, series_colors, sheet, words
from rapport.dashboards.charts.values import decimals, label, shown, ticks

HEIGHT = 220
Place = tuple[str, str]  # series and column


def slope(rows: pl.DataFrame, chart: Chart) -> Spec:
    """The specification. `chart`: x (the columns), y, series; y_title, unit."""
    percent = is_percent(chart)
    data = in_roles(rows, chart, "x", "y").filter(pl.col("y").is_not_null())
    names = data["series"].unique(maintain_order=True).to_list()
    columns = data["x"].unique(maintain_order=True).to_list()
    places = decimals(data["y"].to_list(), percent=percent)
    known = {(row["series"], row["x"]): row["y"] for row in data.iter_rows(named=True)}
    texts = {key: shown(value, places, percent=percent) for key, value in known.items()}
    last = {name: (f"{texts[name, columns[-1]]} {name}", known[name, columns[-1]]) for name in names
            if (name, columns[-1]) in known}  # fmt: skip
    left = max((text_width(text) for text in texts.values()), default=0) + 16
    right = max((text_width(text) for text, _ in last.values()), default=0) + 16
    width = WIDTH - left - right
    at = ticks(min(known.values(), default=0), max(known.values(), default=1))
    up = Axis(at[0], at[-1], at)

    def pixels(value: float) -> float:
        return HEIGHT - up.pixels(value, HEIGHT)

    where = {column: width * place / max(len(columns) - 1, 1) for place, column in enumerate(columns)}
    layers = [rule(x, 0, x, HEIGHT) for x in where.values()]
    layers += _lines(known, names, where, pixels)
    layers += [*_beginnings(known, texts, names, columns, pixels), *ends_of_lines(last, names, pixels, HEIGHT, width)]
    layers += [
        words(
            label(column, str(chart["x"])),
            x,
            HEIGHT + 16,
            align="center" if 0 < x < width else "left" if not x else "right",
        )
        for column, x in where.items()
    ]
    layers.append(words(title(chart, "y"), -left + 2, -20))
    return sheet(layers, HEIGHT, {"left": left, "right": right, "top": 34, "bottom": 28})


def _lines(
    known: dict[Place, float], names: list[str], where: dict[str, float], pixels: Callable[[float], float]
) -> list[Spec]:
    color = dict(zip(names, series_colors(names), strict=True))
    path = [{"series": name, "x": where[x], "y": pixels(y), "color": color[name]} for (name, x), y in known.items()]
    place = {"x": pixel("x", WIDTH), "y": pixel("y", HEIGHT), "color": as_given("color")}
    line = {"data": {"values": path}, "mark": {"type": "line", "strokeWidth": 2.2}, "encoding": place}
    point = {"data": {"values": path}, "mark": {"type": "point", "filled": True, "size": 40, "opacity": 1}}
    return [{**line, "encoding": {**place, "detail": {"field": "series"}}}, {**point, "encoding": place}]


def _beginnings(
    known: dict[Place, float],
    texts: dict[Place, str],
    names: list[str],
    columns: list[str],
    pixels: Callable[[float], float],
) -> list[Spec]:
    first = [name for name in names if (name, columns[0]) in known]
    places = spread([pixels(known[name, columns[0]]) for name in first], LINE_APART, HEIGHT)
    color = dict(zip(names, series_colors(names), strict=True))
    return [
        words(texts[name, columns[0]], -9, place, color[name], align="right", fontWeight=600)
        for name, place in zip(first, places, strict=True)
    ]
