"""A file that is read from its beginning, with a limit of memory. Bytes are counted unpacked.

All errors of a damaged archive become one refusal.
"""

from __future__ import annotations

import errno
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import polars as pl

from rapport.warehouse.clinic_file.memory import in_words
from rapport.warehouse.errors import Refused

VIEW = 16  # bytes of a text or a list in a frame, which polars does not count when it estimates a size
# What zipfile and the libraries beneath it raise where an archive is damaged, or locked by a password.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, RuntimeError, MemoryError),
    *(ValueError, IndexError, OverflowError),
)


class Bounded:
    """A file being read. Raises Refused where it holds more than `memory` bytes."""

    def __init__(self, file: IO[bytes], memory: int) -> None:
        self._file, self._memory, self._left = file, memory, memory

    def read(self, size: int = -1) -> bytes:
        """The next bytes, all of them by default."""
        return self._counted(self._file.read, size)

    def readline(self, size: int = -1) -> bytes:
        """The next line, or so much of it."""
        return self._counted(self._file.readline, size)

    def _counted(self, read: Callable[[int], bytes], size: int) -> bytes:
        most = self._left + 1
        data = read(most if size < 0 else min(size, most))
        self._left -= len(data)
        if self._left < 0:
            raise too_large(self._memory)
        return data


class Unpacked(Bounded):
    """A file of an archive being read. Raises Refused where the archive is damaged."""

    def _counted(self, read: Callable[[int], bytes], size: int) -> bytes:
        with refusing_damage():
            return super()._counted(read, size)


@contextmanager
def refusing_damage() -> Iterator[None]:
    """Raise the errors of an archive's library as Refused. An error of the disk stays as it is."""
    try:
        yield
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # bzip2 gives no number, and a place before the beginning is EINVAL
            raise
        raise _damaged() from None
    except _DAMAGE:
        raise _damaged() from None


def _damaged() -> Refused:
    return Refused("is an archive that is damaged, truncated or locked; unpack it, or export it again")


def unreadable(error: OSError) -> Refused:
    return Refused(f"cannot be read ({error.strerror}); let the night's user read it")


def too_large(memory: int) -> Refused:
    much = f"{in_words(memory)}, the memory for reading"
    return Refused(f"holds more than {much}; export it in pieces, or raise memory in clinic.toml")


def held(frames: Iterable[pl.DataFrame], memory: int) -> list[pl.DataFrame]:
    """All frames of a file whose records may be anywhere. Raises Refused where they take more memory."""
    found: list[pl.DataFrame] = []
    size: float = 0
    for frame in frames:
        found.append(frame)
        views = sum(dtype == pl.String or dtype.is_nested() for dtype in frame.dtypes)
        size += frame.estimated_size() + VIEW * frame.height * views
        if size > memory:
            raise too_large(memory)
    return found


def check_file(path: Path, memory: int | None = None) -> None:
    """Refuse a device, a pipe, a link to nothing, and a file that is too large. Raises OSError where a disk or a share
    does not answer.
    """
    try:
        found = path.stat()
    except PermissionError as error:
        raise unreadable(error) from None
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        raise Refused(
            "is not there: it is a link to nothing, or was taken away; mend the link, or take it away"
        ) from None
    if not stat.S_ISREG(found.st_mode):
        raise Refused("is no file but a device, a pipe or a folder; take it out of the exports folder")
    if memory is not None and found.st_size > memory:
        raise too_large(memory)
