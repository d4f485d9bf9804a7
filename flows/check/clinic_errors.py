"""The clinic file, read past its errors, so that all of them are told in one run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rapport.warehouse.clinic_file.clinic import Clinic, clinic_of
from rapport.warehouse.toml_files import read_toml

MOST = 200  # errors that are read past
_UNKNOWN = re.compile(r"^(?:\[([^\]\"]+)\]|the file) has the unknown key '([^']+)'(?:; did you mean '([^']+)'\?)?")
_SECTION = re.compile(r"^\[sources\.([A-Za-z0-9_-]+)")


def read_past_errors(path: Path) -> tuple[Clinic | None, list[str]]:
    """Return the clinic without the sections that cannot be used, and a sentence about each error.

    An unknown key is read as the key that was meant, so that the other keys of its section are read too. The clinic is
    None where nothing usable is left. Raises Unusable for a file that is no TOML.
    """
    facts: dict[str, Any] | None = read_toml(path, "clinic file", "check --clinic")
    errors: list[str] = []
    while facts is not None and len(errors) < MOST:
        try:
            return clinic_of(facts, path.parent), errors
        except OSError as error:
            errors.append(f"{error.filename} cannot be read ({error.strerror})")
            break
        except ValueError as error:
            errors.append(str(error))
            facts = _past(facts, str(error))
    return None, errors


def _past(facts: Mapping[str, Any], error: str) -> dict[str, Any] | None:
    """The facts without what an error is about; None where that is not a key or a source."""
    if unknown := _UNKNOWN.match(error):
        section, key, meant = unknown.groups()
        return _renamed(facts, section.split(".") if section else [], key, meant)
    found = _SECTION.match(error)
    sources = dict(facts.get("sources", {}))
    if found is None or found[1] not in sources or len(sources) == 1:
        return None
    del sources[found[1]]
    return {**facts, "sources": sources}


def _renamed(facts: Mapping[str, Any], place: list[str], key: str, meant: str | None) -> dict[str, Any] | None:
    """The facts with a key of the section at `place` renamed as it was meant, or without the key."""
    if not place:
        if key not in facts:
            return None
        rest = {name: value for name, value in facts.items() if name != key}
        return {meant: facts[key], **rest} if meant else rest
    below = facts.get(place[0])
    changed = _renamed(below, place[1:], key, meant) if isinstance(below, Mapping) else None
    return None if changed is None else {**facts, place[0]: changed}
