"""Our modules, taken apart into definitions: what each says, and what the names that it takes are imported from.

A function or a constant is one definition. A class is its head, and each of its members is one of its own. Modules are
found by their names, wherever their folder lies; none is imported for it.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.util import find_spec, resolve_name
from pathlib import Path

from rapport.warehouse.code_marks.texts import Text, is_text, text_of

PACKAGES = {__name__.partition(".")[0]}
OTHERS = "(others)"  # the statements of a module that bind no name
_CHAIN = re.compile(r"\w+(?:\.\w+)*")


@dataclass
class Module:
    """A module's definitions by name; the members of its classes; decorators, by what they call, and the calls that
    make constants; and its imports: a local name with what it may stand for."""

    name: str
    path: Path
    texts: dict[str, Text] = field(default_factory=dict)
    members: dict[str, dict[str, Text]] = field(default_factory=dict)
    decorators: dict[str, list[tuple[str, Text]]] = field(default_factory=lambda: defaultdict(list))
    made_by: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    imports: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @cached_property
    def places(self) -> set[str]:
        """The names by which it knows where it lies; none in a module that opens no file beside it."""
        made = {name for name, text in self.texts.items() if "__file__" in text.taken}
        return {"__file__", *made} if made else set()


@cache
def path_of(module: str) -> Path | None:
    """A module's file; None for what is no module."""
    top, *rest = module.split(".")
    spec = find_spec(top)
    if spec is None or spec.origin is None:
        return None
    inside = Path(spec.origin).parent.joinpath(*rest)
    places = (inside.with_suffix(".py"), inside / "__init__.py") if rest else (Path(spec.origin),)
    return next((path for path in places if path.is_file()), None)


def is_ours(name: str) -> bool:
    """Whether a dotted name is of one of our packages."""
    return name.partition(".")[0] in PACKAGES


def source_of(module: str) -> str:
    """A module's text."""
    return _path(module).read_text(encoding="utf-8")


def _path(module: str) -> Path:
    if (path := path_of(module)) is None:
        raise ValueError(f"{module} is no module, so it has no mark")
    return path


@cache
def module_of(name: str) -> Module:
    """A module, taken apart."""
    return taken_apart(name, _path(name), source_of(name))


def taken_apart(name: str, path: Path, source: str) -> Module:
    """A module of this source. Its tree is not kept: it takes a hundred times the memory of its text."""
    found = Module(name, path)
    statements: dict[str, list[ast.stmt]] = defaultdict(list)
    for statement in ast.parse(source).body:
        _note_imports(statement, found)
        for bound in _names(statement):
            statements[bound].append(statement)
    for bound, its in statements.items():
        _define(bound, its, found)
    return found


def _names(statement: ast.stmt) -> set[str]:
    """The names that a statement counts for; none of an import, a docstring, and what runs only for a type checker or
    where the module is a command."""
    if is_text(statement) or isinstance(statement, ast.Import | ast.ImportFrom) or _is_apart(statement):
        return set()
    return _bound_by(statement) or {OTHERS}


def _is_apart(statement: ast.stmt) -> bool:
    asked = ast.unparse(statement.test) if isinstance(statement, ast.If) else ""
    return "TYPE_CHECKING" in asked or "__name__" in asked


def _bound_by(statement: ast.AST) -> set[str]:
    """The names that a statement binds, or whose values it adds to."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Expr):
        called = statement.value.func if isinstance(statement.value, ast.Call) else None
        return _known(_root(called)) if isinstance(called, ast.Attribute) else set()
    targets = [*getattr(statement, "targets", ()), getattr(statement, "target", None)]
    roots = [_root(each) for target in targets if target is not None for each in getattr(target, "elts", [target])]
    return _known(*roots).union(*map(_bound_by, _within(statement)))


def _known(*names: str | None) -> set[str]:
    return set(filter(None, names))


def _root(node: ast.AST) -> str | None:
    """The name that a chain of attributes and places begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _define(name: str, statements: list[ast.stmt], found: Module) -> None:
    for statement in statements:
        decorators, value = getattr(statement, "decorator_list", []), getattr(statement, "value", None)
        found.decorators[name] += [(_called(each), text_of([each])) for each in decorators]
        found.made_by[name] |= {_called(value)} if isinstance(value, ast.Call) else set()
        decorators.clear()
    first = statements[0]
    if len(statements) > 1 or not isinstance(first, ast.ClassDef) or first.bases or first.keywords:
        found.texts[name] = text_of(statements)
        return
    bodies: dict[str, list[ast.stmt]] = defaultdict(list)
    for each in first.body:
        for bound in _bound_by(each):
            bodies[bound].append(each)
    found.texts[name] = text_of([ast.Constant(name), *(each for each in first.body if not _bound_by(each))])
    found.members[name] = {member: text_of(its) for member, its in bodies.items()}


def _called(node: ast.expr) -> str:
    """What is called, as a chain of names; nothing of what is none."""
    chain = ast.unparse(node.func if isinstance(node, ast.Call) else node)
    return chain if _CHAIN.fullmatch(chain) else ""


def _note_imports(statement: ast.stmt, found: Module) -> None:
    """Every import, however deep, and also those for a type checker: they tell what an annotation means."""
    for node in _statements(statement):
        if isinstance(node, ast.Import):
            for alias in node.names:
                meant = alias.name if alias.asname else alias.name.partition(".")[0]
                found.imports[alias.asname or meant].add(meant)
        elif isinstance(node, ast.ImportFrom):
            package = found.name if found.is_package else found.name.rpartition(".")[0]
            whence = resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                found.imports[alias.asname or alias.name].add(f"{whence}.{alias.name}")


def _statements(statement: ast.AST) -> Iterator[ast.AST]:
    yield statement
    for each in _within(statement):
        yield from _statements(each)


def _within(statement: ast.AST) -> Iterator[ast.AST]:
    """The statements of a statement: an import is one, and nothing within an expression is."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        if isinstance(within := getattr(statement, part, None), list):
            yield from within
