"""The beginning of a night: yesterday's file, the key, the crosswalk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rapport.flows.order import Tonight
from rapport.flows.private.aliases import know_aliases
from rapport.flows.private.crosswalk import birth_dates, crosswalk_of, crosswalk_restored
from rapport.flows.private.erasure import bury, take_out
from rapport.flows.private.key import read_key
from rapport.flows.private.tombstones import read_tombstones
from rapport.flows.steps.settle_spaces import settle_spaces
from rapport.transforms.pseudonyms import Pseudonyms
from rapport.warehouse.errors import Unusable
from rapport.warehouse.intake import staged_rows
from rapport.warehouse.places.attempts import failed_attempts, unreadable_attempts
from rapport.warehouse.places.folders import copy_to
from rapport.warehouse.places.versions import current_load, current_version, load_of
from rapport.warehouse.store import building_file, seal

if TYPE_CHECKING:
    import duckdb


def begin(tonight: Tonight, base: Path | None = None) -> None:
    """Yesterday's file (or another version, `base`) copied to a building file; the key; the crosswalk.

    A load that is no night has the clock of its base, which an interrupted night may have published a moment ago."""
    order = tonight.order
    if not order.is_check:
        bury(order.folders)
    tonight.pseudonyms = Pseudonyms(read_key(order.folders), order.clinic.client_links, order.clinic.spaces)
    tonight.tombstones = read_tombstones(order.folders)
    tonight.failed_attempts = failed_attempts(order.folders)
    _tell_unreadable_attempts(tonight)
    _read_crosswalk(tonight, base)
    tonight.building = tonight.scratch / order.folders.published.name
    tonight.base = base or current_version(order.folders.published)
    if tonight.base:
        copy_to(tonight.base, tonight.building)
    tonight.con = building_file.open_building(tonight.building, tonight.scratch)
    if tonight.purpose != "night":
        tonight.order = replace(order, as_of=seal.as_of(tonight.con))
    tonight.staging = staged_rows.Staging(tonight.con)
    tonight.key_check = refuse_other_key(tonight.con, tonight.pseudonyms)
    settle_spaces(tonight)
    know_aliases(tonight)
    take_out(tonight)


def _read_crosswalk(tonight: Tonight, base: Path | None) -> None:
    where = tonight.order.folders
    current = current_load(where.published)
    known = crosswalk_of(where, load_of(base) if base else current)
    tonight.born_before = birth_dates(known)
    tonight.crosswalk, is_whole = crosswalk_restored(where, known, current) if base else (known, True)
    if not is_whole:
        tonight.damaged.append(
            f"the crosswalk of load {current} is damaged or missing: people whom it alone names are known again when "
            "an export names them"
        )


def _tell_unreadable_attempts(tonight: Tonight) -> None:
    if count := unreadable_attempts(tonight.order.folders):
        tonight.damaged.append(
            f"{count} lines of private/attempts.jsonl cannot be read, so nights that failed may be missing from the "
            "books; the file is begun anew"
        )


def refuse_other_key(con: duckdb.DuckDBPyConnection, pseudonyms: Pseudonyms) -> str:
    """Return the mark of the key. Raises Unusable where a file was made with another one."""
    mark = pseudonyms.keyed("rapport", "key check", "the same key every night")
    if seal.key_check_of(con) not in (None, mark):
        raise Unusable(
            "the pseudonym key is not the one this warehouse was made with; restore the old key "
            "(RAPPORT_KEY or private/key), or give an empty --warehouse"
        )
    return mark
