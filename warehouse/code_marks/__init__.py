"""Marks of code: a digest of all code that a source's reader, a rule, a table or a question depends on.

A thing depends on its own definition, on the definitions that it uses, and on those that they use, through all our
packages. The data files that they open belong to it. Its mark is a digest of these, without comments, docstrings and
annotations. When one of them changes, the mark changes. When other code changes, or code moves to another folder, the
mark stays. It is the same under every version of Python that Rapport supports.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from hashlib import sha256
from typing import Any, TypeVar

from rapport.warehouse.code_marks.meanings import Name, meant_by
from rapport.warehouse.code_marks.pieces import Piece, piece

_Thing = TypeVar("_Thing")


def registry(thing: _Thing) -> _Thing:
    """Return the thing unchanged. `X = registry({...})` or `@registry` declares that no mark follows it. Code that
    takes a function out of it gives that function to `code_of`; code that takes facts enters them beside the mark."""
    return thing


@dataclass(frozen=True)
class MadeOf:
    """A mark (16 hexadecimal digits), the definitions in it, and the names of the attributes that these use."""

    mark: str
    definitions: frozenset[Name]
    attributes: frozenset[str]

    @property
    def modules(self) -> frozenset[str]:
        return frozenset(each.module for each in self.definitions)

    def facts(self, value: object) -> str:
        """Return as text the facts that the definitions can read: of a dataclass, the fields that they use."""
        if is_dataclass(value):
            asked = [each.name for each in fields(value) if each.name in self.attributes]
            return (
                f"{type(value).__name__}({', '.join(f'{name}={self.facts(getattr(value, name))}' for name in asked)})"
            )
        if isinstance(value, Mapping):
            return f"{{{', '.join(f'{key!r}: {self.facts(each)}' for key, each in value.items())}}}"
        if isinstance(value, set | frozenset):
            return f"{{{', '.join(sorted(map(self.facts, value)))}}}"
        return f"[{', '.join(map(self.facts, value))}]" if isinstance(value, tuple | list) else repr(value)


def code_of(*things: Callable[..., Any] | str) -> MadeOf:
    """Return the mark of functions and classes. One that takes seconds to import is given as `module:name`.

    Raises ValueError for a name that its module does not have.
    """
    return _made_of(frozenset(each if isinstance(each, str) else _named(each) for each in things))


def digest(*facts: object) -> str:
    """Return a mark of facts and of other marks, 16 hexadecimal digits."""
    return sha256(repr(facts).encode()).hexdigest()[:16]


def _named(thing: Callable[..., Any]) -> str:
    return f"{thing.__module__}:{thing.__qualname__.partition('.<')[0]}"


@cache
def _made_of(things: frozenset[str]) -> MadeOf:
    with _without_collecting():
        return _gathered(things)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Stop the garbage collector for a while: it finds nothing in syntax trees and doubles the time to build them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _gathered(things: frozenset[str]) -> MadeOf:
    found: dict[Name, Piece] = {}
    asked = {member for thing in things if (member := thing.partition(":")[2].partition(".")[2])}
    unasked: dict[str, list[Name]] = {}
    waiting = [name for thing in things for name in _definitions(thing)]
    while waiting:
        if (name := waiting.pop()) in found:
            continue
        found[name] = this = piece(name)
        waiting += this.made_of
        for member, part in this.members.items():
            (waiting if member in asked else unasked.setdefault(member, [])).append(part)
        for attribute in this.attributes - asked:
            asked.add(attribute)
            waiting += unasked.pop(attribute, ())
    orders = [[member for member in this.members if member in asked] for this in found.values()]
    said = digest(sorted({this.digest for this in found.values()}), sorted(filter(None, orders)))
    return MadeOf(said, frozenset(found), frozenset(asked))


def _definitions(thing: str) -> Iterable[Name]:
    module, _, name = thing.partition(":")
    found = meant_by(module, name.partition(".")[0])
    if not found:
        raise ValueError(
            f"{module} has no definition {name}, so it has no mark; give a function, a class or a constant"
        )
    return [each for each in found if isinstance(each, Name)]
