"""Kinds of values in a TOML file: each with its name in errors, its test, its JSON schema and its conversion."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from rapport.warehouse.errors import escaped, one_line

MOST = 1_000_000_000  # the limit of any number: it fits into an integer column
LARGEST = 1_000_000  # the limit of an answer or a score: it stays exact in four bytes
LONGEST_DAYS = 36_500  # the limit of a time span: a hundred years
A_YEAR = 8784  # hours
_HOURS = {"hour": 1, "day": 24, "week": 7 * 24}


@dataclass(frozen=True)
class Kind:
    """A kind of value: its name in errors, its test, its JSON schema, and its conversion `read(key, value)`, which
    raises ValueError for a value without a meaning."""

    told: str
    is_one: Callable[[object], bool]
    schema: dict[str, Any]
    read: Callable[[str, Any], Any] = lambda _, value: value


def one_of(key: str, word: object, words: Collection[str]) -> str:
    """Return the word. Raises ValueError, with the key, where it is not one of the words."""
    if not isinstance(word, str) or word not in words:
        raise ValueError(f"{key} = '{word}' is not one of {', '.join(words)}")
    return word


def nearest(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return a hint: the similar known name, as a question; `otherwise` where there is none.

    A name of the same letters goes first.

    >>> nearest("flies", ["lines", "files"], "")
    "did you mean 'files'?"
    """
    near = difflib.get_close_matches(name, list(known))
    swapped = [each for each in near if sorted(each) == sorted(name)]
    return f"did you mean '{(swapped or near)[0]}'?" if near else otherwise


def name_in_one_line(where: str, name: str) -> str:
    """Return a name that can be shown, logged and hashed. Raises ValueError for any other text."""
    if not name.strip() or name != one_line(name):
        raise ValueError(
            f"{where} = '{name}' is not a name: give it a short text of one line, without control characters"
        )
    return name


@cache
def regions() -> frozenset[str]:
    """Return IANA's names of regions, Area/Location, from a package and not from the machine. EST and Etc/GMT+5 are not
    among them, because they have no summer time. Names that a machine sets for itself are not among them either."""
    names = files("tzdata").joinpath("zones").read_text(encoding="ascii").split()
    return frozenset(name for name in names if "/" in name and not name.startswith("Etc/")) | {"UTC", "Etc/UTC"}


def zone_name(key: str, name: object) -> str:
    """Return the name of a region of IANA's time zones, or UTC. Raises ValueError for another name."""
    if not isinstance(name, str) or name not in regions():
        raise ValueError(f"{key} = '{name}' is not an IANA time zone of a region, such as America/Chicago, or UTC")
    return name


def time_span(key: str, text: object, most_days: int = LONGEST_DAYS) -> timedelta:
    """Return a time span, written as a number of hours, days or weeks. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,20}) (hour|day|week)s?", str(text))
    if not found:
        raise ValueError(f"{key} = '{text}' is not a number of hours, days or weeks such as '1 day'")
    hours = int(found[1]) * _HOURS[found[2]]
    if not 0 < hours <= most_days * 24:
        raise ValueError(f"{key} = '{text}' is not a span from 1 hour to {most_days:,} days")
    return timedelta(hours=hours)


def _is_number(value: object, least: float = -MOST, most: float = MOST) -> bool:
    """Return whether a value is a number within bounds, so neither infinite nor NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_word(value: object) -> bool:
    return _is_text(value) or _is_number(value)


def _is_path(value: object) -> bool:
    """Return whether a file system can have such a name."""
    is_one_line = isinstance(value, str) and bool(value.strip()) and value == escaped(value)
    return is_one_line and all(len(part.encode()) < 256 for part in str(value).split("/"))


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str | date) and bool(_day("", value))
    except ValueError:
        return False


def _day(_: str, value: object) -> date:
    return date.fromisoformat(str(value))


