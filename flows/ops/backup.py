"""Copy a whole warehouse to another folder: `rapport backup --warehouse DIR --to FOLDER [--with-key]`.

No load runs meanwhile. Links stay links, and modes and groups stay as they are. The pseudonym key is left out unless
--with-key says otherwise: a person who has the warehouse and the key has the clients' numbers.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rapport.flows.terminal import PUBLISHED, TROUBLED, finish
from rapport.warehouse.errors import RapportError, Unusable
from rapport.warehouse.places.digests import is_as_written
from rapport.warehouse.places.folders import Folders, resolved
from rapport.warehouse.places.load_facts import is_cut_off
from rapport.warehouse.places.publication import writing
from rapport.warehouse.places.versions import kept_versions, tree_path

KEY = "key"
_PASSING = ("building", "night.lock")  # in the private tree: the names that exist only while a load runs


@dataclass(frozen=True)
class Backup:
    """A backup: the number of its files, their size in bytes, and sentences that a person must read."""

    files: int
    size: int
    has_key: bool
    warnings: tuple[str, ...]


def back_up(where: Folders, to: Path, *, with_key: bool) -> Backup:
    """Copy the warehouse. The copy appears complete or not at all. Raises Unusable for an unsuitable folder, and
    RapportError where a file cannot be read or written."""
    where.refuse_other_user()
    _refuse(where, to)
    with writing(where), _whole_or_nothing(to) as waiting:
        _copy(where, waiting, with_key=with_key)
        (waiting / where.building.relative_to(where.root)).mkdir(mode=0o700)
        warnings = (*_without_group(where.root, waiting), *_leading_out(waiting), *_damaged(where))
        os.sync()
    files = [path for path in to.rglob("*") if path.is_file() and not path.is_symlink()]
    has_key = (to / where.private.name / KEY).exists()
    return Backup(len(files), sum(path.stat().st_size for path in files), has_key, warnings)


def _refuse(where: Folders, to: Path) -> None:
    if not where.private.is_dir():
        raise Unusable(f"{where.root} is not a warehouse; check --warehouse")
    one, other = resolved(where.root), resolved(to)
    if one == other or one in other.parents or other in one.parents:
        raise Unusable(f"{to} is in the warehouse, or contains it; give --to a folder outside the warehouse")
    if to.is_mount():
        raise Unusable(f"{to} is the top folder of a disk; give --to a new folder in it")
    if to.is_symlink() or (to.is_dir() and any(to.iterdir())) or (to.exists() and not to.is_dir()):
        raise Unusable(f"{to} exists already and is not an empty folder; give --to another name")


@contextmanager
def _whole_or_nothing(to: Path) -> Iterator[Path]:
    """Make a folder beside `to` that nobody else may read, and rename it to `to` at the end. The remains of a killed
    backup are removed first. Raises RapportError."""
    waiting = to.parent / f".{to.name}.part"
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(waiting, ignore_errors=True)
        waiting.mkdir(mode=0o700)
        yield waiting
        if to.exists():
            to.rmdir()
        waiting.rename(to)
    except OSError as error:
        shutil.rmtree(waiting, ignore_errors=True)
        raise RapportError(f"no backup was made: {_what_failed(error)}; mend that, or give --to another name") from None
    except BaseException:
        shutil.rmtree(waiting, ignore_errors=True)
        raise


def _what_failed(error: OSError) -> str:
    """A sentence about the first file that could not be copied, with the reason."""
    if isinstance(error, shutil.Error) and error.args[0]:
        source, _, why = error.args[0][0]
        return f"{source} could not be copied ({str(why).partition(':')[0]})"
    return f"{error.filename or 'the folder'} could not be written ({error.strerror})"


def _copy(where: Folders, to: Path, *, with_key: bool) -> None:
    """Copy all trees into a folder that other users cannot read until the copy is complete."""
    mode, left_out = where.root.stat().st_mode, _left_out(where, with_key=with_key)
    for each in where.root.iterdir():
        if left_out(str(where.root), [each.name]):
            continue
        if each.is_dir() and not each.is_symlink():
            shutil.copytree(each, to / each.name, symlinks=True, ignore=left_out)
        else:
            shutil.copy2(each, to / each.name, follow_symlinks=False)
    to.chmod(mode & 0o7777)


def _left_out(where: Folders, *, with_key: bool) -> Callable[[str, list[str]], set[str]]:
    names = _PASSING if with_key else (*_PASSING, KEY)

    def left_out(folder: str, listed: list[str]) -> set[str]:
        of_a_disk = {name for name in listed if name == "lost+found" or name.startswith(".nfs")}
        return of_a_disk | {name for name in listed if Path(folder) == where.private and name in names}

    return left_out


def _without_group(root: Path, copied: Path) -> list[str]:
    """Give each copy the group of its original. Return a sentence about the copies where that failed."""
    copies = [copied, *copied.rglob("*")]
    count = sum(not _same_group(root / path.relative_to(copied), path) for path in copies)
    lost = f"{count} copied files and folders have another group: this user is not in the group of the original"
    return [lost] if count else []


def _same_group(original: Path, path: Path) -> bool:
    if not os.path.lexists(original) or path.lstat().st_gid == original.lstat().st_gid:
        return True
    try:
        os.chown(path, -1, original.lstat().st_gid, follow_symlinks=False)
    except PermissionError:
        return False
    return True


def _leading_out(copied: Path) -> list[str]:
    """A sentence for each link that leads out of the warehouse: its target is not copied."""
    links = [path for path in copied.rglob("*") if path.is_symlink()]
    out = [path for path in links if copied.resolve() not in path.resolve().parents]
    return [f"{path.relative_to(copied)} is a link out of the warehouse: back up what it points at too" for path in out]


def _damaged(where: Folders) -> list[str]:
    """A sentence for each kept file whose bytes have changed since it was published."""
    versions = [version for link in where.links for version in kept_versions(link)]
    return [
        f"{tree_path(version)} is damaged, and so is its copy; publish another load (rapport restore lists them), "
        "then back up again"
        for version in versions
        if is_cut_off(version) or not is_as_written(version)
    ]


def print_backup(made: Backup, to: Path) -> None:
    """Print the size of the backup and its warnings, and where the key is."""
    print(f"{to}: {made.files:,} files, {made.size / 1e6:,.1f} MB.")
    if made.has_key:
        print("The pseudonym key is in it: a person who reads this folder has the clients' numbers.")
    else:
        print("The pseudonym key is not in it: keep a copy of the key in another place.")
    for warning in made.warnings:
        print(f"{warning}.", file=sys.stderr)


def main(argv: list[str] | None = None) -> int:
    """Copy a warehouse."""
    parser = argparse.ArgumentParser(prog="rapport backup", description="Copy a whole warehouse.")
    parser.add_argument("--warehouse", type=Path, required=True, metavar="DIR", help="the warehouse folder")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where to: new, or empty")
    parser.add_argument("--with-key", action="store_true", help="copy the pseudonym key too")
    options = parser.parse_args(argv)

    def run() -> int:
        made = back_up(Folders(options.warehouse), options.to, with_key=options.with_key)
        print_backup(made, options.to)
        return TROUBLED if made.warnings else PUBLISHED

    return finish(run, options.warehouse)
