"""The look of every picture: colours, sizes, lines and text. Sizes are pixels of a picture that is 440 pixels wide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.4.json"
WIDTH = 440
INK, SOFT, FAINT, GRID = "#1f2933", "#616e7c", "#9aa5b1", "#e4e7eb"
BLUE, ORANGE = "#0072b2", "#d55e00"  # Okabe & Ito 2008; orange only for points outside the 99.8 % limits
SERIES = (BLUE, INK, "#8c4a7f", "#00735a", "#8a5a00", SOFT)  # contrast on white at least 4.5:1; lines also have names
RATER_COLORS = {"client": BLUE, "caregiver": SERIES[2], "therapist": INK, "observer": SERIES[3]}
FONT = "Liberation Sans, Arial, sans-serif"
SIZE = 13
LINE_APART = 15  # two lines of text
TITLE_ROOM = 34  # above the plot, for the title of the y axis and a label over the highest value
Spec = dict[str, Any]
_CONFIG = {
    "font": FONT,
    "aria": False,  # the picture has a text of its own; a label on every mark would add nothing
    "view": {"stroke": None},
}


def sheet(marks: list[Spec], height: int, margin: Mapping[str, int]) -> Spec:
    """A complete specification: marks on a plot of this height with margins, WIDTH pixels wide in all.

    All straight lines are one layer under the data, and all texts are one layer over it. A layer for each of them, or
    Vega's own axes, would take half of the drawing time.
    """
    room = {"left": 4, "right": 4, "top": TITLE_ROOM, "bottom": 4, **margin}
    rules, texts = ([mark[kind] for mark in marks if kind in mark] for kind in ("rule", "words"))
    return {
        "$schema": SCHEMA,
        "width": WIDTH - room["left"] - room["right"],
        "height": height,
        "padding": room,
        "autosize": "none",
        "background": "white",
        "config": _CONFIG,
        "layer": [_rules(rules), *(mark for mark in marks if "mark" in mark), _texts(texts)],
    }


def words(text: str | list[str], x: float, y: float, color: str = SOFT, **more: object) -> Spec:
    """A text at a place of the plot in pixels. A list has the text's lines; the place is the middle of the first."""
    look = {"align": "left", "fontSize": SIZE, "fontWeight": 400}
    return {"words": {"text": text, "x": x, "y": y, "color": color, **look, **more}}


def rule(x: float, y: float, x2: float, y2: float, color: str = FAINT, **more: object) -> Spec:
    """A straight line between two places of the plot in pixels."""
    look = {"strokeDash": [], "strokeWidth": 1}
    return {"rule": {"x": x, "y": y, "x2": x2, "y2": y2, "color": color, **look, **more}}


def _rules(records: list[Spec]) -> Spec:
    mark = {"type": "rule", "strokeDash": _own("strokeDash"), "strokeWidth": _own("strokeWidth")}
    encoding = {name: {"value": _own(name)} for name in ("x", "y", "x2", "y2", "color")}
    return {"data": {"values": records}, "mark": mark, "encoding": encoding}


def _texts(records: list[Spec]) -> Spec:
    mark = {"type": "text", "baseline": "middle", "lineHeight": LINE_APART}
    mark |= {name: _own(name) for name in ("align", "fontSize", "fontWeight")}
    encoding: Spec = {name: {"value": _own(name)} for name in ("x", "y", "color")}
    encoding["text"] = {"field": "text", "type": "nominal"}
    return {"data": {"values": records}, "mark": mark, "encoding": encoding}


def _own(name: str) -> Spec:
    """An expression for the record's own value."""
    return {"expr": f"datum.{name}"}


def pixel(field: str, length: float) -> Spec:
    """A channel whose field is a place in pixels."""
    scale = {"domain": [0, length], "range": [0, length], "nice": False, "zero": False, "padding": 0}
    return {"field": field, "type": "quantitative", "axis": None, "scale": scale}


def as_given(field: str) -> Spec:
    """A channel whose field is used directly, such as a colour."""
    return {"field": field, "type": "nominal", "scale": None, "legend": None}


def series_colors(names: list[str]) -> list[str]:
    """A colour per line. A rater's colour is the same in every picture; a single line is blue."""
    if len(names) > 1 and set(names) <= RATER_COLORS.keys():
        return [RATER_COLORS[name] for name in names]
    return [SERIES[place % len(SERIES)] for place in range(len(names))] if len(names) > 1 else [BLUE][: len(names)]


def by_series(names: list[str]) -> Spec:
    """The channel that gives every line its colour."""
    scale = {"domain": names, "range": series_colors(names)}
    return {"field": "series", "type": "nominal", "legend": None, "scale": scale}
