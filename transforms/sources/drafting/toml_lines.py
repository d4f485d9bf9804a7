"""Lines of TOML, each with a comment where somebody must look at it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date


def line(key: str, value: object, asked: str | None = None) -> str:
    """`key = value`; with `# ?` and what is asked, where something is."""
    return f"{key} = {written(value)}" + ("" if asked is None else f"  # ? {asked}".rstrip())


def written(value: object) -> str:
    """A value as TOML."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{written(str(word))} = {written(each)}" for word, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, date):
        return value.isoformat()
    # TOML has no escape of half a character, and JSON's of a control character are TOML's.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def key(name: str) -> str:
    """A name as part of a key: bare where TOML takes it so."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else written(name)


def commented(lines: Iterable[str]) -> list[str]:
    return [f"# {each}" for each in lines]
