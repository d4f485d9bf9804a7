"""The folders of pages, DIR/shared/pages and DIR/internal: one folder per audience, each with its own readers.

A folder is made for the night's user and its group (0750). It keeps a group and a mode that somebody gives it later. An
internal folder has the group that clinic.toml names.
"""

from __future__ import annotations

import grp
import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.versions import give_to_group, give_to_group_of, group_of, set_folder_aside

FOLDER_MODE, FILE_MODE = 0o750, 0o640
_AUDIENCE = re.compile(r"clinic|operations|dictionary|(site|program)-.+")  # other folders are not Rapport's


def pages_folder(folders: Folders) -> Path:
    """Return the folder of the shared pages."""
    return folders.shared / "pages"


def group_number(page: str, group: str) -> int:
    """Return the number of the group that [internal] of clinic.toml names for a page. Raises Unusable where this
    machine has no such group."""
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise Unusable(
            f"[internal] {page} = '{group}': this machine has no such group; make it, or correct clinic.toml"
        ) from None


def write_page(page: Path, html: str, group: int | None = None) -> Path:
    """Replace a page at once, with the readers of its folder. An equal page stays as it is. Raises Unusable where the
    page cannot be given to the folder's group, or the folder to the `group`."""
    folder = page.parent
    if not folder.is_dir():
        _make(folder.parent, 0o755)
        _make(folder, FOLDER_MODE)
    if group is not None:
        give_to_group(folder, group)
    if page.is_file() and _is_for_readers_of(folder, page) and text_of(page) == html:
        return page
    set_folder_aside(page)
    waiting = folder / f".{page.name}.new"
    waiting.write_text(html, encoding="utf-8")
    waiting.chmod(_mode_in(folder))
    try:
        give_to_group_of(folder, waiting)
    except Unusable:
        waiting.unlink()
        raise
    return waiting.replace(page)


def _mode_in(folder: Path) -> int:
    """Return the mode of a page: others may read it where they may read its folder."""
    return FILE_MODE | (folder.stat().st_mode & 0o004)


def _is_for_readers_of(folder: Path, page: Path) -> bool:
    """Return whether a page has the group and the mode of its folder, which may have changed since."""
    now = page.stat()
    return (now.st_gid, stat.S_IMODE(now.st_mode)) == (group_of(folder), _mode_in(folder))


def _make(folder: Path, mode: int) -> None:
    """Make a folder with this mode, whatever the umask. An existing folder keeps its mode."""
    if not folder.is_dir():
        folder.mkdir()
        folder.chmod(mode)


def remove_others(place: Path, kept: Collection[Path]) -> None:
    """Remove pages that are no longer drawn, for example of a closed site or a dropped table."""
    for folder in _audiences(place):
        ours = "*.html" if folder.name == "dictionary" else "index.html"
        for page in [*folder.glob(ours), *folder.glob(f".{ours}.new")]:
            if page not in kept and page.is_file():
                page.unlink()
        if not any(folder.iterdir()):
            folder.rmdir()


def _audiences(place: Path) -> list[Path]:
    """Return the folders of audiences with pages."""
    found = place.iterdir() if place.is_dir() else ()
    return [folder for folder in found if folder.is_dir() and _AUDIENCE.fullmatch(folder.name)]


def written_pages(folders: Folders) -> Iterator[Path]:
    """Yield the existing pages of all audiences."""
    audiences = [*_audiences(pages_folder(folders)), *_audiences(folders.internal)]
    pages = (folder / "index.html" for folder in audiences)
    return (page for page in pages if page.is_file())


def pages_in(folder: Path) -> dict[str, str]:
    """Return the HTML of a folder's pages, by their names."""
    return {page.name: text_of(page) for page in folder.glob("*.html") if page.is_file()}


def text_of(page: Path) -> str:
    """Return a page's HTML. Damaged bytes that are not UTF-8 are replaced: such a page differs and is drawn again."""
    return page.read_text(encoding="utf-8", errors="replace")
