"""Values as text. They are not rounded here, so that a picture, its table and its sentence show the same digits."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

HIDDEN = "–"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def label(value: object, column: str) -> str:
    """A code in readable form: a questionnaire in capitals, a weekday by name, other words without underscores."""
    if column == "weekday" and isinstance(value, int):
        return WEEKDAYS[value - 1]
    if not isinstance(value, str):
        return shown(value)
    return value.replace("_", "-").upper() if column.endswith("instrument") else value.replace("_", " ")


def is_share(column: str) -> bool:
    """Whether a column holds shares, 0 to 1, which are shown in percent."""
    return column == "share" or column.endswith("_share")


def decimals(values: list[Any], *, percent: bool = False) -> int:
    """The number of decimals of the column's longest value. The query rounds values, a picture does not."""
    found = [_exactly(value, percent) for value in values if isinstance(value, float) and math.isfinite(value)]
    exponents = [int(value.normalize().as_tuple().exponent) for value in found]  # a finite number's exponent is one too
    return max((max(-exponent, 0) for exponent in exponents), default=0)


def shown(value: object, places: int = 0, *, percent: bool = False) -> str:
    """A value as text; a dash for None."""
    if value is None:
        return HIDDEN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int):
        text = f"{_exactly(value, percent) + 0:,.{places}f}{'%' if percent else ''}"
        return text.replace("-", "−")
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _exactly(value: float, percent: bool) -> Decimal:
    exact = Decimal(repr(value))
    return exact * 100 if percent else exact


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """About `about` round numbers at equal distances. The first is at most `low`, the last at least `high`."""
    if not high > low:
        low, high = low - 0.5, high + 0.5
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    sizes = (1, 2, 2.5, 5, 10) if power >= 9 or 0.09 < power < 0.2 else (1, 2, 5, 10)  # 25 and 0.25, but not 2.5
    step = next(power * size for size in sizes if power * size >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def tick_places(at: list[float], *, percent: bool = False) -> int:
    """The decimals that the labels of ticks need."""
    return decimals([float(tick) for tick in at], percent=percent)
