"""Publish an older version again, as a new load: `rapport restore --version LOAD`. Without --version, list the kept
versions.

Every table is computed again from the records of that version. The next night reads the exports that it had not read,
so nothing is lost. `--point-link` makes the lost link of the analysts' file again. It points at the newest undamaged
version, and no load is made.
"""

from __future__ import annotations

from pathlib import Path

from rapport.flows.load import at_work
from rapport.flows.ops.publish_load import Done, publish_load
from rapport.flows.order import Order, place_change
from rapport.flows.steps.begin import begin
from rapport.flows.steps.check import check_tables
from rapport.flows.steps.compute import compute_everybody
from rapport.flows.steps.join_clients import join_clients
from rapport.flows.terminal import PUBLISHED, arguments, finish
from rapport.flows.troubles import print_troubles
from rapport.flows.workbench import Workbench
from rapport.warehouse.errors import Damaged, RapportError, Unusable
from rapport.warehouse.places.digests import is_as_written, noted_digests
from rapport.warehouse.places.folders import Folders, night_lock
from rapport.warehouse.places.publication import finish as follow
from rapport.warehouse.places.publication import interrupted_load, published_version
from rapport.warehouse.places.versions import (
    current_load,
    current_version,
    damaged,
    kept_versions,
    load_of,
    point,
    published_at,
    set_aside,
    version_of,
)
from rapport.warehouse.store import seal
from rapport.warehouse.store.opening import open_briefly


def restore(order: Order, load_id: int) -> Done:
    """Publish the kept version of a load as a new load. Raises Unusable when it is not kept. The published version is
    not needed, so it may be damaged."""
    version = kept_version(order.folders, load_id)
    with at_work(order, "restore", base=version) as load:
        bench = begin(load)
        lost = _enter_later_loads(bench)
        bench = join_clients(bench)
        computed = compute_everybody(bench)
        checked = check_tables(bench)
        reason = "; ".join([f"restored load {load_id}", *lost])
        return publish_load(bench, computed, checked, reason, damaged=[reason] if lost else [])


def place_restoration(clinic: Path, warehouse: Path, load_id: int) -> Order:
    """The order of a restoration, with the clock of that load. Raises Unusable when the load is not kept."""
    where = Folders(warehouse)
    where.refuse_other_user()
    return place_change(clinic, warehouse, kept_version(where, load_id))


def kept_version(where: Folders, load_id: int) -> Path:
    """The kept version of a load. Raises Unusable when it is not kept, and Damaged when it is damaged."""
    if version := version_of(where.published, load_id):
        if not _is_whole(version):
            raise damaged(version)
        return version
    kept = ", ".join(str(load_of(version)) for version in kept_versions(where.published))
    raise Unusable(f"no version of load {load_id} is kept; kept are {kept or 'none'}")


def _enter_later_loads(bench: Workbench) -> list[str]:
    """Enter the later loads of the published version as withdrawn. Return a sentence where its books are unreadable."""
    try:
        seal.withdraw_later(bench.con, published_version(bench.order.folders))
    except Damaged:
        return ["what was published is damaged, so the books of the loads since are lost"]
    return []


def point_link(where: Folders) -> int:
    """Point the analysts' link at the newest undamaged version, and return its load. A file in the link's place is kept
    beside it. Raises Unusable when every version is damaged."""
    where.refuse_other_user()
    with night_lock(where):
        interrupted_load(where)  # raises an error where the record of an interrupted load is damaged
        if current_version(where.published):
            raise Unusable(f"{where.published} points at load {current_load(where.published)}: it needs no mending")
        newest = next((version for version in reversed(kept_versions(where.published)) if _is_whole(version)), None)
        if newest is None:
            raise Unusable(
                f"every version in {where.analysts / 'versions'} is damaged; restore that folder from a backup, or "
                "begin again with an empty --warehouse"
            )
        if where.published.exists() and not where.published.is_symlink():
            set_aside(where.published)
        point(where.published, newest)
        follow(where, load_of(newest))
    return load_of(newest)


def _is_whole(version: Path) -> bool:
    """Whether a version has the bytes that were written. Where no digest was recorded: whether it can be opened."""
    if noted_digests(version):
        return is_as_written(version)
    try:
        open_briefly(version).close()
    except Damaged:
        return False
    except RapportError:  # it has another key, which says nothing about its bytes
        pass
    return True


def print_kept_versions(where: Folders) -> None:
    """Print the kept versions, and mark the published one."""
    current = current_load(where.published)
    for version in kept_versions(where.published):
        load = load_of(version)
        mark = "  published" if load == current else "  never published, or its link was lost" if load > current else ""
        mark += "" if _is_whole(version) else "  damaged"
        print(f"load {load}: {published_at(version):%Y-%m-%d %H:%M} UTC{mark}")


def main(argv: list[str] | None = None) -> int:
    """List the kept versions, publish one of them again, or mend the link."""
    parser = arguments("restore", "Publish an older version again, or list those that are kept.")
    parser.add_argument("--version", type=int, metavar="LOAD", help="the number of its load")
    parser.add_argument("--point-link", action="store_true", help="make the lost link of the analysts' file anew")
    options = parser.parse_args(argv)

    def run() -> int:
        where = Folders(options.warehouse)
        if options.point_link:
            print(f"{where.published} points at load {point_link(where)}.")
        elif options.version is None:
            where.refuse_other_user()
            published_version(where)
            print_kept_versions(where)
        else:
            made = restore(place_restoration(options.clinic, options.warehouse, options.version), options.version)
            print(f"Load {options.version} is published again, as load {made.load_id}.")
            return print_troubles(made.troubles)
        return PUBLISHED

    return finish(run, options.warehouse)
