"""The versions of a published file: a folder each, `versions/<stamp>-<load>/<file>`, with load.json beside the file.

So the file has the same name every night, and DuckDB gives its database the same name. Until 0.1 a version was a file,
`versions/<stamp>-<load>.duckdb`: such versions are read like the others until they are too old to be kept. Other
names in these folders are not Rapport's (`.DS_Store`, `.nfs*`, `x.wal`): they are passed over.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from warehouse.errors import Unusable
from warehouse.load_facts import FACTS, with_bytes

_STAMP = re.compile(r"(\d{8}T\d{6}Z)-(\d{6,})")
FOLDER_MODE = 0o755  # the tree above says who gets this far


def version_stamp(started_at: datetime, load_id: int) -> str:
    """Return a version's name: when its load began, and its number."""
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
    """Each folder of a version, and each version of the old layout."""
    versions = link.parent / "versions"
    for place in versions.iterdir() if versions.is_dir() else ():
        name = place.name if place.is_dir() else place.stem if place.suffix == link.suffix else ""
        if _STAMP.fullmatch(name):
            yield place


def _stamp_of(version: Path) -> re.Match[str]:
    found = _STAMP.fullmatch(version.parent.name) or _STAMP.fullmatch(version.stem)
    if found is None:
        raise ValueError(f"{version.name} is no version")
    return found


def load_of(version: Path) -> int:
    """Return the load that a version carries, by its name."""
    return int(_stamp_of(version)[2])


def published_at(version: Path) -> datetime:
    """Return when the load of a version began, by its name."""
    return datetime.strptime(_stamp_of(version)[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def is_folder(version: Path) -> bool:
    """Whether a version has a folder of its own: until 0.1 none had."""
    return _STAMP.fullmatch(version.parent.name) is not None


def told_place(version: Path) -> str:
    """Return where a version lies, from its tree on: it names nobody, so it may stand in a log."""
    return "/".join(version.parts[-4:] if is_folder(version) else version.parts[-3:])


def current_version(link: Path) -> Path | None:
    """Return the version that a link points at; None where it is missing, no link, or points at nothing."""
    if not link.is_symlink():
        return None
    target = link.resolve()
    return next((version for version in _versions(link) if version.resolve() == target), None)


def current_load(link: Path) -> int:
    """Return the load that a link points at; 0 where it points at none."""
    version = current_version(link)
    return load_of(version) if version else 0


def make_ready(made: Path, tree: Path, mode: int) -> None:
    """Give a file the mode and the group of the tree that it will be published in, and flush it. Raises Unusable."""
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
            "or give the folder a group that the user is in"
        ) from None


def place_version(made: Path, link: Path, stamp: str, facts: Mapping[str, object]) -> Path:
    """Move a file that is ready into a folder of its own, with its load.json. Nothing points at it yet."""
    folder = link.parent / "versions" / stamp
    folder.mkdir(exist_ok=True)
    folder.chmod(FOLDER_MODE)
    _write_facts(folder / FACTS, facts, made)
    version = made.replace(folder / link.name)
    flush(folder)
    flush(folder.parent)
    return version


def _write_facts(path: Path, facts: Mapping[str, object], file: Path) -> None:
    """Write load.json with the mode and the group of the file that it describes."""
    waiting = path.with_name(f".{path.name}.new")
    waiting.write_text(with_bytes(facts, file.stat().st_size), encoding="utf-8")
    waiting.chmod(stat.S_IMODE(file.stat().st_mode))
    if waiting.stat().st_gid != file.stat().st_gid:
        os.chown(waiting, -1, file.stat().st_gid)
    flush(waiting)
    waiting.replace(path)


def point(link: Path, version: Path) -> None:
    """Point a link at a version, at once: a reader finds the old version or the new one."""
    waiting = link.parent / f".{link.name}.new"
    waiting.unlink(missing_ok=True)
    waiting.symlink_to(version.relative_to(link.parent))
    waiting.replace(link)
    flush(link.parent)


def replace_version(made: Path, version: Path, facts: Mapping[str, object] | None) -> None:
    """Put a file in the place of a kept version; `facts` are those of its load.json, where it has one. Whoever has the
    old file open reads it until it is closed."""
    made.chmod(stat.S_IMODE(version.stat().st_mode))
    if made.stat().st_gid != version.stat().st_gid:
        os.chown(made, -1, version.stat().st_gid)
    flush(made)
    told = version.parent / FACTS
    told.unlink(missing_ok=True)  # first: what it says of the old file must not stand beside the new one
    made.replace(version)
    if facts is not None:
        _write_facts(told, facts, version)
    flush(version.parent)


def remove_version(version: Path) -> None:
    """Remove a version and its folder. Open files stay readable until they are closed."""
    version.unlink()
    if is_folder(version):
        shutil.rmtree(version.parent, ignore_errors=True)  # a file that a share still holds open goes later


def remove_unfinished(link: Path) -> None:
    """Remove what an interrupted command left beside a link: what was not yet moved, a folder without its file."""
    for left in link.parent.glob(".*.new"):
        left.unlink()
    for place in _places(link):
        if place.is_dir() and not (place / link.name).exists():
            shutil.rmtree(place, ignore_errors=True)


def keep_newest(link: Path, count: int, replaced_before: datetime) -> None:
    """Remove all but the newest `count` versions. A version that was the newest at or after `replaced_before` stays: a
    reader may have found its path a moment ago. So does the one that is published."""
    versions, current = kept_versions(link), current_version(link)
    for version, successor in list(pairwise(versions))[: max(len(versions) - count, 0)]:
        if published_at(successor) < replaced_before and version != current:
            remove_version(version)


def flush(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
