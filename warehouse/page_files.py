"""The pages' place, DIR/shared/pages: a folder per audience, each with its own readers.

A folder is made for the night's user and its group (0750) and keeps the group and mode that it is given later.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from warehouse.folders import Folders

FOLDER_MODE, FILE_MODE = 0o750, 0o640


def pages_folder(folders: Folders) -> Path:
    """Where the pages are."""
    return folders.shared / "pages"


def write_page(page: Path, html: str) -> Path:
    """Put a page in the place of the one before it, at once; who may read it, its folder says. The same stays."""
    folder = page.parent
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.parent.chmod(0o755)
        folder.mkdir()
        folder.chmod(FOLDER_MODE)
    if page.exists() and page.read_text(encoding="utf-8") == html:
        return page
    waiting = folder / f".{page.name}.new"
    waiting.write_text(html, encoding="utf-8")
    waiting.chmod(FILE_MODE | (folder.stat().st_mode & 0o004))
    if waiting.stat().st_gid != folder.stat().st_gid:
        os.chown(waiting, -1, folder.stat().st_gid)
    return waiting.replace(page)


def remove_others(place: Path, kept: Collection[Path]) -> None:
    """Remove pages that are no longer drawn: a site that closed, a table that is gone."""
    for page in [*place.glob("*/*.html"), *place.glob("*/.*.new")]:
        if page not in kept:
            page.unlink()
    for folder in place.iterdir():
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def written_pages(place: Path) -> Iterator[Path]:
    """The audiences' pages as they stand."""
    return place.glob("*/index.html")


def pages_in(folder: Path) -> dict[str, str]:
    """The HTML of a folder's pages by their names."""
    return {page.name: page.read_text(encoding="utf-8") for page in folder.glob("*.html")}
