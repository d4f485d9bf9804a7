"""The publication of a load: several files, one decisive moment, and the recovery from an interruption.

    1. every file is made, with its mode and group               a failure here changes nothing
    2. private/publishing.json says which load is published
    3. each file goes into its version's folder                  interrupted here, and whole: it is finished
    4. analysts/rapport.duckdb moves: the decisive moment                     or not whole: it is undone
    5. the other links move, and the worklist                    interrupted here: it is finished
    6. publishing.json goes

The analysts' link decides which load is published. The safe file, the crosswalk and the worklist follow it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rapport.warehouse.errors import Unusable
from rapport.warehouse.places.attempts import attempted_loads
from rapport.warehouse.places.digests import is_as_written
from rapport.warehouse.places.folders import Folders, night_lock, replace_private
from rapport.warehouse.places.load_facts import facts_of, for_everybody
from rapport.warehouse.places.private_files import private_text, unusable
from rapport.warehouse.places.scratch import sweep_scratch
from rapport.warehouse.places.versions import (
    WAITING_WORKLIST,
    current_load,
    current_version,
    flush,
    kept_versions,
    load_of,
    make_ready,
    place_version,
    point,
    refuse_unwritable,
    remove_unfinished,
    remove_version,
    remove_waiting,
    set_folder_aside,
    version_of,
)

MODES = {"published": 0o440, "safe": 0o444, "crosswalk": 0o600}


@dataclass(frozen=True)
class Made:
    """The files of a load that is not yet published."""

    published: Path
    safe: Path
    crosswalk: Path
    worklist: Path


def publish(folders: Folders, made: Made, stamp: str, load_id: int, facts: Mapping[str, object]) -> Path:
    """Publish a load. Return its version of the analysts' file. Raises Unusable or OSError; nothing is published
    then."""
    links = {"crosswalk": folders.crosswalk, "safe": folders.safe, "published": folders.published}
    for link in links.values():
        refuse_unwritable(link)
    for name, link in links.items():
        make_ready(getattr(made, name), link.parent, MODES[name])
    replace_private(folders.publishing, json.dumps({"load": load_id, "stamp": stamp}) + "\n")
    try:
        crosswalk = place_version(made.crosswalk, folders.crosswalk, stamp, for_everybody(facts))
        made.worklist.replace(crosswalk.with_name(WAITING_WORKLIST))
        place_version(made.safe, folders.safe, stamp, for_everybody(facts))
        version = place_version(made.published, folders.published, stamp, facts)  # last: with it the load is whole
        point(folders.published, version)
    except Exception:
        if current_load(folders.published) != load_id:
            _undo(folders, load_id)
            raise
    return version


def finish(folders: Folders, load_id: int) -> None:
    """Point the other links at the load of the analysts' file, and move its worklist. This ends the publication."""
    for link in (folders.crosswalk, folders.safe):
        version = version_of(link, load_id)
        if version and current_version(link) != version:
            point(link, version)
    _point_old_name(folders)
    crosswalk = version_of(folders.crosswalk, load_id)
    waiting = crosswalk and crosswalk.with_name(WAITING_WORKLIST)
    if waiting and waiting.exists():
        set_folder_aside(folders.worklist)
        waiting.replace(folders.worklist)
    folders.publishing.unlink(missing_ok=True)
    flush(folders.private)


def _point_old_name(folders: Folders) -> None:
    """Keep the name rapport-safe.duckdb, which the safe file had until 0.1, for one release."""
    old = _old_name(folders)
    if not old.is_symlink() or old.readlink() != Path(folders.safe.name):
        waiting = old.with_name(f".{old.name}.new")
        waiting.unlink(missing_ok=True)
        waiting.symlink_to(folders.safe.name)
        set_folder_aside(old)
        waiting.replace(old)


def _old_name(folders: Folders) -> Path:
    return folders.safe.with_name("rapport-safe.duckdb")


@contextmanager
def writing(folders: Folders) -> Iterator[None]:
    """Hold the lock for a command that writes. First an interrupted publication is finished or undone, and files that
    it left are removed. Raises NightRunning; Unusable where the analysts' link is lost."""
    with night_lock(folders):
        recover(folders)
        sweep_scratch(folders.building)
        yield


def recover(folders: Folders) -> None:
    """Finish or undo an interrupted publication, and point every link at the load of the analysts' file. The caller
    holds the lock. Raises Unusable where the analysts' link is lost."""
    if (load_id := interrupted_load(folders)) is not None:
        version = version_of(folders.published, load_id)
        if current_load(folders.published) == load_id:
            pass
        elif version and _is_whole(folders, load_id) and load_id not in attempted_loads(folders):
            point(folders.published, version)
        else:
            _undo(folders, load_id)
    refuse_lost_link(folders)
    for link in folders.links:
        remove_unfinished(link)
    for path in (folders.publishing, _old_name(folders)):
        remove_waiting(path)
    if current := current_load(folders.published):
        finish(folders, current)


def interrupted_load(folders: Folders) -> int | None:
    """Return the load whose publication was interrupted. Raises Unusable where publishing.json cannot be read."""
    way_out = "remove it, then run this again: the analysts' link says what is published"
    text = private_text(folders.publishing, way_out)
    try:
        return None if text is None else int(json.loads(text)["load"])
    except (ValueError, KeyError, TypeError):
        raise unusable(folders.publishing, "is damaged", way_out) from None


def _is_whole(folders: Folders, load_id: int) -> bool:
    """Return whether each tree holds the load's file with the bytes that were written."""
    versions = [version_of(link, load_id) for link in folders.links]
    return all(version and facts_of(version) and is_as_written(version) for version in versions)


def _undo(folders: Folders, load_id: int) -> None:
    """Remove the files of a load that was not published."""
    for link in folders.links:
        remove_unfinished(link)
        if version := version_of(link, load_id):
            remove_version(version)
    folders.publishing.unlink(missing_ok=True)
    flush(folders.private)


def refuse_lost_link(folders: Folders) -> None:
    """Raise Unusable where the analysts' link is lost although a version or a crosswalk exists."""
    if current_version(folders.published) or _if_allowed(folders.publishing.exists):
        return
    if kept_versions(folders.published) or _if_allowed(lambda: kept_versions(folders.crosswalk)):
        raise Unusable(
            f"{folders.published} is not a link to a kept version although versions exist, so nothing is written; run "
            f"restore --point-link, which points it at the newest whole version"
        )


def _if_allowed(look: Callable[[], object]) -> object:
    """Return the result of a look into a folder; None where this user may not: analysts do not see the private tree."""
    with suppress(PermissionError):
        return look()
    return None


def published_version(folders: Folders) -> Path:
    """Return the published version, by the analysts' link. Raises Unusable where there is none, or the link is lost."""
    if version := current_version(folders.published):
        return version
    refuse_lost_link(folders)
    raise Unusable("this warehouse has published nothing yet; check --warehouse, or run a night first")


def loads_given(folders: Folders) -> set[int]:
    """Return the numbers of all loads with a version, an attempt or an interrupted publication."""
    interrupted = interrupted_load(folders)
    kept = {load_of(version) for link in folders.links for version in kept_versions(link)}
    return kept | attempted_loads(folders) | ({interrupted} if interrupted else set())
