"""Texts in SQL, where a statement takes no parameter: names, comments, paths."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def quoted(text: str | Path) -> str:
    """Return a text as an SQL literal."""
    doubled = str(text).replace("'", "''")
    return f"'{doubled}'"


def quoted_names(names: Iterable[str]) -> str:
    """Return names as SQL literals for IN (...). Without names it is the empty text, which no source or column has:
    NOT IN (NULL) would be true of nothing.

    >>> quoted_names(["b", "it's"]), quoted_names([])
    ("'b', 'it''s'", "''")
    """
    return ", ".join(map(quoted, sorted(names))) or "''"
