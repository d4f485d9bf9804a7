"""The examples in docstrings are true, and what a newcomer writes first has one."""

import doctest
import importlib

import pytest

from tests.house.test_imports import MODULES, source

SHOWN = [module for module in MODULES if ">>> " in source(module)]
WRITTEN_FIRST = {
    "a column": "warehouse/schema/columns.py",
    "a clinic key": "warehouse/toml_keys/keys.py",
    "a format's reader": "transforms/sources/plain.py",
    "a table": "warehouse/schema/tables.py",
    "a rule": "expectations/rules.py",
    "a question": "dashboards/questions.py",
    "scores": "transforms/scoring/missing_rules.py",
    "matching": "transforms/sessions/matching.py",
    "hiding": "transforms/hiding/derivable.py",
}


@pytest.mark.parametrize("module", SHOWN)
def test_every_example_gives_what_it_says(module):
    found = importlib.import_module("rapport." + module.removesuffix(".py").replace("/", "."))
    done = doctest.testmod(found)
    assert (done.failed, done.attempted > 0) == (0, True)


@pytest.mark.parametrize("what", WRITTEN_FIRST)
def test_what_a_newcomer_writes_first_has_an_example(what):
    assert WRITTEN_FIRST[what] in SHOWN, f"show {what} in a docstring of its module"
