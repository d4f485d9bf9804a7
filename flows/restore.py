"""Publish an older version again, as a new load: `python -m flows.restore --version LOAD`; without it, what is kept.

The next night reads what that version had not read, so nothing is lost by going back.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from flows.beginning import begin
from flows.night import at_work
from flows.order import Order, place_change
from flows.pages import draw
from flows.publishing import publish
from flows.terminal import arguments, finish
from warehouse import folders, publishing
from warehouse.errors import Unusable


def restore(order: Order, load_id: int) -> int:
    """Publish the kept version of a load as a new load; its number. Raises Unusable when it is not kept."""
    version = _version(order, load_id)
    order = replace(order, as_of=publishing.as_of_published(version))
    with at_work(order, "restore") as tonight:
        tonight.reason = f"restored load {load_id}"
        begin(tonight, version)
        publishing.withdraw_later(tonight.con, order.folders.published)
        publish(tonight)
        draw(tonight)
    return tonight.load_id


def _version(order: Order, load_id: int) -> Path:
    kept = {folders.load_of(version): version for version in folders.kept_versions(order.folders.published)}
    if load_id not in kept:
        raise Unusable(f"no version of load {load_id} is kept; kept are {', '.join(map(str, sorted(kept)))}")
    return kept[load_id]


def _list(order: Order) -> None:
    current = folders.current_load(order.folders.published)
    for version in folders.kept_versions(order.folders.published):
        load = folders.load_of(version)
        mark = "  published" if load == current else ""
        print(f"load {load}: {folders.published_at(version):%Y-%m-%d %H:%M} UTC{mark}")


def main(given: list[str] | None = None) -> int:
    """List the kept versions, or publish one of them again."""
    parser = arguments("restore", "Publish an older version again, or list those that are kept.")
    parser.add_argument("--version", type=int, metavar="LOAD", help="the number of its load")
    asked = parser.parse_args(given)

    def run() -> None:
        order = place_change(asked.clinic, asked.warehouse)
        if asked.version is None:
            _list(order)
            return
        print(f"Load {asked.version} is published again, as load {restore(order, asked.version)}.")

    return finish(run)


if __name__ == "__main__":
    sys.exit(main())
