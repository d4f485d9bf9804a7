"""What several tables of the clinic make of the same frames."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps
from typing import Any


def once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make of the same arguments (the very same: frames are not compared) what was made of them before. It is kept for
    as long as somebody else has the first of them."""
    made: dict[tuple[int, ...], tuple[object, ...]] = {}

    @wraps(function)
    def answer(first: object, *others: object) -> object:
        key = tuple(map(id, (first, *others)))
        if key not in made:
            made[key] = function(first, *others), others  # those stay too, so that their numbers are no other's
            weakref.finalize(first, made.pop, key)
        return made[key][0]

    return answer
