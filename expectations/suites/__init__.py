"""The suites of finished tables: rules that columns cannot declare. Each module has the name of its table.

SUITE = [never("at the ceiling is near it", "ceiling_count > near_ceiling_count")]
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from pathlib import Path

from rapport.expectations.rules import Rule

FOLDER = "expectations/suites"


def names() -> set[str]:
    """The tables that have a suite."""
    return {path.stem for path in Path(__file__).parent.glob("[!_]*.py")}


def suite_of(table: str) -> list[Rule]:
    """The rules of a table's suite; none where it has no suite. Raises ValueError for a module that holds none."""
    if table not in names():
        return []
    found = getattr(import_module(f"{__name__}.{table}"), "SUITE", None)
    if not found or not all(isinstance(rule, Rule) for rule in found):
        raise ValueError(
            f"{FOLDER}/{table}.py has no rules; write SUITE = [...] in it, a list of `never` or `rows_rule` "
            "(expectations/rules.py), or remove the file"
        )
    return list(found)


def refuse_strange(tables: Collection[str]) -> None:
    """Raise ValueError for a suite without a table of that name."""
    if strange := sorted(names().difference(tables)):
        raise ValueError(
            f"{FOLDER}/{strange[0]}.py is named after no table; name it after the table whose rows it checks "
            "(DICTIONARY.md lists them), or remove it"
        )
