"""Texts that fit: their width, their line breaks, and the space between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from rapport.dashboards.charts.style import LINE_APART, SIZE, Spec, series_colors, words

_NARROW, _WIDE = set("iljtfr.,:;'|!()[]- /"), set("mwMW%@")


def text_width(text: str, size: int = SIZE) -> int:
    """About the width of a text in pixels in Liberation Sans (as wide as Arial), rounded up."""
    ems = sum(0.31 if c in _NARROW else 0.89 if c in _WIDE else 0.69 if c.isupper() else 0.56 for c in text)
    return round(ems * size) + 1


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines that are at most `width` pixels wide, broken at spaces."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def spread(places: Iterable[float], apart: float, highest: float) -> list[float]:
    """Places moved as little as possible, so that they are at least `apart` from each other and at most `highest`."""
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


def ends_of_lines(
    last: Mapping[str, tuple[str, float]], names: list[str], pixels: Callable[[float], float], height: int, width: int
) -> list[Spec]:
    """The text to the right of each line, at its last value and in its colour. No text covers another."""
    color = dict(zip(names, series_colors(names), strict=True))
    places = spread([pixels(value) for _, value in last.values()], LINE_APART, height)
    return [
        words(text, width + 9, place, color[name], fontWeight=600)
        for (name, (text, _)), place in zip(last.items(), places, strict=True)
    ]
