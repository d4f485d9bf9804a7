"""The versions of a published file, each in a folder `versions/<stamp>-<load>/<file>` with load.json and SHA256SUMS.

So the file has the same name every night, and DuckDB gives its database the same name. Until 0.1 a version was a file,
`versions/<stamp>-<load>.duckdb`. Such versions are read like the others until they are too old to be kept. Files with
other names (`.DS_Store`, `.nfs*`, `x.wal`) are not Rapport's and stay.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from rapport.warehouse.errors import Damaged, Unusable
from rapport.warehouse.places.digests import SUMS, digest_of, noted_digests, sums
from rapport.warehouse.places.load_facts import FACTS, with_bytes

_STAMP = re.compile(r"(\d{8}T\d{6}Z)-(\d{6,})")
FOLDER_MODE = 0o755  # the mode of the tree above restricts access
WAITING_WORKLIST = "worklist.csv"  # beside the crosswalk of its load, until that load is published
IN_A_FOLDER = (FACTS, SUMS, WAITING_WORKLIST)  # beside a version's file


def version_stamp(started_at: datetime, load_id: int) -> str:
    """Return a version's name: the time when its load began, and the load's number."""
    return f"{started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{load_id:06d}"


def kept_versions(link: Path) -> list[Path]:
    """Return the files of all versions beside a link, oldest first."""
    return sorted(_versions(link), key=load_of)


def version_of(link: Path, load_id: int) -> Path | None:
    """Return the file of one load's version; None where it is not kept."""
    return next((version for version in _versions(link) if load_of(version) == load_id), None)


def _versions(link: Path) -> Iterator[Path]:
    for place in _places(link):
        file = place / link.name if place.is_dir() else place
        if file.is_file():
            yield file


def _places(link: Path) -> Iterator[Path]:
    """Yield each folder of a version, and each version of the old layout."""
    versions = link.parent / "versions"
    for place in versions.iterdir() if versions.is_dir() else ():
        name = place.name if place.is_dir() else place.stem if place.suffix == link.suffix else ""
        if _STAMP.fullmatch(name):
            yield place


def _stamp_of(version: Path) -> re.Match[str]:
    found = _STAMP.fullmatch(version.parent.name) or _STAMP.fullmatch(version.stem)
    if found is None:
        raise ValueError(f"{version.name} is not the name of a version")
    return found


def load_of(version: Path) -> int:
    """Return the number of a version's load, from its name."""
    return int(_stamp_of(version)[2])


