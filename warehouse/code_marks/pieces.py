"""Definitions as pieces of a mark: the code of each, and the other definitions that it uses.

A member of a class counts only where some code uses an attribute of its name. So code that reads two facts of the
clinic file does not depend on its other facts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from rapport.warehouse.code_marks.meanings import Meaning, Name, meant_by
from rapport.warehouse.code_marks.modules import OTHERS, Module, module_of
from rapport.warehouse.code_marks.texts import Text

REGISTRY = Name(__package__, "registry")
_ASKED_IN_HTML = re.compile(r"\.([a-z]\w*)")  # attributes that a template uses
_FILES = re.compile(r"[\w*-][\w*.-]*\.\w+")  # a file's name, or a pattern of several


@dataclass(frozen=True)
class Piece:
    """A digest of a definition's code and of the meanings of its names; the definitions that it uses; the attributes
    that it uses; and the members of a class, by name."""

    digest: str
    made_of: frozenset[Name]
    attributes: frozenset[str]
    members: Mapping[str, Name]


@cache
def piece(name: Name) -> Piece:
    """Return a definition as a piece."""
    module = module_of(name.module)
    texts, files = list(_texts(name)), sorted(_files(name, module))
    meant = {chain: found for text in texts for chain in text.taken if (found := meant_by(name.module, chain))}
    wiring = sorted(f"{chain}={_identity(each)}" for chain, found in meant.items() for each in found)
    made_of = {each for found in meant.values() for each in found if isinstance(each, Name) and not is_registry(each)}
    asked = {word for file, content in files if file.endswith(".html") for word in _ASKED_IN_HTML.findall(content)}
    if name.member:  # the body of a class uses other members by their bare names
        asked |= {chain.partition(".")[0] for text in texts for chain in text.taken}
    members = {} if name.member else {each: name._replace(member=each) for each in module.members.get(name.name, ())}
    return Piece(
        digest=_digest(*(text.said for text in texts), *wiring, *(part for file in files for part in file)),
        made_of=frozenset(made_of.union(_parts(name, module), (members[each] for each in members if each[:2] == "__"))),
        attributes=frozenset(asked.union(*(text.attributes for text in texts))),
        members=members,
    )


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()


def _identity(meaning: Meaning) -> str:
    """Return a text that identifies a meaning without its folder: a move changes nothing."""
    if isinstance(meaning, str):
        return meaning
    return "a registry" if is_registry(meaning) else _digest(*(text.said for text in _texts(meaning)))


@cache
def is_registry(name: Name) -> bool:
    """Return whether no mark follows a definition: `X = registry(...)`, `@registry`, or the code that makes marks."""
    if name.module.startswith(__package__):
        return True
    module = module_of(name.module)
    made_by = [*module.made_by.get(name.name, ()), *(called for called, _ in module.decorators.get(name.name, ()))]
    return any(REGISTRY in meant_by(name.module, called) for called in made_by if called)


def _texts(name: Name) -> Iterator[Text]:
    """Yield the code of a piece, without the decorators that are registries and their arguments."""
    module = module_of(name.module)
    if name.member:
        yield module.members[name.name][name.member]
    elif name.name:
        yield module.texts[name.name]
        for called, text in module.decorators.get(name.name, ()):
            meant = meant_by(name.module, called) if called else ()
            if not any(isinstance(each, Name) and is_registry(each) for each in meant):
                yield text


def _parts(name: Name, module: Module) -> Iterator[Name]:
    """Yield the definitions that belong to a piece without being named in it: all of a module that is used as a whole,
    and the statements that a module runs when it is imported. Those of a package do not count for its modules."""
    if not name.name:
        yield from (Name(name.module, each) for each in module.texts)
    if OTHERS in module.texts and not module.is_package:
        yield Name(name.module, OTHERS)


def _files(name: Name, module: Module) -> Iterator[tuple[str, str]]:
    """Yield name and content of the files beside its module that a piece names, by name, pattern or folder."""
    texts = list(_texts(name)) if module.places else []
    is_about_places = any(chain.partition(".")[0] in module.places for text in texts for chain in text.taken)
    for word in {word for text in texts for word in text.words}:
        found: Iterable[Path] = []
        if _FILES.fullmatch(word):
            found = module.path.parent.glob(word)
        elif is_about_places and word.isidentifier():
            found = (module.path.parent / word).rglob("*.*")
        yield from ((each.name, each.read_text(encoding="utf-8")) for each in found if _is_data(each))


def _is_data(path: Path) -> bool:
    return path.is_file() and path.suffix not in (".py", ".pyc")
