"""What a TOML file written by hand may say: known keys, each with its kind of value.

Every refusal is a ValueError that names the key and says what to do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

from rapport.warehouse.errors import escaped, one_line

MOST = 1_000_000_000  # of any number: more digits than anybody means, and fewer than an integer column has
LARGEST = 1_000_000  # of an answer or a score: as exact in four bytes as it is written
LONGEST_DAYS = 36_500  # of any span: a hundred years


def _is_number(value: object, least: float = -MOST, most: float = MOST) -> bool:
    """Within bounds, so never infinite and never NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _is_integer(value: object, least: int = -MOST, most: int = MOST) -> bool:
    return isinstance(value, int) and _is_number(value, least, most)


def _is_answer(value: object) -> bool:
    return _is_number(value, -LARGEST, LARGEST)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_path(value: object) -> bool:
    """Whether a file system can have it."""
    return _is_text(value) and value == escaped(value) and all(len(part.encode()) < 256 for part in value.split("/"))


def _is_list(value: object, of: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(map(of, value))


def _is_day(value: object) -> bool:
    try:
        return bool(date.fromisoformat(str(value)))
    except ValueError:
        return False


_MEANINGS: dict[str, tuple[str, Callable[[object], bool]]] = {
    "text": ("text in quotes", _is_text),
    "path": ("the name of a file or folder beside the clinic file", _is_path),
    "number": (f"a number, from {-MOST:,} to {MOST:,}", _is_number),
    "integer": (f"a whole number, from {-MOST:,} to {MOST:,}", _is_integer),
    "count": (f"a whole number, from 1 to {MOST:,}", lambda value: _is_integer(value, 1)),
    "age": ("an age in years, from 0 to 150", lambda value: _is_integer(value, 0, 150)),
    "hours": ("a number of hours, from 0 to 8,784 (a year)", lambda value: _is_number(value, 0, 8784)),
    "answer": (f"a number, from {-LARGEST:,} to {LARGEST:,}", _is_answer),
    "answers": (f"a list of numbers from {-LARGEST:,} to {LARGEST:,}", lambda value: _is_list(value, _is_answer)),
    "day": ('a day such as "2026-11-22"', _is_day),
    "texts": ('a list of texts such as ["a", "b"]', lambda value: _is_list(value, _is_text)),
    "hours before and after": (
        "two numbers of hours, before and after, such as [48, 72], neither above 8,784 (a year)",
        lambda value: _is_list(value, lambda each: _is_number(each, 0, 8784)) and len(value) == 2,
    ),
    "numbers": (
        f"a list of numbers such as [1, 2.5], none beyond {MOST:,}",
        lambda value: _is_list(value, _is_number),
    ),
    "text or texts": (
        "text in quotes, or a list of texts",
        lambda value: _is_text(value) or (_is_list(value, _is_text) and bool(value)),
    ),
    "truth": ("true or false", lambda value: isinstance(value, bool)),
    "integers": ("a list of whole numbers such as [1, 2]", lambda value: _is_list(value, _is_integer)),
    "word": ("text in quotes, or a number", lambda value: _is_text(value) or _is_number(value)),
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


def one_of(key: str, word: object, words: Collection[str]) -> str:
    """The word, if it is one of the words."""
    if not isinstance(word, str) or word not in words:
        raise ValueError(f"{key} = '{word}' is not one of {', '.join(words)}")
    return word


def name_in_one_line(where: str, name: str) -> str:
    """A name that is shown, logged and hashed."""
    if not name.strip() or name != one_line(name):
        raise ValueError(
            f"{where} = '{name}' is not a name: give it a short text of one line, without control characters"
        )
    return name


@cache
def regions() -> frozenset[str]:
    """IANA's names of regions, Area/Location, from a package and not from the machine. EST and Etc/GMT+5 are none: they
    know no summer time. Nor is a name that each machine sets for itself."""
    names = files("tzdata").joinpath("zones").read_text(encoding="ascii").split()
    return frozenset(name for name in names if "/" in name and not name.startswith("Etc/")) | {"UTC", "Etc/UTC"}


def zone_name(key: str, name: object) -> str:
    """The name of a region of IANA's time zones, or UTC."""
    if not isinstance(name, str) or name not in regions():
        raise ValueError(f"{key} = '{name}' is not an IANA time zone of a region, such as America/Chicago, or UTC")
    return name


def time_span(key: str, text: object, most_days: int = LONGEST_DAYS) -> timedelta:
    """A number of hours, days or weeks."""
    found = re.fullmatch(r"([0-9]{1,20}) (hour|day|week)s?", str(text))
    if not found:
        raise ValueError(f"{key} = '{text}' is not a number of hours, days or weeks such as '1 day'")
    hours = int(found[1]) * _HOURS[found[2]]
    if not 0 < hours <= most_days * 24:
        raise ValueError(f"{key} = '{text}' is not a span from 1 hour to {most_days:,} days")
    return timedelta(hours=hours)


_HOURS = {"hour": 1, "day": 24, "week": 7 * 24}
