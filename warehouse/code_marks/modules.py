"""Our modules, split into definitions, with the origins of the names that they import.

A function or a constant is one definition. The head of a class is one, and so is each of its members. Modules are found
by their names, in any folder, and are not imported.
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
OTHERS = "(others)"  # stands for the statements of a module that bind no name
_CHAIN = re.compile(r"\w+(?:\.\w+)*")


@dataclass
class Module:
    """A module's definitions by name, the members of its classes, the names of its decorators and of the calls that
    make constants, and its imports: each local name with its possible origins."""

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
        """The names that hold the module's own path; none in a module that opens no file beside it."""
        made = {name for name, text in self.texts.items() if "__file__" in text.taken}
        return {"__file__", *made} if made else set()


@cache
def path_of(module: str) -> Path | None:
    """Return a module's file; None where there is no such module."""
    top, *rest = module.split(".")
    spec = find_spec(top)
    if spec is None or spec.origin is None:
        return None
    inside = Path(spec.origin).parent.joinpath(*rest)
    places = (inside.with_suffix(".py"), inside / "__init__.py") if rest else (Path(spec.origin),)
    return next((path for path in places if path.is_file()), None)


def is_ours(name: str) -> bool:
    """Return whether a dotted name belongs to one of our packages."""
    return name.partition(".")[0] in PACKAGES


def source_of(module: str) -> str:
    """Return a module's source text."""
    return _path(module).read_text(encoding="utf-8")


def _path(module: str) -> Path:
    if (path := path_of(module)) is None:
        raise ValueError(f"{module} is no module, so it has no mark")
    return path


@cache
def module_of(name: str) -> Module:
    """Return a module, split into definitions."""
    return split_module(name, _path(name), source_of(name))


def split_module(name: str, path: Path, source: str) -> Module:
    """Split a module's source into definitions. The tree is not kept: it needs 100 times the memory of the text."""
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
    """Return the names that a statement defines or changes; none for an import, a docstring, or a block that runs only
    for a type checker or when the module is a command."""
    if is_text(statement) or isinstance(statement, ast.Import | ast.ImportFrom) or _is_apart(statement):
        return set()
    return _bound_by(statement) or {OTHERS}


def _is_apart(statement: ast.stmt) -> bool:
    asked = ast.unparse(statement.test) if isinstance(statement, ast.If) else ""
    return "TYPE_CHECKING" in asked or "__name__" in asked


def _bound_by(statement: ast.AST) -> set[str]:
    """Return the names that a statement binds, or to whose values it adds."""
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
    """Return the first name of a chain of attributes and subscripts."""
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
    """Return the called name, with its attributes; "" where the call is not on a name."""
    chain = ast.unparse(node.func if isinstance(node, ast.Call) else node)
    return chain if _CHAIN.fullmatch(chain) else ""


def _note_imports(statement: ast.stmt, found: Module) -> None:
    """Note every import, at any depth, and also those for a type checker: annotations use them."""
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
    """Yield the statements within a statement. Expressions contain none, so they are not searched."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        if isinstance(within := getattr(statement, part, None), list):
            yield from within
