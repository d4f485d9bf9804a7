"""The three folder trees of a warehouse, each for other readers.

DIR/analysts/rapport.duckdb      a relative symlink into versions/   0750, files 0440
DIR/shared/rapport_safe.duckdb   a relative symlink into versions/   files 0444; and the pages
DIR/private/                     the key, the crosswalk, the worklist, the lock, the folder to work in   0700

A folder gets its mode once, when it is made: a clinic may then restrict it further.
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
    """The paths of one warehouse."""

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
        """The safe file, which may leave the analysts' tree: a symlink to the newest version."""
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
        """The folder in which commands work, each in a folder of its own (warehouse/places/scratch.py)."""
        return self.private / "building"

    @property
    def publishing(self) -> Path:
        """The load that is being published. The file exists only meanwhile (warehouse/places/publication.py)."""
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
        """Keyed hashes of the lines of whole exports (flows/steps/remembered_lines.py). The folder may be deleted."""
        return self.private / "lines"

    @property
    def attempts(self) -> Path:
        """Nights that did not publish, until the next published load enters them into load.loads."""
        return self.private / "attempts.jsonl"

    @property
    def tombstones(self) -> Path:
        return self.private / "tombstones"

    @property
    def tombstone_key(self) -> Path:
        return self.private / "tombstone_key"

    @property
    def erasure_requests(self) -> Path:
        """Requests for erasure, with record numbers: flows/ops/erasure_requests.py."""
        return self.private / "forget.csv"

    @property
    def forget_too(self) -> Path:
        """People whose erasure is not complete, with record numbers: flows/private/kept_out.py."""
        return self.private / "forget_too.csv"

    @property
    def look_alikes(self) -> Path:
        """Clients' numbers that differ little from another: flows/private/look_alikes.py."""
        return self.private / "look_alikes.csv"

    @property
    def erasing(self) -> Path:
        """The erasure in progress. The file exists until every kept file is rewritten (flows/private/erasure.py)."""
        return self.private / "erasing.json"

    @property
    def still_holding(self) -> Path:
        """Export files that still hold an erased person."""
        return self.private / "still_holding.csv"

    @property
    def person_reports(self) -> Path:
        """The times of reports about one person, until the next load enters them into the books."""
        return self.private / "person_reports.jsonl"

    @property
    def receipts(self) -> Path:
        """Receipts of erasures, without personal data."""
        return self.private / "receipts.jsonl"

    def make(self) -> None:
        """Make the missing folders, each with its mode. Raises Unusable or PermissionError where a folder cannot be
        made."""
        self.refuse_other_user()
        refuse_question_mark(self.root, "--warehouse")
        try:
            for folder, mode in self._modes().items():
                if not folder.is_dir():
                    folder.mkdir(parents=True)
                    folder.chmod(mode)  # mkdir's mode depends on the umask
        except PermissionError:
            raise  # the error names the folder
        except OSError as error:
            way_out = "check --warehouse" if folder == self.root else "move the file of that name away"
            raise Unusable(f"{folder} cannot be made ({error.strerror}); {way_out}") from None

    def _modes(self) -> dict[Path, int]:
        versions = [tree / "versions" for tree in (self.analysts, self.private, self.shared)]
        trees = {self.root: 0o755, self.analysts: 0o750, self.shared: 0o755, self.private: 0o700}
        return trees | dict.fromkeys(versions, 0o755) | {self.building: 0o700}

    def refuse_other_user(self) -> None:
        """Raise Unusable unless the user owns the private tree: another user's files would stop every later night."""
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
    """Raise Unusable for a path with a question mark: DuckDB reads it as the end of the path and loses its log."""
    if "?" in str(resolved(path)):
        raise Unusable(f"the path of {path.name} holds a question mark, which DuckDB cannot write to; check {option}")


def resolved(path: Path) -> Path:
    """Return the path without links. Raises Unusable for a path that is not UTF-8, which Prefect and DuckDB cannot use,
    and for links that form a circle."""
    what = ""
    try:
        os.fsencode(path).decode()
        path.stat()
    except UnicodeDecodeError:
        what = "is not UTF-8; rename it, or make a link to it with a UTF-8 name"
    except OSError as error:
        if error.errno == errno.ELOOP:
            what = "is a link that leads back to itself; mend the link, or give another path"
    if what:
        raise Unusable(f"the path {escaped(str(path))} {what}")
    return path.resolve()


@contextmanager
def night_lock(folders: Folders) -> Iterator[None]:
    """Hold the warehouse's one lock; it ends with its process. Raises NightRunning, Unusable, OSError."""
    try:
        lock = (folders.private / "night.lock").open("w")
    except (PermissionError, IsADirectoryError):
        raise  # these errors name the folder
    except OSError as error:
        raise Unusable(f"{folders.private} cannot be written ({error.strerror}); check --warehouse") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NightRunning("another night is running on this warehouse; wait for it to end") from None
        yield


def copy_to(version: Path, to: Path) -> Path:
    """Copy a published file to a place where it can be changed. Return the copy. Raises Damaged where its bytes are not
    those that were written."""
    shutil.copyfile(version, to)
    to.chmod(0o600)
    if not is_as_written(version, to):
        raise damaged(version)
    return to


def prepare(made: Path, text: str) -> Path:
    """Write a text that only the night's user may read, and flush it. It is moved into its place later."""
    made.touch(mode=0o600)
    made.chmod(0o600)
    made.write_text(text, encoding="utf-8")
    flush(made)
    return made


def replace_private(path: Path, text: str) -> None:
    """Replace a private file at once: a crash leaves the old one."""
    prepare(path.with_name(f".{path.name}.new"), text).replace(path)
    flush(path.parent)
