"""A warehouse file with the knowledge of a past day, computed with today's rules.

    rapport as-known-on --day 2026-03-31 --out FILE

Birth dates are today's: the private crosswalk keeps one per client.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from rapport.flows.ops.verify import COPY, opened_apart
from rapport.flows.order import Order, place_change
from rapport.flows.private.erasure import take_out
from rapport.flows.private.tombstones import read_tombstones
from rapport.flows.steps.compute import derive_anew
from rapport.flows.steps.publish import make_views
from rapport.flows.terminal import arguments, finish, read_day
from rapport.warehouse.errors import Unusable
from rapport.warehouse.history import known_on_day
from rapport.warehouse.places.folders import refuse_question_mark
from rapport.warehouse.places.publication import published_version
from rapport.warehouse.places.scratch import scratch_folder
from rapport.warehouse.places.versions import flush
from rapport.warehouse.store import compaction, seal


def as_known_on(order: Order, day: date, out: Path) -> int:
    """Write the file, and return the number of the last load of that day. Raises Unusable when no load is so old."""
    _refuse_what_is_there(out)
    published = published_version(order.folders)
    with scratch_folder(order.folders.building, "as-known-on") as scratch:
        with opened_apart(order, published, scratch) as file:
            take_out(file.con, file.order, read_tombstones(order.folders))
            load_id = known_on_day.load_of_day(file.con, day)
            if load_id is None:
                raise Unusable(f"nothing was known on {day}: the first load came later; give a later --day")
            then = replace(order, as_of=known_on_day.take_back_to(file.con, load_id))
            derive_anew(replace(file, order=then))
            make_views(file.con, then)
            seal.seal(file.con)
        _hand_over(scratch / COPY, out)
    return load_id


def _refuse_what_is_there(out: Path) -> None:
    refuse_question_mark(out, "--out")
    try:
        if out.exists():
            raise Unusable(f"{out.name} exists already; give --out another name")
        if not out.parent.is_dir():
            raise Unusable(f"the folder of {out.name} does not exist; check --out")
    except OSError as error:
        raise Unusable(f"{out.name} cannot be written ({error.strerror}); check --out") from None


def _hand_over(made: Path, out: Path) -> None:
    """Copy the file to `out`: it appears there complete or not at all. A part that a killed attempt left is removed."""
    waiting = out.with_name(f".{out.name}.part")
    try:
        waiting.unlink(missing_ok=True)
        waiting.touch(mode=0o600)  # fails early where the folder is missing or not writable
        compaction.copy_compactly(made, waiting, spill=made.parent)
        waiting.chmod(0o440)
        flush(waiting)
        waiting.rename(out)
    except OSError as error:
        raise Unusable(f"{out.name} cannot be written ({error.strerror}); check --out") from None


def main(argv: list[str] | None = None) -> int:
    """Write the warehouse file of a past day."""
    parser = arguments("as-known-on", "Write what was known on a day, under today's rules, as a warehouse file.")
    parser.add_argument("--day", required=True, metavar="YYYY-MM-DD")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(argv)

    def run() -> None:
        day = read_day("--day", options.day)
        load_id = as_known_on(place_change(options.clinic, options.warehouse), day, options.out)
        print(f"{options.out}: what was known on {day} (load {load_id}), under today's rules.")

    return finish(run, options.warehouse)
