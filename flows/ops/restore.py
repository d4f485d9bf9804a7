"""Publish an older version again, as a new load: `rapport restore --version LOAD`; without it, what is kept.

Every table is derived again from the records of that version. The next night reads what that version had not read, so
nothing is lost by going back. `--point-link` makes the analysts' link anew, where it is lost: it points at the newest
whole version, and no load is made.
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
from rapport.flows.troubles import status_of
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
    """Publish the kept version of a load as a new load. Raises Unusable when it is not kept. What is published may be
    damaged: it is not needed."""
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
    """The order of a restoration: its clock is that of the load. Raises Unusable when that load is not kept."""
    where = Folders(warehouse)
    where.refuse_other_user()
    return place_change(clinic, warehouse, kept_version(where, load_id))


def kept_version(where: Folders, load_id: int) -> Path:
    """The version of a load. Raises Unusable when it is not kept."""
    if version := version_of(where.published, load_id):
        if not _is_whole(version):
            raise damaged(version)
        return version
    kept = ", ".join(str(load_of(version)) for version in kept_versions(where.published))
    raise Unusable(f"no version of load {load_id} is kept; kept are {kept or 'none'}")


def _enter_later_loads(bench: Workbench) -> list[str]:
    """The books of what is published: which loads are withdrawn. Where they cannot be read, what is lost."""
    try:
        seal.withdraw_later(bench.con, published_version(bench.order.folders))
    except Damaged:
        return ["what was published is damaged, so the books of the loads since are lost"]
    return []


def point_link(where: Folders) -> int:
    """Point the analysts' link at the newest whole version; its load. What stands in the link's place is kept beside
    it. Raises Unusable where no version is whole."""
    where.refuse_other_user()
    with night_lock(where):
        interrupted_load(where)  # what says so must be whole, or gone
        if current_version(where.published):
            raise Unusable(f"{where.published} points at load {current_load(where.published)}: it needs no mending")
        newest = next((version for version in reversed(kept_versions(where.published)) if _is_whole(version)), None)
        if newest is None:
            raise Unusable(
                f"no version in {where.analysts / 'versions'} is whole; bring that folder back from a backup, or give "
                "an empty --warehouse to begin anew"
            )
        if where.published.exists() and not where.published.is_symlink():
            set_aside(where.published)
        point(where.published, newest)
        follow(where, load_of(newest))
    return load_of(newest)


def _is_whole(version: Path) -> bool:
    """Whether a version is as it was written; whether it opens, where no digest says so."""
    if noted_digests(version):
        return is_as_written(version)
    try:
        open_briefly(version).close()
    except Damaged:
        return False
    except RapportError:  # its key is another: that says nothing about its bytes
        pass
    return True


def tell_kept(where: Folders) -> None:
    """Print the kept versions, and which of them is published."""
    current = current_load(where.published)
    for version in kept_versions(where.published):
        load = load_of(version)
        mark = "  published" if load == current else "  never published, or its link was lost" if load > current else ""
        mark += "" if _is_whole(version) else "  damaged"
        print(f"load {load}: {published_at(version):%Y-%m-%d %H:%M} UTC{mark}")


def main(given: list[str] | None = None) -> int:
    """List the kept versions, publish one of them again, or mend the link."""
    parser = arguments("restore", "Publish an older version again, or list those that are kept.")
    parser.add_argument("--version", type=int, metavar="LOAD", help="the number of its load")
    parser.add_argument("--point-link", action="store_true", help="make the lost link of the analysts' file anew")
    asked = parser.parse_args(given)

    def run() -> int:
        where = Folders(asked.warehouse)
        if asked.point_link:
            print(f"{where.published} points at load {point_link(where)}.")
        elif asked.version is None:
            where.refuse_other_user()
            published_version(where)
            tell_kept(where)
        else:
            made = restore(place_restoration(asked.clinic, asked.warehouse, asked.version), asked.version)
            print(f"Load {asked.version} is published again, as load {made.load_id}.")
            return status_of(made.troubles)
        return PUBLISHED

    return finish(run, asked.warehouse)