def _together(_: str, value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _numeric(told: str, least: float, most: float = MOST, *, is_whole: bool = False) -> Kind:
    def is_one(value: object) -> bool:
        return _is_number(value, least, most) and (not is_whole or isinstance(value, int))

    return Kind(told, is_one, {"type": "integer" if is_whole else "number", "minimum": least, "maximum": most})


def _listed(told: str, of: Kind, count: int | None = None) -> Kind:
    """Return the kind of a list of values of one kind, read as a tuple; of `count` values, where it is given."""

    def is_one(value: object) -> bool:
        return isinstance(value, list) and all(map(of.is_one, value)) and count in (None, len(value))

    sizes = {} if count is None else {"minItems": count, "maxItems": count}
    schema = {"type": "array", "items": of.schema, **sizes}
    return Kind(told, is_one, schema, lambda key, value: tuple(of.read(key, each) for each in value))


_A_TEXT: dict[str, Any] = {"type": "string", "pattern": r"\S"}
_TEXT = Kind("text in quotes", _is_text, _A_TEXT)
_NUMBER = _numeric(f"a number, from {-MOST:,} to {MOST:,}", -MOST)
_INTEGER = _numeric(f"a whole number, from {-MOST:,} to {MOST:,}", -MOST, is_whole=True)
_HOURS_LONG = _numeric(f"a number of hours, from 0 to {A_YEAR:,} (a year)", 0, A_YEAR)
_ANSWER = _numeric(f"a number, from {-LARGEST:,} to {LARGEST:,}", -LARGEST, LARGEST)
_WORD = Kind("text in quotes, or a number", _is_word, {"anyOf": [_A_TEXT, _NUMBER.schema]}, lambda _, word: str(word))
_TEXTS = _listed('a list of texts such as ["a", "b"]', _TEXT)
_A_SECTION: dict[str, Any] = {"type": "object"}

KINDS: dict[str, Kind] = {
    "text": _TEXT,
    "path": Kind("the name of a file or folder beside the clinic file", _is_path, _A_TEXT),
    "name": Kind(f"{_TEXT.told}, of one line", _is_text, _A_TEXT, name_in_one_line),
    "time zone": Kind(f"{_TEXT.told}, a time zone", _is_text, _A_TEXT, zone_name),
    "time span": Kind(
        f'{_TEXT.told}, such as "1 day"',
        _is_text,
        {"type": "string", "pattern": "^[0-9]+ (hour|day|week)s?$"},
        time_span,
    ),
    "number": _NUMBER,
    "share": _numeric("a number, a share from 0 to 1", 0, 1),
    "deviation": _numeric(f"a number, a standard deviation above 0, to {LARGEST:,}", 1e-9, LARGEST),
    "integer": _INTEGER,
    "count": _numeric(f"a whole number, from 1 to {MOST:,}", 1, is_whole=True),
    "two or more": _numeric(f"a whole number, from 2 to {MOST:,}", 2, is_whole=True),
    "years": _numeric("a whole number of years, from 1 to 100", 1, 100, is_whole=True),
    "age": _numeric("an age in years, from 0 to 150", 0, 150, is_whole=True),
    "hours": _HOURS_LONG,
    "answer": _ANSWER,
    "answers": _listed(f"a list of numbers from {-LARGEST:,} to {LARGEST:,}", _ANSWER),
    "day": Kind('a day such as "2026-11-22"', _is_day, {"type": "string", "format": "date"}, _day),
    "texts": _TEXTS,
    "hours before and after": _listed(
        f"two numbers of hours, before and after, such as [48, 72], neither above {A_YEAR:,} (a year)", _HOURS_LONG, 2
    ),
    "numbers": _listed(f"a list of numbers such as [1, 2.5], none beyond {MOST:,}", _NUMBER),
    "integers": _listed("a list of whole numbers such as [1, 2]", _INTEGER),
    "text or texts": Kind(
        "text in quotes, or a list of texts",
        lambda value: bool(value) and (_is_text(value) or _TEXTS.is_one(value)),
        {"anyOf": [_A_TEXT, {**_TEXTS.schema, "minItems": 1}]},
        _together,
    ),
    "truth": Kind("true or false", lambda value: isinstance(value, bool), {"type": "boolean"}),
    "word": _WORD,
    "words": _listed('a list such as ["NA", "-99"]', _WORD),
    "section": Kind("a section of its own", lambda value: isinstance(value, dict), _A_SECTION),
    "text or section": Kind(
        "text in quotes, or { column, words }",
        lambda value: _is_text(value) or isinstance(value, dict),
        {"anyOf": [_A_TEXT, _A_SECTION]},
    ),
}
