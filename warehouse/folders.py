"""The three trees of a warehouse folder, which have different readers, and the file that is published.

DIR/analysts/rapport.duckdb   a relative symlink to versions/...   0750, files 0440
DIR/shared/rapport-safe.duckdb  a relative symlink to versions/..., files 0444; and the pages
DIR/private/                  the key, the crosswalk, the worklist, the building file, the lock   0700
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from warehouse.errors import NightRunning, Unusable


@dataclass(frozen=True)
class Folders:
    """Where everything of one warehouse lies."""

    root: Path

    @property
    def analysts(self) -> Path:
        return self.root / "analysts"

    @property
    def private(self) -> Path:
        return self.root / "private"

    @property
    def published(self) -> Path:
        """The analysts' file: a symlink to the newest version."""
        return self.analysts / "rapport.duckdb"

    @property
    def shared(self) -> Path:
        return self.root / "shared"

    @property
    def safe(self) -> Path:
        """What may leave the analysts' tree: a symlink to the newest version."""
        return self.shared / "rapport-safe.duckdb"

    @property
    def building(self) -> Path:
        return self.private / "building"

    @property
    def crosswalk(self) -> Path:
        return self.private / "crosswalk.parquet"

    @property
    def worklist(self) -> Path:
        """The clinicians' worklist, with record numbers: replaced every night."""
        return self.private / "worklist.csv"

    @property
    def lines(self) -> Path:
        """What is known of whole exports' lines, by keyed hashes: flows/known_lines.py. It may be lost."""
        return self.private / "lines"

    @property
    def attempts(self) -> Path:
        """Nights that did not publish, until the next that does writes them into load.loads."""
        return self.private / "attempts.jsonl"

    @property
    def tombstones(self) -> Path:
        return self.private / "tombstones"

    @property
    def tombstone_key(self) -> Path:
        return self.private / "tombstone_key"

    @property
    def erasure_requests(self) -> Path:
        """Who asked to be taken out, with record numbers: flows/erasure_requests.py."""
        return self.private / "forget.csv"

    @property
    def still_holding(self) -> Path:
        """Export files that hold somebody who was taken out."""
        return self.private / "still_holding.csv"

    @property
    def receipts(self) -> Path:
        """What was taken out when, without personal data."""
        return self.private / "receipts.jsonl"

    def make(self) -> None:
        """Make the trees with their modes. Raises Unusable when that is not allowed."""
        try:
            for folder, mode in ((self.root, 0o755), (self.analysts, 0o750), (self.private, 0o700)):
                folder.mkdir(parents=True, exist_ok=True)
                folder.chmod(mode)
            versions = [tree / "versions" for tree in (self.analysts, self.private, self.shared)]
            for folder in (self.shared, self.building, *versions):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o755)  # the tree above says who gets this far, not the umask
        except OSError as error:
            raise Unusable(f"the warehouse folder cannot be made ({error.strerror}); check --warehouse") from None

    def sweep(self) -> None:
        """Remove what a killed night left: building files, symlinks not yet moved, versions never pointed to."""
        for left in self.building.iterdir():
            left.unlink()
        for link in (self.published, self.crosswalk, self.safe):
            tree = link.parent
            for left in tree.glob(".*.new"):
                left.unlink()
            current = current_load(link)
            for version in (tree / "versions").iterdir():
                if load_of(version) > current:
                    version.unlink()


@contextmanager
def night_lock(folders: Folders) -> Iterator[None]:
    """Hold the one night's lock; it dies with its process. Raises NightRunning."""
    try:
        lock = (folders.private / "night.lock").open("w")
    except OSError as error:
        raise Unusable(f"the warehouse folder cannot be written ({error.strerror}); check --warehouse") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NightRunning("another night is running on this warehouse; wait for it to end") from None
        yield


def copy_version(folders: Folders, version: Path, number: int) -> Path:
    """The building file: a published file copied, or a path where the first one will be made."""
    building = folders.building / f"{number:06d}.duckdb"
    return copy_to(version.resolve(), building) if version.exists() else building


def copy_to(version: Path, to: Path) -> Path:
    """A published file copied to where it may be written to."""
    shutil.copyfile(version, to)
    to.chmod(0o600)
    return to


def publish(made: Path, link: Path, stamp: str, mode: int) -> Path:
    """Make `made` a read-only version beside `link`, then move the symlink to it: the one moment that counts."""
    version = link.parent / "versions" / f"{stamp}{link.suffix}"
    made.chmod(mode)
    _give_to_group(made, link.parent)
    _flush(made)
    made.replace(version)
    _flush(version.parent)
    waiting = link.parent / f".{link.name}.new"
    waiting.symlink_to(version.relative_to(link.parent))
    waiting.replace(link)
    _flush(link.parent)
    return version


def swap(made: Path, version: Path) -> None:
    """Put `made` in the place of a kept version. Who has the old one open reads it until it is closed."""
    made.chmod(stat.S_IMODE(version.stat().st_mode))
    _give_to_group(made, version.parent.parent)
    _flush(made)
    made.replace(version)
    _flush(version.parent)


def prepare(made: Path, text: str) -> Path:
    """A text that only the night's user may read, on the disk, to be moved into place later."""
    made.touch(mode=0o600)
    made.chmod(0o600)
    made.write_text(text, encoding="utf-8")
    _flush(made)
    return made


def _give_to_group(made: Path, folder: Path) -> None:
    """A published file belongs to its folder's group: the analysts', once the folder was given to them."""
    group = folder.stat().st_gid
    if made.stat().st_gid == group:
        return
    try:
        os.chown(made, -1, group)
    except OSError:
        raise Unusable(f"the night's user is not in the group of {folder.name}/; add it to that group") from None


def keep_newest(link: Path, count: int, replaced_before: datetime) -> None:
    """Remove all but the newest versions beside `link`, and none that was the newest at or after `replaced_before`:
    a reader may have found its path a moment ago. Open files stay readable until they are closed."""
    versions = kept_versions(link)
    for version, successor in list(pairwise(versions))[: max(len(versions) - count, 0)]:
        if published_at(successor) < replaced_before:
            version.unlink()


def kept_versions(link: Path) -> list[Path]:
    """The versions beside a symlink, oldest first."""
    return sorted((link.parent / "versions").iterdir(), key=load_of)


def published_at(version: Path) -> datetime:
    """When the load of a version started, by its name."""
    return datetime.strptime(version.stem.rpartition("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def version_stamp(started_at: datetime, load_id: int) -> str:
    """A version's name: when its night started, and the load it carries."""
    return f"{started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{load_id:06d}"


def load_of(version: Path) -> int:
    """The load that a version carries, by its name."""
    return int(version.stem.rpartition("-")[2])


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def current_load(link: Path) -> int:
    """The load that a published symlink points to; 0 before the first."""
    return load_of(link.resolve()) if link.is_symlink() else 0
