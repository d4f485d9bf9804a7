"""From one place to another: a line per series between named columns, with the values at both ends."""

from __future__ import annotations

import polars as pl

from dashboards.charts.look import (
    FAINT,
    LINE_APART,
    WIDTH,
    Spec,
    ends_of_lines,
    series_colors,
    sheet,
    spread,
    text_width,
    words,
)
from dashboards.charts.places import Axis
from dashboards.charts.roles import Chart, in_roles, is_percent, title
from dashboards.charts.values import decimals, label, shown, ticks

HEIGHT = 220


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
    up = Axis(at[0], at[-1], at, {})

    def pixels(value: float) -> float:
        return HEIGHT - up.pixels(value, HEIGHT)

    where = {column: width * place / max(len(columns) - 1, 1) for place, column in enumerate(columns)}
    layers = [_post(x) for x in where.values()]
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
    layers.append(words(title(chart, "y"), -left + 2, -18))
    return sheet(layers, HEIGHT, {"left": left, "right": right, "top": 34, "bottom": 28})


def _post(x: float) -> Spec:
    place = {"x": {"value": x}, "y": {"value": 0}, "y2": {"value": HEIGHT}}
    return {"data": {"values": [{}]}, "mark": {"type": "rule", "color": FAINT}, "encoding": place}


def _lines(known: dict, names: list[str], where: dict, pixels) -> list[Spec]:  # noqa: ANN001
    made = []
    for name, color in zip(names, series_colors(names), strict=True):
        path = [{"x": where[x], "y": pixels(y)} for (series, x), y in known.items() if series == name]
        scale = {"domain": [0, WIDTH], "range": [0, WIDTH], "nice": False, "zero": False}
        down = {"domain": [0, HEIGHT], "range": [0, HEIGHT], "nice": False, "zero": False}
        x = {"field": "x", "type": "quantitative", "axis": None, "scale": scale}
        y = {"field": "y", "type": "quantitative", "axis": None, "scale": down}
        mark = {"type": "line", "color": color, "strokeWidth": 2.2, "point": {"color": color, "size": 40}}
        made.append({"data": {"values": path}, "mark": mark, "encoding": {"x": x, "y": y}})
    return made


def _beginnings(known: dict, texts: dict, names: list[str], columns: list, pixels) -> list[Spec]:  # noqa: ANN001
    first = [name for name in names if (name, columns[0]) in known]
    places = spread([pixels(known[name, columns[0]]) for name in first], LINE_APART, HEIGHT)
    color = dict(zip(names, series_colors(names), strict=True))
    return [
        words(texts[name, columns[0]], -9, place, color[name], align="right", fontWeight=600)
        for name, place in zip(first, places, strict=True)
    ]
