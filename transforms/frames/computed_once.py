"""Results that several tables of the clinic compute from the same frames."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


def computed_once(function: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
    """Return the earlier result for the same argument objects (frames are not compared). A result is kept while its
    first argument exists elsewhere."""
    made: dict[tuple[int, ...], tuple[_Made, tuple[object, ...]]] = {}

    @wraps(function)
    def answer(*given: _Given.args, **named: _Given.kwargs) -> _Made:
        first, *others = list(given) + list(named.values())
        key = tuple(map(id, (first, *others)))
        if key not in made:
            made[key] = function(*given, **named), tuple(others)  # kept, so that their id() is not used again
            weakref.finalize(first, made.pop, key)
        return made[key][0]

    return answer