def published_at(version: Path) -> datetime:
    """Return the time when the load of a version began, from its name."""
    return datetime.strptime(_stamp_of(version)[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def is_folder(version: Path) -> bool:
    """Whether a version has a folder of its own: until 0.1 none had."""
    return _STAMP.fullmatch(version.parent.name) is not None


def tree_path(version: Path) -> str:
    """Return the path of a version within the warehouse. It contains no person's name, so a log may show it."""
    return "/".join(version.parts[-4:] if is_folder(version) else version.parts[-3:])


def damaged(file: Path) -> Damaged:
    """Return the error for a file whose bytes have changed since they were written; it says what to do."""
    way_out = "publish a kept version again (restore lists them), or bring the file back from a backup"
    if _is_safe_file(file):
        way_out = "run the next night, which makes it anew"
    return Damaged(f"{tree_path(file)} is damaged and cannot be read; {way_out}", file)


def _is_safe_file(file: Path) -> bool:
    return "shared" in file.parts[-4:]


def current_version(link: Path) -> Path | None:
    """Return the version that a link points at; None where the link is missing, is no link, or points at nothing."""
    if not link.is_symlink():
        return None
    target = link.resolve()
    return next((version for version in _versions(link) if version.resolve() == target), None)


def current_load(link: Path) -> int:
    """Return the number of the load that a link points at; 0 where it points at none."""
    version = current_version(link)
    return load_of(version) if version else 0


def make_ready(made: Path, tree: Path, mode: int) -> None:
    """Give a file its mode and the group of its future tree, and flush it. Raises Unusable."""
    made.chmod(mode)
    give_to_group_of(tree, made)
    flush(made)


def group_of(folder: Path) -> int:
    """Return the number of a folder's group."""
    return folder.stat().st_gid


def give_to_group_of(folder: Path, made: Path) -> None:
    """Give a file to the group of a folder. Raises Unusable where the user is not in that group."""
    give_to_group(made, group_of(folder), folder)


def give_to_group(made: Path, group: int, folder: Path | None = None) -> None:
    """Give a file or a folder to a group: that of `folder`, by default its own. Raises Unusable."""
    if made.stat().st_gid == group:
        return
    try:
        os.chown(made, -1, group)
    except OSError:
        raise Unusable(
            f"the user who runs this is not in group {group} of {folder or made}; add the user to that group, "
            "or give the folder a group of that user"
        ) from None


def place_version(made: Path, link: Path, stamp: str, facts: Mapping[str, object]) -> Path:
    """Move a finished file into a folder of its own, with its load.json. No link points at it yet."""
    folder = link.parent / "versions" / stamp
    folder.mkdir(exist_ok=True)
    folder.chmod(FOLDER_MODE)
    _write_beside(made, folder / FACTS, with_bytes(facts, made.stat().st_size))
    _note_digests(folder / link.name, made, [digest_of(made)])
    version = made.replace(folder / link.name)
    flush(folder)
    flush(folder.parent)
    return version


def _write_beside(file: Path, path: Path, text: str) -> None:
    """Write a file that describes another, with the mode and the group of that other."""
    waiting = path.with_name(f".{path.name}.new")
    waiting.write_text(text, encoding="utf-8")
    waiting.chmod(stat.S_IMODE(file.stat().st_mode))
    give_to_group_of(file, waiting)
    flush(waiting)
    set_folder_aside(path)
    waiting.replace(path)


def point(link: Path, version: Path) -> None:
    """Point a link at a version, at once: a reader finds the old version or the new one."""
    waiting = link.parent / f".{link.name}.new"
    waiting.unlink(missing_ok=True)
    waiting.symlink_to(version.relative_to(link.parent))
    set_folder_aside(link)
    waiting.replace(link)
    flush(link.parent)


def refuse_unwritable(link: Path) -> None:
    """Raise Unusable where the user may not move a link or place a version beside it."""
    for folder in (link.parent, link.parent / "versions"):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Unusable(f"{folder} may not be written by the user who runs this; give that user the right to write")


def set_folder_aside(place: Path) -> None:
    """Move a folder away from the place of a file or a link. It stays beside it, under another name."""
    if place.is_dir() and not place.is_symlink():
        set_aside(place)


def set_aside(path: Path) -> None:
    """Move a file or folder away from the place of a link. It stays beside it, as NAME.no-link or NAME.no-link-2."""
    names = (path.with_name(f"{path.name}.no-link{number}") for number in ("", *(f"-{n}" for n in range(2, 1000))))
    path.rename(next(name for name in names if not os.path.lexists(name)))


def replace_version(made: Path, version: Path, facts: Mapping[str, object] | None) -> None:
    """Put a file in the place of a kept version. `facts`: the facts of its load.json, where it has one. A reader with
    the old file open reads on until it closes the file."""
    made.chmod(stat.S_IMODE(version.stat().st_mode))
    give_to_group_of(version, made)
    flush(made)
    digest, before = digest_of(made), noted_digests(version) or [digest_of(version)]
    _remove_file(version.parent / FACTS)  # first: facts of the old file must not stand beside the new one
    _note_digests(version, made, [*before, digest])  # after a kill either file has its digest noted
    made.replace(version)
    if facts is not None:
        _write_beside(version, version.parent / FACTS, with_bytes(facts, version.stat().st_size))
    _note_digests(version, version, [digest])
    flush(version.parent)


def _note_digests(version: Path, like: Path, digests: list[str]) -> None:
    """Note the possible digests of a version, and the digest of its load.json. The old layout has no folder for
    them."""
    if not is_folder(version):
        return
    facts = version.parent / FACTS
    noted = [(version.name, digest) for digest in digests] + ([(FACTS, digest_of(facts))] if facts.is_file() else [])
    _write_beside(like, version.parent / SUMS, sums(noted))


def remove_version(version: Path) -> None:
    """Remove a version and its folder. Open files stay readable until they are closed."""
    version.unlink()
    if is_folder(version):
        _remove_folder(version.parent)


def remove_unfinished(link: Path) -> None:
    """Remove what an interrupted command left beside a link: files not yet moved, and a version's folder without its
    file. Files of others stay."""
    remove_waiting(link)
    for place in filter(Path.is_dir, _places(link)):
        for name in (FACTS, SUMS):
            _remove_file(place / f".{name}.new")
        if not os.path.lexists(place / link.name):
            _remove_folder(place)


def remove_waiting(path: Path) -> None:
    """Remove a file that was written to be moved into a place, and was not moved."""
    _remove_file(path.with_name(f".{path.name}.new"))


def _remove_file(path: Path) -> None:
    if path.is_file() or path.is_symlink():
        path.unlink()


def _remove_folder(place: Path) -> None:
    """Remove a version's folder with Rapport's files in it. The folder stays where it holds other files, or files that
    a network share keeps open."""
    for name in IN_A_FOLDER:
        _remove_file(place / name)
    with suppress(OSError):
        place.rmdir()


def keep_newest(link: Path, count: int, replaced_before: datetime) -> None:
    """Remove all but the newest `count` versions. The published version stays. So does a version that was the newest at
    or after `replaced_before`: a reader may just have found its path."""
    versions, current = kept_versions(link), current_version(link)
    for version, successor in list(pairwise(versions))[: max(len(versions) - count, 0)]:
        if published_at(successor) < replaced_before and version != current:
            remove_version(version)


def flush(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
