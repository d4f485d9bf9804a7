"""Copy a whole warehouse to another folder: `python -m flows.backup --warehouse DIR --to FOLDER [--with-key]`.

No load runs meanwhile. Links stay links, and modes and groups stay as they are. The pseudonym key is left out unless
--with-key says otherwise: a person who has the warehouse and the key has the clients' numbers.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows.terminal import finish
from warehouse.errors import Unusable
from warehouse.folders import Folders
from warehouse.publication import writing

KEY = "key"
_PASSING = ("building", "night.lock", "publishing.json")  # of the private tree: what is there only while a load runs


@dataclass(frozen=True)
class Backup:
    """A backup: its files, their bytes, files that lost their group, and whether the pseudonym key is among them."""

    files: int
    size: int
    without_group: int
    has_key: bool


def back_up(where: Folders, to: Path, *, with_key: bool) -> Backup:
    """Copy the warehouse: whole at the end, or not there at all. Raises Unusable for a folder that cannot take it."""
    where.refuse_other_user()
    _refuse(where, to)
    waiting = to.parent / f".{to.name}.part"
    with writing(where):
        shutil.rmtree(waiting, ignore_errors=True)  # of a backup that was killed
        shutil.copytree(where.root, waiting, symlinks=True, ignore=_left_out(where, with_key=with_key))
        (waiting / where.building.relative_to(where.root)).mkdir(mode=0o700)
        without_group = sum(not _same_group(where.root, waiting, path) for path in waiting.rglob("*"))
        os.sync()
        if to.exists():
            to.rmdir()
        waiting.rename(to)
    files = [path for path in to.rglob("*") if path.is_file() and not path.is_symlink()]
    has_key = (to / "private" / KEY).exists()
    return Backup(len(files), sum(path.stat().st_size for path in files), without_group, has_key)


def _refuse(where: Folders, to: Path) -> None:
    if not where.private.is_dir():
        raise Unusable(f"{where.root} is no warehouse; check --warehouse")
    one, other = where.root.resolve(), to.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise Unusable(f"{to} and the warehouse lie in each other; give --to a folder apart from it")
    if (to.is_dir() and any(to.iterdir())) or (to.exists() and not to.is_dir()):
        raise Unusable(f"{to} is there already and not empty; give --to another name")
    to.parent.mkdir(parents=True, exist_ok=True)


def _left_out(where: Folders, *, with_key: bool) -> Callable[[str, list[str]], set[str]]:
    names = _PASSING if with_key else (*_PASSING, KEY)

    def left_out(folder: str, listed: list[str]) -> set[str]:
        return {name for name in listed if Path(folder) == where.private and name in names}

    return left_out


def _same_group(root: Path, copied: Path, path: Path) -> bool:
    """Give a copy the group of its original; whether it has it now."""
    group = (root / path.relative_to(copied)).lstat().st_gid if _has_original(root, copied, path) else os.getegid()
    try:
        os.chown(path, -1, group, follow_symlinks=False)
    except PermissionError:
        return False
    return True


def _has_original(root: Path, copied: Path, path: Path) -> bool:
    return os.path.lexists(root / path.relative_to(copied))


def tell(made: Backup, to: Path) -> None:
    """Print what was copied, and what to keep apart from it."""
    print(f"{to}: {made.files:,} files, {made.size / 1e6:,.1f} MB.")
    if made.without_group:
        print(f"{made.without_group} of them belong to another group than in the warehouse: you are not in it.")
    if made.has_key:
        print("The pseudonym key is in it: a person who reads this folder has the clients' numbers.")
    else:
        print("The pseudonym key is not in it: keep a copy of the key in another place.")


def main(given: list[str] | None = None) -> int:
    """Copy a warehouse."""
    parser = argparse.ArgumentParser(prog="python -m flows.backup", description="Copy a whole warehouse.")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR", help="the warehouse folder")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where to: new, or empty")
    parser.add_argument("--with-key", action="store_true", help="copy the pseudonym key too")
    asked = parser.parse_args(given)

    def run() -> None:
        tell(back_up(Folders(asked.warehouse), asked.to, with_key=asked.with_key), asked.to)

    return finish(run, asked.warehouse)


if __name__ == "__main__":
    sys.exit(main())
