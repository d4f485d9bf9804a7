"""Programs that a command starts inherit no key, unless they load."""

import ast
import os

import pytest

from rapport.flows.messages.children import keys_hidden
from tests.clinics.nights import ROOT

STARTS = {"subprocess.run", "subprocess.Popen"}
MODULES = [path for path in sorted((ROOT / "flows").rglob("*.py")) if "bench" not in path.parts]  # whose children load


def calls(path) -> list[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in STARTS]


def test_every_program_is_started_with_an_environment_of_its_own():
    started = {path.name: [each.keywords for each in calls(path)] for path in MODULES if calls(path)}
    assert started.keys() == {"channels.py", "deploy.py", "server.py"}
    assert all("env" in {word.arg for word in words} for found in started.values() for words in found)


def test_what_a_library_starts_inherits_no_key_and_the_night_keeps_it(monkeypatch):
    monkeypatch.setenv("RAPPORT_KEY", "5a")
    with pytest.raises(ValueError, match="of the library's"), keys_hidden():
        assert "RAPPORT_KEY" not in os.environ
        raise ValueError("of the library's own")
    assert os.environ["RAPPORT_KEY"] == "5a"
