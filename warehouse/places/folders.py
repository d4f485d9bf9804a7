"""The three trees of a warehouse folder, which have different readers.

DIR/analysts/rapport.duckdb      a relative symlink into versions/   0750, files 0440
DIR/shared/rapport_safe.duckdb   a relative symlink into versions/   files 0444; and the pages
DIR/private/                     the key, the crosswalk, the worklist, the lock, the folder to work in   0700

Each folder gets its mode when it is made, and never again: a clinic may narrow it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rapport.warehouse.errors import NightRunning, Unusable, escaped
from rapport.warehouse.places.digests import is_as_written
from rapport.warehouse.places.versions import damaged, flush


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
        return self.shared / "rapport_safe.duckdb"

    @property
    def internal(self) -> Path:
        """Pages for staff who may open records: a folder for each group that clinic.toml names."""
        return self.root / "internal"

    @property
    def links(self) -> tuple[Path, Path, Path]:
        """The link of each tree; the analysts' last."""
        return self.crosswalk, self.safe, self.published

    @property
    def building(self) -> Path:
        """Where commands work: a folder for each of them (warehouse/places/scratch.py)."""
        return self.private / "building"

    @property
    def publishing(self) -> Path:
        """Which load is being published: there only while it is (warehouse/places/publication.py)."""
        return self.private / "publishing.json"

    @property
    def crosswalk(self) -> Path:
        return self.private / "crosswalk.parquet"

    @property
    def worklist(self) -> Path:
        """The clinicians' worklist, with record numbers: replaced every night."""
        return self.private / "worklist.csv"

    @property
    def lines(self) -> Path:
        """What is known of whole exports' lines, by keyed hashes: flows/steps/remembered_lines.py. It may be lost."""
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
        """Who asked to be taken out, with record numbers: flows/ops/erasure_requests.py."""
        return self.private / "forget.csv"

    @property
    def forget_too(self) -> Path:
        """Who was taken out by half, with record numbers: flows/private/kept_out.py."""
        return self.private / "forget_too.csv"

    @property
    def look_alikes(self) -> Path:
        """Clients' numbers that differ little from another: flows/private/look_alikes.py."""
        return self.private / "look_alikes.csv"

    @property
    def erasing(self) -> Path:
        """Who is being taken out: there only until every kept file is without them (flows/private/erasure.py)."""
        return self.private / "erasing.json"

    @property
    def still_holding(self) -> Path:
        """Export files that hold somebody who was taken out."""
        return self.private / "still_holding.csv"

    @property
    def person_reports(self) -> Path:
        """When what is held of one person was written down for them, until the next load enters it into the books."""
        return self.private / "person_reports.jsonl"

    @property
    def receipts(self) -> Path:
        """What was taken out when, without personal data."""
        return self.private / "receipts.jsonl"

    def make(self) -> None:
        """Make the folders that are not there, each with its mode. Raises Unusable, or PermissionError, when that
        is not allowed."""
        self.refuse_other_user()
        refuse_question_mark(self.root, "--warehouse")
        try:
            for folder, mode in self._modes().items():
                if not folder.is_dir():
                    folder.mkdir(parents=True)
                    folder.chmod(mode)  # the umask does not say who gets this far
        except PermissionError:
            raise  # it names the folder
        except OSError as error:
            way_out = "check --warehouse" if folder == self.root else "move away what lies in its place"
            raise Unusable(f"{folder} cannot be made ({error.strerror}); {way_out}") from None

    def _modes(self) -> dict[Path, int]:
        versions = [tree / "versions" for tree in (self.analysts, self.private, self.shared)]
        trees = {self.root: 0o755, self.analysts: 0o750, self.shared: 0o755, self.private: 0o700}
        return trees | dict.fromkeys(versions, 0o755) | {self.building: 0o700}

    def refuse_other_user(self) -> None:
        """Raise Unusable unless the user owns the private tree: files of another would stop every later night."""
        owned = next((folder for folder in (self.private, self.root) if folder.exists()), None)
        owner, user = owned.stat().st_uid if owned else os.geteuid(), os.geteuid()
        if owner != user and (owned == self.private or user == 0):
            raise Unusable(f"{owned} belongs to {_user(owner)} and not to {_user(user)}; run this as {_user(owner)}")


def _user(number: int) -> str:
    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"


def refuse_question_mark(path: Path, option: str) -> None:
    """DuckDB takes what follows a question mark for something else than a path, and loses its log there."""
    if "?" in str(resolved(path)):
        raise Unusable(f"the path of {path.name} holds a question mark, which DuckDB cannot write to; check {option}")


def resolved(path: Path) -> Path:
    """The path without links. Raises Unusable for one that neither Prefect nor DuckDB can be told, and for links in a
    circle."""
    what = ""
    try:
        os.fsencode(path).decode()
        path.stat()
    except UnicodeDecodeError:
        what = "is no UTF-8; rename it, or make a link to it that is"
    except OSError as error:
        if error.errno == errno.ELOOP:
            what = "is a link that leads back to itself; mend the link, or give another path"
    if what:
        raise Unusable(f"the path {escaped(str(path))} {what}")
    return path.resolve()


@contextmanager
def night_lock(folders: Folders) -> Iterator[None]:
    """Hold the one night's lock; it dies with its process. Raises NightRunning, Unusable, OSError."""
    try:
        lock = (folders.private / "night.lock").open("w")
    except (PermissionError, IsADirectoryError):
        raise  # they name the folder
    except OSError as error:
        raise Unusable(f"{folders.private} cannot be written ({error.strerror}); check --warehouse") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NightRunning("another night is running on this warehouse; wait for it to end") from None
        yield


def copy_to(version: Path, to: Path) -> Path:
    """A published file copied to where it may be written to. Raises Damaged: nothing is made from such a file."""
    shutil.copyfile(version, to)
    to.chmod(0o600)
    if not is_as_written(version, to):
        raise damaged(version)
    return to


def prepare(made: Path, text: str) -> Path:
    """A text that only the night's user may read, on the disk, to be moved into place later."""
    made.touch(mode=0o600)
    made.chmod(0o600)
    made.write_text(text, encoding="utf-8")
    flush(made)
    return made


def replace_private(path: Path, text: str) -> None:
    """Replace a private file whole: a crash leaves the old one."""
    prepare(path.with_name(f".{path.name}.new"), text).replace(path)
    flush(path.parent)
