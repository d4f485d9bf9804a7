"""Small files that people write: the clinic file, instruments, and tables of links, norms and requests."""

from __future__ import annotations

import io
import stat
from pathlib import Path

from rapport.warehouse.errors import escaped

LARGEST = 64 << 20  # bytes: some million lines


def read_small(path: Path, what: str, hint: str = "") -> bytes:
    """Return the file's bytes. Raises ValueError, which calls the file `what`, also for a device or a pipe: it has no
    end."""
    where = f"{what} {escaped(path.name)}".strip()
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
            raise ValueError(f"{where} is not a file but a device or a pipe; put a file in its place")
        if found.st_size > LARGEST:
            raise ValueError(f"{where} is above {LARGEST >> 20} MB; is it another file?")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{where} cannot be read ({error.strerror}){hint}") from None


def text_of(data: bytes, errors: str = "strict") -> str:
    """Return the bytes as text with line feeds as line ends. Raises UnicodeDecodeError where they are not UTF-8."""
    return io.StringIO(data.decode("utf-8-sig", errors), newline=None).getvalue()
