"""TOML files written by hand. A file is read as a whole, or refused with one sentence that names it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.small_files import read_small, text_of

MOST_NESTED = 100  # sections within sections: the code that reads them is recursive


def read_toml(path: Path, what: str, hint: str = "correct the path") -> dict[str, object]:
    """Return the content of a file. Raises Unusable, which calls the file `what` and says what to do."""
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
        except ValueError as error:  # from tomllib, or from a number with too many digits
            raise ValueError(f"is not TOML: {error}") from None
        _refuse_nesting(facts)
    return facts


@contextmanager
def refusing(file: str, then: str = ":") -> Iterator[None]:
    """Turn a ValueError about a file, or an OSError of a file that it names, into Unusable that begins with `file`."""
    try:
        yield
    except OSError as error:
        raise Unusable(f"{file}{then} {error.filename} cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise Unusable(f"{file}{then} {error}") from None


def _refuse_nesting(facts: dict[str, object]) -> None:
    """Refuse the first key that is nested too deeply. The search is not recursive, because recursion has a limit
    too."""
    waiting = [(key, value, 1) for key, value in facts.items()]
    while waiting:
        top, value, depth = waiting.pop()
        if depth > MOST_NESTED:
            raise ValueError(f"has the key '{top}', which is nested deeper than {MOST_NESTED}; no key of it may be")
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        waiting += [(top, part, depth + 1) for part in parts]
