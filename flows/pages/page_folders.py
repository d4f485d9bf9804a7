"""Which folder the page of each site and program has. A folder that was given to one is never given to another: who may
read it must not suddenly see somebody else's page. Two names that make one folder name get two, the later a number.

What was given is in DIR/private/page_folders.json: folder name -> [kind, name].
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from itertools import count
from pathlib import Path

from rapport.warehouse.places.folders import Folders, replace_private
from rapport.warehouse.places.page_files import pages_folder
from rapport.warehouse.places.private_files import private_text, unusable

_FROM_BACKUP = "it says whose page is in which folder: restore it from a backup"
LONGEST = 200  # characters of a folder's name, of the 255 that a file system takes
_HEADING = re.compile(r"<h1>(.*?)</h1>", re.DOTALL)


@dataclass(frozen=True)
class Placed:
    """A site or a program (`kind`) that has a page, and the page's heading."""

    kind: str
    name: str
    title: str


def folder_names(where: Folders, placed: Sequence[Placed]) -> dict[Placed, str]:
    """The folder name of each; what is given for the first time is remembered. Raises Unusable for a memory that
    cannot be read: to guess would show pages to others."""
    memory = where.private / "page_folders.json"
    given = _remembered(memory)
    before = len(given)
    for each in placed:
        if (each.kind, each.name) not in given:
            given[each.kind, each.name] = _free_name(each, set(given.values()), pages_folder(where))
    if len(given) > before:
        text = json.dumps({folder: place for place, folder in given.items()}, ensure_ascii=False, indent=1)
        replace_private(memory, text)
    return {each: given[each.kind, each.name] for each in placed}


def _remembered(memory: Path) -> dict[tuple[str, str], str]:
    text = private_text(memory, _FROM_BACKUP)
    if text is None:
        return {}
    try:
        return {(kind, name): folder for folder, (kind, name) in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        raise unusable(memory, "is damaged", _FROM_BACKUP) from None


def _free_name(each: Placed, taken: set[str], place: Path) -> str:
    """The plain name, or the first with a number that is nobody's."""
    plain = f"{each.kind}-{_slug(each.name)}"
    names = (plain if number == 1 else f"{plain}-{number}" for number in count(1))
    return next(name for name in names if name not in taken and _is_nobody_else_s(place / name, each.title))


def _is_nobody_else_s(folder: Path, title: str) -> bool:
    """A folder from before there was a memory is that of the page that lies in it."""
    if not folder.is_dir():
        return True
    try:
        heading = _HEADING.search((folder / "index.html").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return False
    return heading is not None and unescape(heading[1]) == title


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:LONGEST].strip("-") or "unnamed"
