"""The folder of each site's and each program's page.

A folder is never given to another site or program: its readers must not suddenly see another page. Where two names give
the same folder name, the later one gets a number. The folders are recorded in DIR/private/page_folders.json:
folder name -> [kind, name].
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
LONGEST = 200  # characters of a folder's name; a file system allows 255
_HEADING = re.compile(r"<h1>(.*?)</h1>", re.DOTALL)


@dataclass(frozen=True)
class Placed:
    """A site or a program (`kind`) that has a page, and the page's heading."""

    kind: str
    name: str
    title: str


def folder_names(where: Folders, placed: Sequence[Placed]) -> dict[Placed, str]:
    """The folder name of each site and program. New names are recorded. Raises Unusable when the record cannot be read:
    a guess could show a page to the wrong readers."""
    memory = where.private / "page_folders.json"
    folders = _remembered(memory)
    before = len(folders)
    for each in placed:
        if (each.kind, each.name) not in folders:
            folders[each.kind, each.name] = _free_name(each, set(folders.values()), pages_folder(where))
    if len(folders) > before:
        text = json.dumps({folder: place for place, folder in folders.items()}, ensure_ascii=False, indent=1)
        replace_private(memory, text)
    return {each: folders[each.kind, each.name] for each in placed}


def _remembered(memory: Path) -> dict[tuple[str, str], str]:
    text = private_text(memory, _FROM_BACKUP)
    if text is None:
        return {}
    try:
        return {(kind, name): folder for folder, (kind, name) in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        raise unusable(memory, "is damaged", _FROM_BACKUP) from None


def _free_name(each: Placed, taken: set[str], place: Path) -> str:
    """The plain folder name, or else the first free name with a number."""
    plain = f"{each.kind}-{_slug(each.name)}"
    names = (plain if number == 1 else f"{plain}-{number}" for number in count(1))
    return next(name for name in names if name not in taken and _is_nobody_else_s(place / name, each.title))


def _is_nobody_else_s(folder: Path, title: str) -> bool:
    """Whether a folder is free for this page. A folder without a record belongs to the page that is in it."""
    if not folder.is_dir():
        return True
    try:
        heading = _HEADING.search((folder / "index.html").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return False
    return heading is not None and unescape(heading[1]) == title


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:LONGEST].strip("-") or "unnamed"
