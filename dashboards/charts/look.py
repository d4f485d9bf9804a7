"""How every picture looks: ink, sizes, axes and text. Sizes are pixels of a picture that is drawn 440 wide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.4.json"
WIDTH = 440
INK, SOFT, FAINT, GRID = "#1f2933", "#616e7c", "#9aa5b1", "#e4e7eb"
BLUE, ORANGE = "#0072b2", "#d55e00"  # Okabe & Ito 2008; orange only for what lies outside the 99.8 % limits
SERIES = (BLUE, INK, "#8c4a7f", "#00735a", "#8a5a00", SOFT)  # each 4.5:1 on white or more; every line has its name
RATER_COLORS = {"client": BLUE, "caregiver": SERIES[2], "therapist": INK, "observer": SERIES[3]}
FONT = "Liberation Sans, Arial, sans-serif"
SIZE = 13
LINE_APART = 15  # two lines of text
TITLE_ROOM = 34  # above the plot: the flat title of the y axis, and a label over the highest value
_NARROW, _WIDE = set("iljtfr.,:;'|!()[]- /"), set("mwMW%@")
Spec = dict[str, object]


def sheet(layers: list[Spec], height: int, margin: Mapping[str, int], **more: object) -> Spec:
    """A whole specification: layers on a plot of that height with room around it, WIDTH wide in all."""
    room = {"left": 4, "right": 4, "top": TITLE_ROOM, "bottom": 4, **margin}
    return {
        "$schema": SCHEMA,
        "width": WIDTH - room["left"] - room["right"],
        "height": height,
        "padding": room,
        "autosize": "none",
        "background": "white",
        "config": _CONFIG,
        "layer": layers,
        **more,
    }


_CONFIG = {
    "font": FONT,
    "aria": False,  # the picture as a whole has its text; a label on every mark would say nothing more
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": SIZE,
        "titleFontSize": SIZE,
        "titleFontWeight": "normal",
        "labelColor": SOFT,
        "titleColor": SOFT,
        "gridColor": GRID,
        "domainColor": FAINT,
        "tickColor": FAINT,
        "labelPadding": 6,
    },
    "text": {"fontSize": SIZE, "color": SOFT},
}


def y_axis(title: str, ticks: list[float], text: str) -> Spec:
    """A y axis without a line of its own: horizontal grid, its title flat above it."""
    flat = {"titleAngle": 0, "titleAlign": "left", "titleX": 0, "titleY": -18, "titleBaseline": "bottom"}
    return {"title": title, "values": ticks, "format": text, "domain": False, "ticks": False, "grid": True, **flat}


def x_axis(title: str, ticks: list | None = None, **more: object) -> Spec:
    """An x axis: line and ticks, no grid."""
    return {
        "title": title,
        **({} if ticks is None else {"values": ticks}),
        "grid": False,
        "tickSize": 4,
        "titlePadding": 10,
        "labelAngle": 0,
        **more,
    }


def encoded(**channels: Spec) -> Spec:
    """Channels that have something to say."""
    return {name: channel for name, channel in channels.items() if channel}


def words(text: str | list[str], x: float, y: float, color: str = SOFT, **more: object) -> Spec:
    """A text at a place of the plot in pixels."""
    mark = {"type": "text", "text": text, "color": color, "align": "left", "baseline": "middle", **more}
    return {"data": {"values": [{}]}, "mark": mark, "encoding": {"x": {"value": x}, "y": {"value": y}}}


def pixel(field: str, length: float) -> Spec:
    """A channel whose field is a place in pixels."""
    scale = {"domain": [0, length], "range": [0, length], "nice": False, "zero": False, "padding": 0}
    return {"field": field, "type": "quantitative", "axis": None, "scale": scale}


def as_given(field: str) -> Spec:
    """A channel whose field is a colour or a text, as it stands."""
    return {"field": field, "type": "nominal", "scale": None, "legend": None}


def series_colors(names: list[str]) -> list[str]:
    """A colour per line: a rater's is the same in every picture; the one line is blue."""
    if len(names) > 1 and set(names) <= RATER_COLORS.keys():
        return [RATER_COLORS[name] for name in names]
    return [SERIES[place % len(SERIES)] for place in range(len(names))] if len(names) > 1 else [BLUE][: len(names)]


def ends_of_lines(
    last: Mapping[str, tuple[str, float]], names: list[str], pixels: Callable[[float], float], height: int, width: int
) -> list[Spec]:
    """What stands to the right of each line, at its last value, in its colour; none over another."""
    color = dict(zip(names, series_colors(names), strict=True))
    places = spread([pixels(value) for _, value in last.values()], LINE_APART, height)
    return [
        words(text, width + 9, place, color[name], fontWeight=600)
        for (name, (text, _)), place in zip(last.items(), places, strict=True)
    ]


def text_width(text: str, size: int = SIZE) -> int:
    """About how wide a text is in Liberation Sans (as wide as Arial), on the safe side."""
    ems = sum(0.31 if c in _NARROW else 0.89 if c in _WIDE else 0.69 if c.isupper() else 0.56 for c in text)
    return round(ems * size) + 1


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines no wider than that, broken at spaces."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def spread(places: Iterable[float], apart: float, highest: float) -> list[float]:
    """Places moved as little as possible so that they are at least so far apart, none past `highest`."""
    wanted = list(places)
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    moved = dict.fromkeys(order, 0.0)
    for rank, index in enumerate(order):
        moved[index] = max(wanted[index], moved[order[rank - 1]] + apart) if rank else wanted[index]
    limit = highest
    for index in reversed(order):
        moved[index] = min(moved[index], limit)
        limit = moved[index] - apart
    return [moved[index] for index in range(len(wanted))]
