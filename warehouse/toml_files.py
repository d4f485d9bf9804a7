"""A TOML file written by hand: read whole, or refused in one sentence that names it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.small_files import read_small, text_of

MOST_NESTED = 100  # sections within sections: what reads them further down goes as deep as they do


def read_toml(path: Path, what: str, hint: str = "correct the path") -> dict[str, object]:
    """The facts of a file. Raises Unusable that names it as `what` and says what to do."""
    try:
        data = read_small(path, what, f"; {hint}")
    except ValueError as error:
        raise Unusable(str(error)) from None
    with refusing(f"{what} {path.name}", ""):
        try:
            facts = tomllib.loads(text_of(data))
        except UnicodeDecodeError as error:
            raise ValueError(f"is not TOML: it is not UTF-8 ({error.reason}); save it as UTF-8") from None
        except RecursionError:
            raise ValueError(f"is nested deeper than {MOST_NESTED}; no key of it may be") from None
        except ValueError as error:  # tomllib's own, and of a number with too many digits
            raise ValueError(f"is not TOML: {error}") from None
        _refuse_nesting(facts)
    return facts


@contextmanager
def refusing(file: str, then: str = ":") -> Iterator[None]:
    """What a file says wrongly (a ValueError), or what it names and cannot be read, as Unusable, which begins with the
    file."""
    try:
        yield
    except OSError as error:
        raise Unusable(f"{file}{then} {error.filename} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise Unusable(f"{file}{then} {error}") from None


def _refuse_nesting(facts: dict[str, object]) -> None:
    """Refuse the first key that holds too much within each other. Not by recursion: it may be deeper than that goes."""
    waiting = [(key, value, 1) for key, value in facts.items()]
    while waiting:
        top, value, depth = waiting.pop()
        if depth > MOST_NESTED:
            raise ValueError(f"has the key '{top}', which is nested deeper than {MOST_NESTED}; no key of it may be")
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting += [(top, part, depth + 1) for part in parts]
