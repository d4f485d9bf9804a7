"""Encryption at rest, as an option: the keys from the environment, and the reasons why a file does not open.

RAPPORT_ENCRYPTION_KEY         the key of warehouse files; without it they are plain
RAPPORT_ENCRYPTION_KEY_BEFORE  the former key of kept files: rapport compact rewrites them with the new one
Each name with _FILE at its end names a file that holds the key.

The safe file is never encrypted: it is made to be given away, and its readers would need the analysts' key.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from rapport.warehouse.errors import Unusable

KEY, KEY_BEFORE = "RAPPORT_ENCRYPTION_KEY", "RAPPORT_ENCRYPTION_KEY_BEFORE"
SHORTEST = 32  # characters: DuckDB hashes the key only once, so only a long key is safe from guessing
_FLAGS_AT = 20  # of the header: a checksum (8 bytes), "DUCK", the storage version (8 bytes), then the flags


def key() -> str | None:
    """Return the key of warehouse files; None for plain files. Raises Unusable for a key that cannot be used."""
    return _given(KEY)


def key_before() -> str | None:
    """Return the former key of kept files; None where it is the same as the key, or there is none."""
    return _given(KEY_BEFORE)


def _given(name: str) -> str | None:
    text = os.environ.get(name)
    if text is None and (path := os.environ.get(f"{name}_FILE")):
        try:
            text = Path(path).read_text(encoding="ascii", errors="replace")
        except OSError as error:
            raise Unusable(
                f"the file that {name}_FILE names cannot be read ({error.strerror}); correct the path"
            ) from None
    return None if text is None else _usable(name, text.strip())


def _usable(name: str, text: str) -> str:
    """Return the key if it needs no quoting in SQL, a shell and a terminal. Raises Unusable."""
    if not re.fullmatch(r"[A-Za-z0-9+/=_.-]*", text):
        raise Unusable(f"{name} must hold only letters, digits and + / = _ . -; make one as RUNBOOK.md says")
    if len(text) < SHORTEST:
        raise Unusable(f"{name} is shorter than {SHORTEST} characters; make one as RUNBOOK.md says, or unset it")
    return text


def is_encrypted(path: Path) -> bool:
    """Return whether a file is an encrypted DuckDB file, by its header, which is never encrypted."""
    with path.open("rb") as file:
        header = file.read(_FLAGS_AT + 1)
    return header[8:12] == b"DUCK" and bool(int.from_bytes(header[_FLAGS_AT:]) & 1)


def why_not_opened(path: Path, said: str) -> Unusable | None:
    """Return the error for a file that DuckDB did not open, where encryption is the cause; else None."""
    if not path.is_file():
        return None
    if "without a key" in said:
        return Unusable(
            f"the warehouse file is encrypted and there is no key; set {KEY} to the one it was written with"
        )
    if "Wrong encryption key" in said:
        return Unusable(
            f"the warehouse file was written with another key than {KEY}; restore that key, or after a change of key "
            f"set {KEY_BEFORE} to the old one and run rapport compact"
        )
    if "is not encrypted" in said:
        return Unusable(
            f"{KEY} is set and the warehouse file is not encrypted; run rapport compact, which encrypts every kept file"
        )
    return None
