"""What Rapport computes: polars only, frames in, a frame out. Every module here that declares tables is found."""

from __future__ import annotations

import ast
import hashlib
import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from warehouse.tables import Table, in_order

HERE = Path(__file__).parent
STATISTICS = (
    "scipy.stats",
    "statsmodels.discrete.discrete_model",
    "statsmodels.duration.survfunc",
    "statsmodels.stats.inter_rater",
    "statsmodels.stats.proportion",
)


def tables() -> list[Table]:
    """Every table declared in this folder, each after those it reads."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    found = {name: thing for module in modules for name, thing in vars(module).items() if isinstance(thing, Table)}
    return in_order(found.values())


def import_statistics() -> None:
    """Import what some tables import when they are first computed: it takes seconds."""
    for library in STATISTICS:
        importlib.import_module(library)


def fingerprints(facts: str) -> dict[str, str]:
    """A fingerprint per table: its module and those it uses, the tables it reads, and the facts where it reads them."""
    made: dict[str, str] = {}
    for table in tables():
        module = table.function.__module__.rpartition(".")[2]
        parts = [repr(table.columns), *(_source(name) for name in sorted(_uses(module)))]
        parts += [made.get(read, facts if read == "clinic" else read) for read in table.reads]
        made[table.name] = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return made


@cache
def _uses(module: str) -> frozenset[str]:
    """The modules of this folder that a module is made of: itself, and what it imports, and what they import."""
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name in found or not (HERE / f"{name}.py").exists():
            continue
        found.add(name)
        waiting += [each for each in _imported(_source(name)) if each not in found]
    return frozenset(found)


@cache
def _imported(source: str) -> set[str]:
    """Names imported from transforms: modules, and what may be a module."""
    names: set[str] = set()
    for node in _statements(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "transforms":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("transforms."):
            names.add(node.module.split(".")[1])
    return names


def _statements(whole: ast.AST) -> Iterator[ast.stmt]:
    """Every statement, however deep: an import is one, and nothing within an expression is."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for node in getattr(whole, part, ()):
            yield node
            yield from _statements(node)


@cache
def _source(module: str) -> str:
    return (HERE / f"{module}.py").read_text(encoding="utf-8")
