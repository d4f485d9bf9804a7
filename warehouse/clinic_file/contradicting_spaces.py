"""Contradictions between [spaces], retired_spaces and the sources of a clinic file. Each refusal names the line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from rapport.warehouse.clinic_file.id_spaces import Spaces
from rapport.warehouse.toml_keys.kinds import nearest


def refuse_contradictions(spaces: Spaces, section: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise ValueError where [spaces] (`section`) contradicts itself or the sections of the sources."""
    _refuse_circle("was", spaces.was, lambda name: name)
    _refuse_circle("same_as", spaces.same_as, spaces.first_name)
    _refuse_unused(spaces, section)
    _refuse_two_names(spaces)
    _refuse_used(spaces)


def line_of(name: str, key: str, other: str | bool) -> str:
    """Return a line of [spaces], as it must be written."""
    return f"{_key(name)} = {{ {key} = {json.dumps(other, ensure_ascii=False)} }}"


def _key(name: str) -> str:
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def place_of(name: str) -> str:
    """Return the place of a space in the clinic file, for an error."""
    return f"[spaces] {_key(name)}"


def _refuse_circle(key: str, lines: Mapping[str, str], first_name: Callable[[str], str]) -> None:
    pairs: dict[str, str] = {}
    for name, other in lines.items():
        if pairs.setdefault(first_name(name), first_name(other)) != first_name(other):
            raise ValueError(
                f"[spaces] {line_of(name, key, other)}: another line about this space contradicts it; remove one"
            )
    for name, other in lines.items():
        met, each = set(), first_name(name)
        while each in pairs and each not in met:
            met.add(each)
            each = pairs[each]
        if each in met:
            raise ValueError(f"[spaces] {line_of(name, key, other)} leads back to where it began; remove a line")


def _refuse_unused(spaces: Spaces, section: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a line about a space that nothing else in the file names: it is a misspelling."""
    has = {*spaces.used, *spaces.retired, *spaces.was.values(), *spaces.same_as}
    for name in section:
        if name not in has:
            hint = nearest(name, has, "give a section this id_space, or remove the line")
            raise ValueError(f"{place_of(name)} is about an id space that no section has; {hint}")


def _refuse_two_names(spaces: Spaces) -> None:
    names: dict[str, str] = {}
    for name in spaces.used:
        if (other := names.setdefault(spaces.first_name(name), name)) != name:
            raise ValueError(
                f"sections have id_space = '{other}' and id_space = '{name}', and [spaces] says that these are two "
                "names of one space; give all of them the new name, or remove the line"
            )


def _refuse_used(spaces: Spaces) -> None:
    """Refuse a space that is both in use and retired, and a same_as that names a space without a section."""
    used = {spaces.first_name(name): name for name in spaces.used}
    for name in spaces.retired:
        first = spaces.first_name(name)
        if first in used:
            raise ValueError(
                f"retired_spaces names '{name}', and a section has this id space ('{used[first]}'); take it out of "
                "the list if its numbers are the same as before, or give the section another id_space"
            )
        if first in spaces.joined:
            raise ValueError(f"retired_spaces names '{name}', which is the same as another space; take it out")
    retired = {spaces.first_name(name) for name in spaces.retired}
    for name, other in spaces.same_as.items():
        first, target = spaces.first_name(name), spaces.counts_as(name)
        if first in used:
            raise ValueError(
                f"[spaces] {line_of(name, 'same_as', other)}: a section has id_space = '{used[first]}' still; give it "
                f"id_space = '{spaces.name_of(target)}'"
            )
        if target not in used and target not in retired:
            raise ValueError(
                f"[spaces] {line_of(name, 'same_as', other)}: no section has the id space '{other}'; correct it"
            )
