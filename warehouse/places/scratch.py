"""Scratch folders: each command works in its own folder under private/building. It may contain personal data.

A process holds a lock beside its folder until it ends. A folder with a free lock was left by a killed process: the next
command that writes removes it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

OLD_WORK_FILE = "desk.duckdb"  # the work file of a verification by 0.1, in private/tmp????????
_OF_A_PROCESS = re.compile(r"[a-z][a-z-]*-\d+")
# Files that 0.1 left directly in building: work files, copies, DuckDB's spilled data, and files not yet moved.
_OF_0_1 = re.compile(
    r"(\d{6,}|work|made|rekeyed|rapport-safe)\.duckdb(\.wal|\.fresh|\.tmp)?"
    r"|duckdb_temp_.+\.(block|tmp)|(crosswalk|[0-9a-f]{32})\.parquet|(worklist|forget)\.csv"
)


@contextmanager
def scratch_folder(building: Path, purpose: str) -> Iterator[Path]:
    """Make a folder for this process alone. At the end it is removed with its content."""
    folder = building / f"{purpose}-{os.getpid()}"
    with _locked(_lock_of(folder)):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            with suppress(OSError):  # the next command that writes removes the rest
                _remove(folder)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a new lock. If another process removes the file before it is locked, it is made again."""
    while True:
        with path.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(os.fstat(lock.fileno()), path.stat()):
                yield
                return


def _remove(folder: Path) -> None:
    """Remove a folder, then its lock: an interruption between the two leaves only a free lock."""
    if folder.exists():
        shutil.rmtree(folder)
    _lock_of(folder).unlink(missing_ok=True)


def sweep_scratch(building: Path) -> None:
    """Remove the folders of processes that have ended. Folders with other names stay."""
    for left in list(building.iterdir()):
        with suppress(OSError):  # a share may still hold a file open: it goes with a later sweep
            if left.suffix == ".lock" and _is_of_a_process(left.with_suffix("")):
                _remove_if_dead(left)
            elif left.is_dir() and _is_of_a_process(left) and not _lock_of(left).exists():
                _remove(left)
            elif _OF_0_1.fullmatch(left.name):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
    for desk in building.parent.glob(f"tmp*/{OLD_WORK_FILE}"):
        shutil.rmtree(desk.parent, ignore_errors=True)


def _is_of_a_process(folder: Path) -> bool:
    return _OF_A_PROCESS.fullmatch(folder.name) is not None


def _remove_if_dead(lock: Path) -> None:
    with lock.open("r+") as held:
        if _take(held):
            _remove(lock.with_suffix(""))


def _take(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
