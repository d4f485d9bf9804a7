"""SHA256SUMS beside each published file: the digest of the bytes that were written, as `sha256sum -c` reads it.

DuckDB checks a block only when it reads it, and Parquet has no checksum of its values. Without the digest a night that
copies a damaged file would pass the damage on to every later version. Versions of 0.1 have no digest.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sums(digests: Iterable[tuple[str, str]]) -> str:
    """Return the text of SHA256SUMS for names and digests. A file that is being replaced has two digests."""
    return "".join(f"{digest}  {name}\n" for name, digest in digests)


def noted_digests(file: Path) -> list[str]:
    """Return the digests that are noted beside a file; none where the note is missing or unreadable."""
    try:
        lines = (file.parent / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    noted = filter(None, map(_LINE.fullmatch, lines))
    return [line[1] for line in noted if line[2] == file.name]


def is_as_written(file: Path, copied: Path | None = None) -> bool:
    """Return whether a file, or a copy of it, has a digest that is noted beside the file. True where none is noted.
    Raises OSError."""
    noted = noted_digests(file)
    return not noted or _digest(copied or file) in noted


def _digest(file: Path) -> str:
    """Return `digest_of` the file, computed once for all steps of a command that open it."""
    now = file.stat()
    return _digest_as_it_is(file, now.st_ino, now.st_size, now.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest_as_it_is(file: Path, *_: int) -> str:
    return digest_of(file)
