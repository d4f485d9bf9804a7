"""A number with its operator, such as "< 36" or ">= 10". The operator says whether the number itself counts."""

from __future__ import annotations

import re
from dataclasses import dataclass

OPERATORS = ("<", "<=", ">", ">=")
_WRITTEN = re.compile(r"(<=|>=|<|>) (-?[0-9]{1,6}(?:\.[0-9]{1,6})?)")


@dataclass(frozen=True)
class Comparison:
    """An operator and a number."""

    operator: str
    value: float

    def __str__(self) -> str:
        return f"{self.operator} {self.value:g}"


def comparison(where: str, text: str) -> Comparison:
    """Return the comparison in a text. Raises ValueError, which begins with `where`."""
    found = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError(f"{where} = '{text}' is not an operator and a number such as '>= 10' or '< 36'")
    return Comparison(found[1], float(found[2]))
