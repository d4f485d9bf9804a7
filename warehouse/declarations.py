"""What a TOML file written by hand may say: known keys, each with its kind of value.

Every refusal is a ValueError that names the key and says what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_list(value: object, of: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(map(of, value))


def _is_day(value: object) -> bool:
    try:
        return bool(date.fromisoformat(str(value)))
    except ValueError:
        return False


_MEANINGS: dict[str, tuple[str, Callable[[object], bool]]] = {
    "text": ("text in quotes", _is_text),
    "number": ("a number", _is_number),
    "integer": ("a whole number", _is_integer),
    "day": ('a day such as "2026-11-22"', _is_day),
    "texts": ('a list of texts such as ["a", "b"]', lambda value: _is_list(value, _is_text)),
    "numbers": ("a list of numbers such as [1, 2.5]", lambda value: _is_list(value, _is_number)),
    "text or texts": (
        "text in quotes, or a list of texts",
        lambda value: _is_text(value) or (_is_list(value, _is_text) and bool(value)),
    ),
    "truth": ("true or false", lambda value: isinstance(value, bool)),
    "integers": ("a list of whole numbers such as [1, 2]", lambda value: _is_list(value, _is_integer)),
    "words": ('a list such as ["NA", "-99"]', lambda value: _is_list(value, lambda v: _is_text(v) or _is_number(v))),
    "section": ("a section of its own", lambda value: isinstance(value, dict)),
    "text or section": (
        "text in quotes, or { column, words }",
        lambda value: _is_text(value) or isinstance(value, dict),
    ),
}


def known(where: str, facts: Mapping[str, object], kinds: Mapping[str, str], needed: Collection[str] = ()) -> None:
    """Refuse a key that is not known, not of its kind, or missing."""
    for key, value in facts.items():
        if key not in kinds:
            near = difflib.get_close_matches(key, kinds, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"known keys are {', '.join(sorted(kinds))}"
            raise ValueError(f"{where} has the unknown key '{key}'; {hint}")
        meaning, is_one = _MEANINGS[kinds[key]]
        if not is_one(value):
            raise ValueError(f"{where}: '{key}' must be {meaning}")
    for key in sorted(needed):
        if key not in facts:
            raise ValueError(f"{where} has no key '{key}'; add it")


def one_of(key: str, word: str | None, words: Collection[str]) -> str:
    """The word, if it is one of the words."""
    if word not in words:
        raise ValueError(f"{key} = '{word}' is not one of {', '.join(words)}")
    return word


def zone_name(key: str, name: object) -> str:
    """The name of an IANA time zone."""
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, TypeError, OSError):
        raise ValueError(f"{key} = '{name}' is not an IANA time zone such as America/Chicago") from None


def time_span(key: str, text: object) -> timedelta:
    """A number of hours, days or weeks."""
    number, _, unit = str(text).partition(" ")
    unit = unit.rstrip("s")
    if not number.isdigit() or unit not in ("hour", "day", "week"):
        raise ValueError(f"{key} = '{text}' is not a number of hours, days or weeks such as '1 day'")
    return timedelta(**{f"{unit}s": int(number)})
