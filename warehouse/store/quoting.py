"""Texts in SQL, where a statement takes no parameter: names, comments, paths."""

from __future__ import annotations

from pathlib import Path


def quoted(text: str | Path) -> str:
    """Return a text as an SQL literal."""
    doubled = str(text).replace("'", "''")
    return f"'{doubled}'"
