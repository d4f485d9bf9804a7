"""The text of code for a mark, and the names that it takes from its module.

Comments, docstrings, positions and the annotations of functions do not change what code does. They are left out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, NamedTuple

_SAYS_NOTHING = {"ctx", "type_comment", "kind", "type_ignores"}
_ASKS_BY_TEXT = {"getattr", "attrgetter"}  # functions whose text argument is the name of an attribute


class Text(NamedTuple):
    """A digest of some code; the names that it takes from its module, with their attributes ("casts.number"); the
    attributes that it uses of anything; and its string constants of one word."""

    said: str
    taken: frozenset[str]
    attributes: frozenset[str]
    words: frozenset[str]


def text_of(nodes: Iterable[ast.AST]) -> Text:
    """Return the text of statements or expressions."""
    reader = _Reader()
    for node in nodes:
        reader.read(node)
    asked = {word for word in reader.words if word.isidentifier()} if _ASKS_BY_TEXT & reader.taken else set()
    said = sha256("".join(reader.said).encode()).hexdigest()
    return Text(said, frozenset(reader.taken), frozenset(reader.attributes | asked), frozenset(reader.words))


def is_text(node: ast.AST) -> bool:
    """Return whether a node is a docstring, or another text that stands alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


class _Reader:
    """Writes nodes as text, and notes the names that they take from outside the function that binds them."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.taken: set[str] = set()
        self.bound: set[str] = set()
        self.attributes: set[str] = set()
        self.words: set[str] = set()

    def read(self, node: ast.AST) -> None:
        _WAYS.get(type(node), _Reader._read_fields)(self, node)

    def _read_fields(self, node: ast.AST) -> None:
        say = self.said.append
        say(f"{type(node).__name__}(")
        for name in node._fields:
            value = getattr(node, name, None)
            if value is not None and value != [] and name not in _SAYS_NOTHING:
                say(f"{name}=")
                self._read_value(value)
        say(")")

    def _read_value(self, value: object) -> None:
        if isinstance(value, list):
            self.said.append("[")
            for each in value:
                self._read_value(each)
            self.said.append("]")
        elif isinstance(value, ast.AST):
            _WAYS.get(type(value), _Reader._read_fields)(self, value)
        else:
            self.said.append(f"{value!r};")

    def _read_expression(self, node: ast.Expr) -> None:
        if not is_text(node):
            self._read_fields(node)

    def _read_pass(self, _: ast.Pass) -> None:
        """Write nothing: `pass` goes where a docstring comes."""

    def _read_chain(self, node: ast.AST) -> None:
        """Read a name with its attributes, or attributes of an expression without a name."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.insert(0, node.attr)
            node = node.value
        self.attributes.update(attributes)
        if isinstance(node, ast.Name):
            chain = ".".join([node.id, *attributes])
            (self.taken if isinstance(node.ctx, ast.Load) else self.bound).add(chain)
            self.said.append(f"{chain};")
        else:
            self.said.append(f".{'.'.join(attributes)}(")
            self.read(node)
            self.said.append(")")

    def _read_constant(self, node: ast.Constant) -> None:
        self.said.append(f"{node.value!r};")
        if isinstance(node.value, str) and node.value and " " not in node.value:
            self.words.add(node.value)

    def _read_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        """Read decorators and defaults outside the function's own names; leave annotations out."""
        given, name = node.args, getattr(node, "name", "")
        arguments = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
        names = [each.arg if each else None for each in arguments]
        self.bound |= {name} - {""}
        self.said.append(f"{type(node).__name__}{(name, len(given.posonlyargs), len(given.args), names)}")
        self._read_value([*getattr(node, "decorator_list", ()), *given.defaults, *given.kw_defaults])
        self._read_silently(*(each and each.annotation for each in arguments), getattr(node, "returns", None))
        with self._apart():
            self.bound |= set(filter(None, names))
            self._read_value(node.body)

    def _read_silently(self, *annotations: ast.AST | None) -> None:
        said, self.said = self.said, []
        for annotation in filter(None, annotations):
            self.read(annotation)
        self.said = said

    def _read_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        """Read the first iterable outside the comprehension's own names."""
        first, *others = node.generators
        self.said.append(f"{type(node).__name__}(")
        self._read_value(first.iter)
        with self._apart():
            self._read_value([first.target, first.ifs, *([each.target, each.iter, each.ifs] for each in others)])
            self._read_value([getattr(node, part) for part in ("key", "value", "elt") if hasattr(node, part)])
        self.said.append(")")

    def _read_class(self, node: ast.ClassDef) -> None:
        """Read a class. Its methods do not see the names that its body binds: they take these from outside."""
        bound = self.bound | {node.name}
        self._read_fields(node)
        self.bound = bound

    @contextmanager
    def _apart(self) -> Iterator[None]:
        taken, bound = self.taken, self.bound
        self.taken, self.bound = set(), set()
        yield
        self.taken = taken | {chain for chain in self.taken if chain.partition(".")[0] not in self.bound}
        self.bound = bound


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_WAYS: dict[type[ast.AST], Callable[[_Reader, Any], None]] = {
    ast.Name: _Reader._read_chain,
    ast.Attribute: _Reader._read_chain,
    ast.Constant: _Reader._read_constant,
    ast.Expr: _Reader._read_expression,
    ast.Pass: _Reader._read_pass,
    ast.ClassDef: _Reader._read_class,
    **dict.fromkeys(_FUNCTIONS, _Reader._read_function),
    **dict.fromkeys(_COMPREHENSIONS, _Reader._read_comprehension),
}
