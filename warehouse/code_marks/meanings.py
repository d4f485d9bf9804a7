"""The meaning of a name in one of our modules: a definition, a module, or somebody else's code."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from rapport.warehouse.code_marks.modules import is_ours, module_of, path_of


class Name(NamedTuple):
    """A definition of a module, or a member of a class; without a name, the whole module."""

    module: str
    name: str = ""
    member: str = ""


Meaning = Name | str  # a text is a name in somebody else's code


@cache
def meant_by(module: str, chain: str) -> tuple[Meaning, ...]:
    """Return the meanings of a name, or of a chain such as `casts.number`; none for Python's own names.

    A name has several meanings where functions import it from different places. All are returned.
    """
    first, *rest = chain.split(".")
    found = _named(module, first)
    for attribute in rest:
        found = [deeper for each in found for deeper in _attribute(each, attribute)]
    return tuple(found)


def _named(module: str, name: str) -> list[Meaning]:
    here = module_of(module)
    found: list[Meaning] = [Name(module, name)] if name in here.texts else []
    for target in sorted(here.imports.get(name, ())):
        found += _imported(target, f"{module}.{name}")
    if not found and here.is_package and path_of(f"{module}.{name}"):
        found.append(Name(f"{module}.{name}"))
    return found


def _imported(target: str, by: str) -> Iterable[Meaning]:
    """Return the meanings of an imported name. Where a package only passes it on, the defining module counts."""
    package, _, name = target.rpartition(".")
    if not is_ours(target):
        return [target]
    if not package or target == by:
        return [Name(target)]
    return _named(package, name)


def _attribute(of: Meaning, attribute: str) -> Iterable[Meaning]:
    """Return the meanings of an attribute. Only a module's attributes are followed; others keep the meaning `of`."""
    return _named(of.module, attribute) if isinstance(of, Name) and not of.name else [of]
