"""The beginning of a night: yesterday's file, the key, the crosswalk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flows.crosswalk import birth_dates, crosswalk_of, crosswalk_restored
from flows.erasure import bury, take_out
from flows.key import read_key
from flows.order import Tonight
from flows.spaces import settle_spaces
from flows.tombstones import read_tombstones
from transforms.pseudonyms import Pseudonyms
from warehouse import building, publishing, staging
from warehouse.attempts import failed_attempts, unreadable_attempts
from warehouse.errors import Unusable
from warehouse.folders import copy_to
from warehouse.versions import current_load, current_version, load_of


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
    if version := base or current_version(order.folders.published):
        copy_to(version, tonight.building)
    tonight.con = building.open_building(tonight.building, tonight.scratch)
    if tonight.purpose != "night":
        tonight.order = replace(order, as_of=publishing.as_of(tonight.con))
    tonight.staging = staging.Staging(tonight.con)
    _same_key_as_yesterday(tonight)
    settle_spaces(tonight)
    take_out(tonight)


def _read_crosswalk(tonight: Tonight, base: Path | None) -> None:
    where = tonight.order.folders
    current = current_load(where.published)
    known = crosswalk_of(where, load_of(base) if base else current)
    tonight.born_before = birth_dates(known)
    tonight.crosswalk = crosswalk_restored(where, known, current) if base else known


def _tell_unreadable_attempts(tonight: Tonight) -> None:
    if count := unreadable_attempts(tonight.order.folders):
        tonight.troubles.append(
            f"{count} lines of private/attempts.jsonl cannot be read, so nights that failed may be missing from the "
            "books; the file is begun anew"
        )


def _same_key_as_yesterday(tonight: Tonight) -> None:
    tonight.key_check = tonight.pseudonyms.keyed("rapport", "key check", "the same key every night")
    if publishing.key_check_of(tonight.con) not in (None, tonight.key_check):
        raise Unusable(
            "the pseudonym key is not the one this warehouse was made with; restore the old key "
            "(RAPPORT_KEY or private/key), or give an empty --warehouse"
        )
