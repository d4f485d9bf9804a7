"""What several tables of the clinic make of the same frames."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


def computed_once(function: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """Make of the same arguments (the very same: frames are not compared) what was made of them before. It is kept for
    as long as somebody else has the first of them."""
    made: dict[tuple[int, ...], tuple[_Made, tuple[object, ...]]] = {}

    @wraps(function)
    def answer(*given: _Given.args, **named: _Given.kwargs) -> _Made:
        first, *others = list(given) + list(named.values())
        key = tuple(map(id, (first, *others)))
        if key not in made:
            made[key] = function(*given, **named), tuple(others)  # those stay too: their numbers are no other's
            weakref.finalize(first, made.pop, key)
        return made[key][0]

    return answer
