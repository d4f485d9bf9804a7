"""The pages' places, DIR/shared/pages and DIR/internal: a folder per audience, each with its own readers.

A folder is made for the night's user and its group (0750) and keeps the group and mode that it is given later; an
internal one has the group that clinic.toml names.
"""

from __future__ import annotations

import grp
from collections.abc import Collection, Iterator
from pathlib import Path

from warehouse.errors import Unusable
from warehouse.folders import Folders
from warehouse.versions import give_to_group, give_to_group_of

FOLDER_MODE, FILE_MODE = 0o750, 0o640


def pages_folder(folders: Folders) -> Path:
    """Where the pages are."""
    return folders.shared / "pages"


def group_number(page: str, group: str) -> int:
    """The number of the group that [internal] of clinic.toml names for a page. Raises Unusable where this machine has
    no such group."""
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise Unusable(
            f"[internal] {page} = '{group}': this machine has no such group; make it, or correct clinic.toml"
        ) from None


def write_page(page: Path, html: str, group: int | None = None) -> Path:
    """Put a page in the place of the one before it, at once; who may read it, its folder says. The same stays. Raises
    Unusable where the page cannot be given to the folder's group, or the folder to the `group`."""
    folder = page.parent
    if not folder.is_dir():
        _make(folder.parent, 0o755)
        _make(folder, FOLDER_MODE)
    if group is not None:
        give_to_group(folder, group)
    if page.exists() and page.read_text(encoding="utf-8") == html:
        return page
    waiting = folder / f".{page.name}.new"
    waiting.write_text(html, encoding="utf-8")
    waiting.chmod(FILE_MODE | (folder.stat().st_mode & 0o004))
    try:
        give_to_group_of(folder, waiting)
    except Unusable:
        waiting.unlink()
        raise
    return waiting.replace(page)


def _make(folder: Path, mode: int) -> None:
    """Make a folder with a mode that the umask does not change. One that is there keeps its own."""
    if not folder.is_dir():
        folder.mkdir()
        folder.chmod(mode)


def remove_others(place: Path, kept: Collection[Path]) -> None:
    """Remove pages that are no longer drawn: a site that closed, a table that is gone."""
    if not place.is_dir():
        return
    for page in [*place.glob("*/*.html"), *place.glob("*/.*.new")]:
        if page not in kept:
            page.unlink()
    for folder in place.iterdir():
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def written_pages(folders: Folders) -> Iterator[Path]:
    """The audiences' pages as they stand."""
    for place in (pages_folder(folders), folders.internal):
        yield from place.glob("*/index.html")


def pages_in(folder: Path) -> dict[str, str]:
    """The HTML of a folder's pages by their names."""
    return {page.name: page.read_text(encoding="utf-8") for page in folder.glob("*.html")}
