"""Text files of the private tree. An error names the damaged file and says what to do. Lines are added whole."""

from __future__ import annotations

import stat
from pathlib import Path

from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.small_files import LARGEST
from rapport.warehouse.places.versions import set_folder_aside


def private_text(path: Path, way_out: str) -> str | None:
    """Return the text of a private file; None where there is none. Raises Unusable, which names the file and says what
    to do (`way_out`)."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe has no end
            raise unusable(path, "is not a file but a folder, a device or a pipe", way_out)
        if found.st_size > LARGEST:
            raise unusable(path, f"is above {LARGEST >> 20} MB, so it is another file", way_out)
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise unusable(path, "is damaged: it is not UTF-8 text", way_out) from None


def unusable(path: Path, what: str, way_out: str) -> Unusable:
    """Return the error for a private file that cannot be used: `what` is wrong, and what to do (`way_out`)."""
    return Unusable(f"private/{path.name} {what}; {way_out}")


def add_line(path: Path, line: str) -> None:
    """Add a line to a private file. An unfinished last line, from a full disk, is ended first."""
    path.touch(mode=0o600)
    with path.open("ab+") as file:
        is_begun = file.seek(0, 2) > 0 and (file.seek(-1, 2), file.read(1))[1] != b"\n"
        file.write((b"\n" if is_begun else b"") + line.encode() + b"\n")


def lines_of(path: Path) -> list[str]:
    """Return the lines of a private file; none where there is no file. Damaged lines are included: the caller counts or
    skips them."""
    if not path.is_file():
        return []
    return [line for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]


def need_file(path: Path) -> None:
    """Raise Unusable where a folder or a device is in the place of a private file."""
    if path.exists() and not path.is_file():
        raise unusable(path, "is not a file", "move it away: Rapport writes a file there")


def begin_anew(path: Path) -> None:
    """Remove a private file whose lines a load has entered. A folder in its place is moved aside."""
    set_folder_aside(path)
    path.unlink(missing_ok=True)
