"""The private tree's own text files: what is damaged is named, with what to do; a line is added whole."""

from __future__ import annotations

import stat
from pathlib import Path

from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.small_files import LARGEST
from rapport.warehouse.places.versions import set_folder_aside


def private_text(path: Path, way_out: str) -> str | None:
    """Return the text of a private file; None where there is none. Raises Unusable that names it, with the way out."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe has no end
            raise unusable(path, "is no file but a folder, a device or a pipe", way_out)
        if found.st_size > LARGEST:
            raise unusable(path, f"is above {LARGEST >> 20} MB, so it is another file", way_out)
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise unusable(path, "is damaged: it is not UTF-8 text", way_out) from None


def unusable(path: Path, what: str, way_out: str) -> Unusable:
    """The sentence about a private file that cannot be used: what it is, and the way out."""
    return Unusable(f"private/{path.name} {what}; {way_out}")


def add_line(path: Path, line: str) -> None:
    """Add a line to a private file. Where the last one has no end, because a disk was full, it is ended first."""
    path.touch(mode=0o600)
    with path.open("ab+") as file:
        is_begun = file.seek(0, 2) > 0 and (file.seek(-1, 2), file.read(1))[1] != b"\n"
        file.write((b"\n" if is_begun else b"") + line.encode() + b"\n")


def lines_of(path: Path) -> list[str]:
    """Return the lines that were added to a private file; none where there is no file. Damaged lines are among them:
    the caller counts them, or passes them over."""
    if not path.is_file():
        return []
    return [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]


def need_file(path: Path) -> None:
    """Raise Unusable where something else lies in a private file's place, before anything is done."""
    if path.exists() and not path.is_file():
        raise unusable(path, "is no file", "move it away: a file goes there")


def begin_anew(path: Path) -> None:
    """Remove a private file whose lines a load has taken over; a folder in its place stays beside it."""
    set_folder_aside(path)
    path.unlink(missing_ok=True)
