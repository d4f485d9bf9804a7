"""The pseudonym key: from RAPPORT_KEY or DIR/private/key. `rapport key --warehouse DIR` makes one.

Without the key, no later record can be matched to a client. With the key, anybody can undo the pseudonyms. Keep its
backup apart from the warehouse.
"""

from __future__ import annotations

import argparse
import os
import secrets
from pathlib import Path

from rapport.flows.terminal import finish
from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.folders import Folders
from rapport.warehouse.places.private_files import private_text
from rapport.warehouse.places.versions import kept_versions

KEY_BYTES = 32
FROM_BACKUP = "restore it from its backup"


def read_key(folders: Folders) -> bytes:
    """The key. Raises Unusable when there is no key, or when it cannot be used."""
    given = os.environ.get("RAPPORT_KEY")
    return _key(given, "RAPPORT_KEY") if given else _written(folders)


def _written(folders: Folders) -> bytes:
    text = private_text(folders.private / "key", FROM_BACKUP)
    if text is None:
        _refuse_new_key(folders)
        raise Unusable("there is no pseudonym key; set RAPPORT_KEY, or make one with rapport key --warehouse DIR")
    return _key(text, "private/key")


def _refuse_new_key(folders: Folders) -> None:
    """Raise Unusable where people have pseudonyms already: with a new key, all of them would be new people."""
    if any(kept_versions(link) for link in folders.links):
        raise Unusable(
            "the pseudonym key of this warehouse is lost, and a new one would not fit; bring private/key back from its "
            "backup, or set RAPPORT_KEY"
        )


def _key(text: str, place: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        raise Unusable(f"the pseudonym key in {place} is not hexadecimal; {FROM_BACKUP}") from None
    if len(key) < KEY_BYTES:
        raise Unusable(f"the pseudonym key in {place} is shorter than {KEY_BYTES} bytes; {FROM_BACKUP}")
    return key


def make_key(folders: Folders) -> Path:
    """Make a new key in the private tree, unless there is one. Raises Unusable where the present key cannot be used, or
    where the warehouse was made with another key."""
    folders.make()
    path = folders.private / "key"
    if path.exists():
        _written(folders)
    else:
        _refuse_new_key(folders)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
    return path


def main(given: list[str] | None = None) -> int:
    """Make a key for a warehouse that has none."""
    parser = argparse.ArgumentParser(prog="rapport key", description="Make the pseudonym key of a warehouse.")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR")
    folders = Folders(parser.parse_args(given).warehouse)

    def run() -> None:
        make_key(folders)
        print("The pseudonym key is in the private tree. Back it up apart from the warehouse.")

    return finish(run, folders.root)
