"""The rooms of the house: CONTRIBUTING.md has the true map, and no room is overfull."""

import ast
import re
from pathlib import Path

import pytest

from tests.clinics.nights import ROOT
from tests.house.test_imports import FOLDERS

ROOMS = sorted(path.parent for folder in FOLDERS for path in (ROOT / folder).rglob("__init__.py"))
MOST = 20  # modules that a person takes in at one look


def said(room: Path) -> str:
    """The first paragraph of what a room's own docstring says."""
    text = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))
    assert text, f"write in one sentence what {room.relative_to(ROOT)} holds: the docstring of its __init__.py"
    return " ".join(text.partition("\n\n")[0].split())


def test_the_map_of_the_rooms_says_what_each_says_itself():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- rooms: .*?-->\n(.*?)<!-- /rooms -->", page, re.DOTALL)[1]
    on_the_map = dict(re.findall(r"^\| `(\S+)/` \| (.*) \|$", table, re.MULTILINE))
    rooms = {str(room.relative_to(ROOT)): said(room) for room in ROOMS}
    rows = [f"| `{room}/` | {text} |" for room, text in rooms.items() if on_the_map.get(room) != text]
    assert not rows, "\n".join(["write these rows into the table of rooms in CONTRIBUTING.md:", *rows])
    assert on_the_map.keys() == rooms.keys(), "take rooms that are gone from the table of rooms in CONTRIBUTING.md"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_a_room_has_no_more_modules_than_a_look_takes_in(room):
    modules = [path for path in room.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST or room.name == "suites", "a room per subject: divide it"


def test_the_links_of_the_package_lead_to_the_five_folders():
    links = {path.name: path.readlink() for path in (ROOT / "rapport").iterdir() if path.is_symlink()}
    assert links == {name: Path("..", name) for name in FOLDERS}


def imports(path: Path) -> set[str]:
    """The dotted names that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}


@pytest.mark.parametrize("folder", [*FOLDERS, "tests"])
def test_no_module_is_imported_by_a_name_of_its_folder_alone(folder):
    """`import warehouse` beside `from rapport import warehouse` would be a second module with a state of its own."""
    bare = {
        path.relative_to(ROOT).as_posix(): found
        for path in (ROOT / folder).rglob("*.py")
        if (found := {name for name in imports(path) if name.partition(".")[0] in FOLDERS})
    }
    assert bare == {}, "write `from rapport.warehouse...`"
