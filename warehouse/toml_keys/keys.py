"""The declared keys of TOML files, and the reading of a section with them.

A declared key has a kind of value, a meaning, an example and a default. From these come every refusal, every default,
the reference page and the JSON schema for editors.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rapport.warehouse.code_marks import registry
from rapport.warehouse.schema import columns
from rapport.warehouse.toml_keys.kinds import KINDS, nearest, one_of

HERE = Path(__file__).parent
TOP = "the file"  # the place of a key outside all sections


@dataclass(frozen=True)
class Key:
    """A key: its kind of value, what it means, and an example in TOML.

    >>> key = Key(kind="count", meaning="Published files that are kept.", example="7", default=7)
    >>> read("the file", {}, {"keep_versions": key})
    {'keep_versions': 7}
    >>> read("the file", {"keep_version": 3}, {"keep_versions": key})
    Traceback (most recent call last):
    ValueError: the file has the unknown key 'keep_version'; did you mean 'keep_versions'?
    """

    kind: str
    meaning: str
    example: str
    default: Any = None  # as written in TOML
    usual: str = ""  # the default in words, where it depends on something else
    words: tuple[str, ...] = ()  # the only words that are allowed
    needed: bool = False
    keys: str = ""  # for a section: the place where its keys are declared
    each: str = ""  # for a section with free names: the place of the keys of each name, or a kind of value

    def read(self, where: str, name: str, value: object) -> Any:  # noqa: ANN401  each kind is read as its own type
        """Return a value in the form in which it is used; a section with its own keys. Raises ValueError with the
        key."""
        if not KINDS[self.kind].is_one(value):
            raise ValueError(f"{where}: '{name}' must be {KINDS[self.kind].told}")
        for word in () if isinstance(value, dict) or not self.words else value if isinstance(value, list) else [value]:
            one_of(_place(where, name), word, self.words)
        return self.used(where, name, value)

    def used(self, where: str, name: str, value: Any) -> Any:  # noqa: ANN401  as read
        """Convert a value of the right kind. A section with free names is not read further here."""
        if not isinstance(value, dict):
            return KINDS[self.kind].read(_place(where, name), value)
        if self.keys:
            return read(within(where, name), value, keys_of(*self.keys.split()))
        each = Key(self.each if self.each in KINDS else "section", "", "")
        return (
            {part: each.read(within(where, name), part, said) for part, said in value.items()} if self.each else value
        )


def _place(where: str, name: str) -> str:
    return name if where == TOP else f"{where} {name}"


def within(where: str, name: str) -> str:
    """Return the place of a section within another: [sources.x] and forms give [sources.x.forms]."""
    return f"[{name}]" if where == TOP else f"{where.removesuffix(']')}.{name}]"


def read(
    where: str, facts: Mapping[str, object], keys: Mapping[str, Key], needed: Collection[str] = ()
) -> dict[str, Any]:
    """Return the value of every key: the given one, else its default, else None.

    Raises ValueError for an unknown key, a value of another kind, and a needed key that is missing.
    """
    for name in facts:
        if name not in keys:
            hint = nearest(name, keys, f"known keys are {', '.join(sorted(keys))}")
            raise ValueError(f"{where} has the unknown key '{name}'; {hint}")
    given = {name: keys[name].read(where, name, value) for name, value in facts.items()}
    for name in sorted({*needed, *(name for name, key in keys.items() if key.needed)}):
        if name not in facts:
            raise ValueError(f"{where} has no key '{name}'; add it, for example {name} = {keys[name].example}")
    usual = {name: key.used(where, name, key.default) for name, key in keys.items() if key.default is not None}
    return dict.fromkeys(keys) | usual | given


def in_order(where: str, told: Mapping[str, Any], first: str, last: str) -> None:
    """Raise ValueError where the first of two numbers is above the last."""
    if None not in (told[first], told[last]) and told[first] > told[last]:
        raise ValueError(f"{_place(where, first)} must not be above {last}")


@registry
@cache
def declared() -> dict[str, dict[str, Key]]:
    """Return all declared keys, by the kind of section to which they belong."""
    return {
        section: {name: _key(facts) for name, facts in keys.items()}
        for path in sorted(HERE.glob("*.toml"))
        for section, keys in tomllib.loads(path.read_text(encoding="utf-8")).items()
    }


def _key(facts: dict[str, Any]) -> Key:
    words = facts.pop("words", ())
    return Key(**facts, words=tuple(getattr(columns, words) if isinstance(words, str) else words))


@registry
def keys_of(*sections: str) -> dict[str, Key]:
    """Return the declared keys of a kind of section, or of several kinds together."""
    return {name: key for section in sections for name, key in declared()[section].items()}
